"""What runs in each actor of the `ray` engine: another engine, fed and emptied from afar.

Nothing here imports Ray: the driver makes an actor class of `Host`.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request, Sampling
from wrongcot_data.errors import BadInput
from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import Teacher

POLL_S = 5.0
"""How long `collect` waits for something to hand over; only its length in silence, never a reply's delay."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an actor is to open, as plain values; `revision` is what the driver found."""

    teacher: Teacher
    engine: str
    options: dict[str, Any]
    sampling: Sampling
    task: str
    revision: str


@dataclass(frozen=True, slots=True)
class Opened:
    """What an actor has opened; the driver wants all of them alike."""

    name: str
    not_honoured: tuple[NotHonoured, ...]
    capacity: int


class Host:
    """Holds one engine. Its methods are called side by side, each in a thread of its own.

    One thread asks the engine and waits for it, since an engine is made for one: requests that come meanwhile are
    handed in after its next reply. An `AsyncEngine` takes requests from any thread, so it gets them at once.
    """

    def __init__(self) -> None:  # light, so that an actor that has a place says so before it loads anything
        self._engine: Engine | None = None
        self._asked: SimpleQueue[Request] = SimpleQueue()
        self._finished: SimpleQueue[list[Completion] | BaseException] = SimpleQueue()

    def place(self) -> int:
        """The process that this actor has got."""
        return os.getpid()

    def open(self, order: Order, problems: Mapping[str, Problem]) -> Opened:
        """Load the teacher.

        Raises:
            BadInput: the teacher's weights here are not those of the driver.
            Exception: whatever the engine raises.
        """
        with _portable():
            kind = get_engine(order.engine)
            options = kind.options.model_validate(order.options)
            found = kind.revision(order.teacher, options)
            if found != order.revision:
                raise BadInput(
                    f"teacher {order.teacher.name} is not the same everywhere: revision {found} on a node of the Ray"
                    f" cluster, {order.revision} where the build runs",
                    try_=[
                        "--teacher PATH    (one folder that all nodes share)",
                        "the same version of the weights on every node",
                    ],
                )
            engine = kind.open(Opening(order.teacher, options, order.sampling, get_task(order.task), problems))
        self._engine = engine
        threading.Thread(target=self._run, args=(engine,), name="host", daemon=True).start()
        return Opened(engine.name, tuple(engine.not_honoured), engine.capacity)

    def submit(self, requests: list[Request]) -> None:
        """Take requests.

        Raises:
            Exception: whatever an `AsyncEngine` raises; what another does comes with `collect`.
        """
        with _portable():
            for request in requests:
                if isinstance(self._engine, AsyncEngine):
                    self._engine.submit(request)
                else:
                    self._asked.put(request)

    def collect(self) -> tuple[list[Completion], int]:
        """What has finished since the last call, none after a while of silence, and the engine's capacity by now.

        Raises:
            Exception: whatever the engine raised.
        """
        assert self._engine is not None
        completions: list[Completion] = []
        try:
            found = self._finished.get(timeout=POLL_S)
            while not isinstance(found, BaseException):
                completions += found
                found = self._finished.get_nowait()
        except Empty:
            return completions, self._engine.capacity
        if completions:  # what did finish is handed over first
            self._finished.put(found)
            return completions, self._engine.capacity
        with _portable():
            raise found

    def _run(self, engine: Engine) -> None:
        try:
            in_flight = 0
            while True:
                if not isinstance(engine, AsyncEngine):
                    in_flight += self._hand_in(engine, block=not in_flight)
                finished = engine.wait()
                in_flight -= len(finished)
                self._finished.put(finished)
        except BaseException as error:
            self._finished.put(error)

    def _hand_in(self, engine: Engine, *, block: bool) -> int:
        """Hand every request that is there to the engine, waiting for one where it has none."""
        count = 0
        try:
            while True:
                engine.submit(self._asked.get(block=block and not count))
                count += 1
        except Empty:
            return count


@contextmanager
def _portable() -> Iterator[None]:
    """Let through only exceptions that arrive whole in another process; others as a RuntimeError that tells of them."""
    try:
        yield
    except BaseException as error:
        try:
            whole = isinstance(error, Exception) and type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301
        except Exception:
            whole = False
        if whole:
            raise
        raise RuntimeError(f"{type(error).__name__}: {error}") from error
