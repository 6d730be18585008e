"""Another engine, spread over a Ray cluster: one actor a GPU, all replies in the one journal of the build.

Plain actors and not Ray Data: its input is fixed before it starts, and whom a build asks next depends on what came
back, so it would wait for the slowest reply of every round. An actor that is lost would cost a whole batch there; here
it costs the replies that it was writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
from collections.abc import Awaitable, Coroutine
from dataclasses import dataclass, field
from math import ceil, prod
from typing import Any

from pydantic import BaseModel, Field, model_validator

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, EngineKind, NotHonoured, Opening, Request
from wrongcot_data.engines.ray_cluster import Cluster, Layout
from wrongcot_data.engines.ray_host import Host, Opened, Order
from wrongcot_data.errors import BadInput, Unavailable, WrongcotError
from wrongcot_data.spec import parse_model
from wrongcot_data.teachers.registry import SCRIPTED, Teacher

TIMES_LOST = 3
"""A request that was with an actor each time it died, this often, may be what kills it, and is not asked again."""

GATHER_S = 0.01
"""How long an actor's first request waits for others to go with it: enough for a build to hand over a thousand."""

THREADS = 4
"""Calls that an actor serves at once: `collect`, which mostly waits, `submit`, and room to spare."""

SPREAD_OVER = ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
"""Options of an engine that multiply the GPUs it takes."""

log = logging.getLogger(__name__)


def _default_engine() -> str:
    return "vllm" if importlib.util.find_spec("vllm") else "transformers"


class RayOptions(BaseModel, extra="forbid"):
    """Which engine, with what options, how often and where."""

    engine: str = Field(default_factory=_default_engine, description="vllm where it is installed: the fastest")
    engine_options: dict[str, Any] = Field(default_factory=dict, description="that engine's own options")
    actors: int | None = Field(None, ge=1, description="none: one a GPU of the cluster, one where it has none")
    gpus_per_actor: float | None = Field(
        None, ge=0, description="none: as many as the engine spreads over, 0 where the cluster has none"
    )
    cpus_per_actor: float | None = Field(
        None, ge=0, description="none: 1 beside a GPU, else an even share of a node; also the threads of its libraries"
    )
    address: str | None = Field(None, description="none: RAY_ADDRESS, else a local Ray; auto: one that runs here")
    max_restarts: int = Field(3, ge=-1, description="of each actor; 3 outlast a request that kills it; -1: no end")
    patience_s: float = Field(120, gt=0, description="for a first place in the cluster; a new node takes about that")

    @model_validator(mode="after")
    def _inner_options_fit(self) -> RayOptions:
        if self.engine == "ray":
            raise BadInput("the engine ray cannot run itself", try_=["--engine-option engine=vllm"])
        _inner(self)  # raises BadInput, which pydantic lets through
        return self


def _inner(options: RayOptions) -> tuple[EngineKind, BaseModel]:
    """The engine that is spread, and its options."""
    kind = get_engine(options.engine)
    return kind, parse_model(kind.options, options.engine_options, "engine_options.engine_options.")


class _Kind:
    options = RayOptions

    def runs(self, options: BaseModel) -> str:
        """The name of the engine that runs the teacher."""
        assert isinstance(options, RayOptions)
        return options.engine

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        assert isinstance(options, RayOptions)
        kind, inner = _inner(options)
        return kind.revision(teacher, inner)

    def open(self, opening: Opening) -> Engine:
        assert isinstance(opening.options, RayOptions)
        # in this thread: a local Ray's processes end with the thread that started them
        cluster = Cluster(opening.options.address)
        try:
            return RayEngine(opening, cluster)
        except BaseException:
            cluster.close()
            raise


KIND = _Kind()


@dataclass(slots=True)
class _Wanted:
    """A request, whoever waits for its reply, and how many actors died with it."""

    request: Request
    reply: asyncio.Future[Completion]
    losses: int = 0


@dataclass(slots=True, eq=False)
class _Place:
    """One actor and its successors.

    Attributes:
        capacity: of its engine; 0 while there is none.
        placed: its actor has got a place in the cluster.
        served: its engine was open once, so that trouble is not that of the settings.
        room: set when it may have room for a request.
    """

    number: int
    capacity: int = 0
    placed: bool = False
    served: bool = False
    restarts: int = 0
    in_flight: dict[str, _Wanted] = field(default_factory=dict)
    room: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def free(self) -> int:
        return max(0, self.capacity - len(self.in_flight))


class RayEngine(AsyncEngine):
    """Keeps its actors full and alive.

    Requests wait here and go to whichever actor has room. An actor that is lost is started anew, its requests are
    asked again by whoever has room.
    """

    def __init__(self, opening: Opening, cluster: Cluster) -> None:
        import ray

        super().__init__()
        self._cluster = cluster
        self._hosts: set[Any] = set()
        self._keepers: list[asyncio.Task[None]] = []
        self._waiting: asyncio.Queue[_Wanted] = asyncio.Queue()
        self._opened: Opened | None = None
        options = opening.options
        assert isinstance(options, RayOptions)
        self._options = options
        try:
            kind, inner = _inner(options)
            self._order = Order(
                opening.teacher,
                options.engine,
                inner.model_dump(),
                opening.sampling,
                opening.task.name,
                kind.revision(opening.teacher, inner),
            )
            # only the scripted engine reads them, and there may be millions
            self._problems = ray.put(dict(opening.problems) if options.engine == SCRIPTED else {})
            self._layout = cluster.layout(
                options.actors,
                options.gpus_per_actor,
                options.cpus_per_actor,
                prod(getattr(inner, name, None) or 1 for name in SPREAD_OVER),
            )
            self._class: Any = ray.remote(Host).options(
                num_cpus=self._layout.cpus,
                num_gpus=self._layout.gpus,
                max_concurrency=THREADS,
                max_restarts=0,  # each process is an actor of its own, so that none is ever taken for another
                scheduling_strategy="SPREAD",
            )
            self._places = [_Place(number) for number in range(self._layout.actors)]
            opened = self._run(self._start_actors())
        except BaseException:
            self.close()
            raise
        self.name = f"{opened.name} on ray {cluster.version}"
        self.not_honoured: tuple[NotHonoured, ...] = opened.not_honoured

    @property
    def capacity(self) -> int:
        return max(1, sum(place.capacity for place in self._places))

    def close(self) -> None:
        super().close()
        self._cluster.close()

    async def _reply(self, request: Request) -> Completion:
        wanted = _Wanted(request, self._loop.create_future())
        self._waiting.put_nowait(wanted)
        return await wanted.reply

    async def _shut_down(self) -> None:
        import ray

        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for host in self._hosts:
            with contextlib.suppress(Exception):
                ray.kill(host)

    async def _start_actors(self) -> Opened:
        """Start all actors and wait for the first to open; the others join when they are ready."""
        self._first: asyncio.Future[Opened] = self._loop.create_future()
        self._keepers = [self._loop.create_task(self._keep(place)) for place in self._places]
        return await self._first

    def withdraw(self) -> list[str]:
        return [] if self._closed else self._run(self._take_back())

    async def _take_back(self) -> list[str]:
        self._take_in()
        await asyncio.sleep(0)  # each gets in line
        waiting = [self._waiting.get_nowait() for _ in range(self._waiting.qsize())]
        for wanted in waiting:
            if wanted.losses:
                self._waiting.put_nowait(wanted)
            else:
                wanted.reply.cancel()
        return [wanted.request.key for wanted in waiting if not wanted.losses]

    def _fail(self, error: BaseException) -> None:
        """End `open` or the build with an error."""
        if self._first.done():
            super()._fail(error)
        else:
            self._first.set_exception(error)

    async def _keep(self, place: _Place) -> None:
        """Start the actor of a place, again and again where it is lost; ends only in trouble."""
        while True:
            error = await _trouble(self._live(place))
            cause = _cause(error)
            n_lost = self._ask_again(place)
            # an engine that says it is broken is lost like its actor; before it ever ran, the settings are to blame
            broken = isinstance(cause, Unavailable) and cause is not error and place.served
            if not (_is_loss(cause) or broken):
                self._fail(cause)
                return
            log.warning("actor %d is lost, its %d requests are asked again: %s", place.number, n_lost, _story(cause))
            if place.restarts == self._options.max_restarts:
                self._give_up(place, cause)
                return
            place.restarts += 1

    def _give_up(self, place: _Place, cause: BaseException) -> None:
        """Go on without a place, or fail where it was the last."""
        self._places = [other for other in self._places if other is not place]
        if self._places:
            return
        if isinstance(cause, WrongcotError):
            self._fail(cause)
            return
        self._fail(
            Unavailable(
                f"every Ray actor was lost, {self._options.max_restarts} restarts each; the last: {_story(cause)}",
                try_=[
                    "the same command again    (goes on from what is stored)",
                    "ray status    (which nodes there are)",
                    "--engine-option max_restarts=20",
                ],
            )
        )

    def _ask_again(self, place: _Place) -> int:
        """Put what a lost actor had back among the waiting, but for what was lost too often. Returns how many."""
        n_again = 0
        lost = list(place.in_flight.values())
        place.in_flight.clear()
        for wanted in lost:
            wanted.losses += 1
            if wanted.losses < TIMES_LOST:
                self._waiting.put_nowait(wanted)
                n_again += 1
            elif not wanted.reply.done():
                story = f"lost with its actor {wanted.losses} times"
                wanted.reply.set_result(Completion(wanted.request.key, "", "error", 0, 0, story))
        return n_again

    async def _live(self, place: _Place) -> None:
        """The life of one actor: until it dies or its engine raises."""
        import ray

        host: Any = self._class.remote()
        self._hosts.add(host)
        try:
            await self._get_placed(place, host)
            opened: Opened = await host.open.remote(self._order, self._problems)
            self._check_alike(opened)
            place.capacity = opened.capacity
            place.served = True
            if not self._first.done():
                self._first.set_result(opened)
            await _first_of(self._feed(place, host), self._collect(place, host))
        finally:
            place.capacity = 0
            place.placed = False
            self._hosts.discard(host)
            with contextlib.suppress(Exception):
                ray.kill(host)

    async def _get_placed(self, place: _Place, host: Any) -> None:
        """Wait for the actor to run somewhere; without end where others do, since a node may come back."""
        waiting = asyncio.ensure_future(_value(host.place.remote()))
        try:
            while not (await asyncio.wait({waiting}, timeout=self._options.patience_s))[0]:
                if not any(other.placed for other in self._places):
                    raise Unavailable(
                        f"the Ray cluster has no room for an actor of {_size(self._layout)}",
                        try_=[
                            "ray status    (what there is, and what is taken)",
                            "--engine-option gpus_per_actor=... --engine-option cpus_per_actor=...    (ask for less)",
                        ],
                    )
                log.warning("actor %d waits for %s of the Ray cluster", place.number, _size(self._layout))
            waiting.result()
            place.placed = True
        finally:
            waiting.cancel()

    def _check_alike(self, opened: Opened) -> None:
        """Every row of a build says which engine made it, so all actors must run the same."""
        known = self._opened = self._opened or opened
        if (opened.name, opened.not_honoured) != (known.name, known.not_honoured):
            raise BadInput(
                f"the nodes of the Ray cluster run different engines: {known.name} and {opened.name}",
                try_=["the same packages on every node", "--engine-option engine_options='{dtype: float32}'"],
            )

    async def _feed(self, place: _Place, host: Any) -> None:
        """Send an actor requests while it has room, those that come together in one call."""
        while True:
            while not place.free:
                place.room.clear()
                await place.room.wait()
            group = [await self._waiting.get()]
            place.in_flight[group[0].request.key] = group[0]
            await asyncio.sleep(GATHER_S)
            # its share by room, so that the last few requests do not all go to one
            free = sum(other.free for other in self._places)
            share = ceil(self._waiting.qsize() * place.free / free) if free else 0
            for _ in range(min(share, place.free, self._waiting.qsize())):
                group.append(self._waiting.get_nowait())
                place.in_flight[group[-1].request.key] = group[-1]
            await host.submit.remote([wanted.request for wanted in group])

    async def _collect(self, place: _Place, host: Any) -> None:
        """Take an actor's replies as they finish."""
        while True:
            completions, place.capacity = await host.collect.remote()
            for completion in completions:
                wanted = place.in_flight.pop(completion.key)
                if not wanted.reply.done():
                    wanted.reply.set_result(completion)
            place.room.set()


async def _value(reference: Awaitable[Any]) -> Any:
    """A Ray reference as a coroutine, which asyncio can make a task of."""
    return await reference


async def _first_of(*endless: Coroutine[Any, Any, None]) -> None:
    """Run coroutines side by side until one ends, which they do by raising."""
    tasks = [asyncio.ensure_future(one) for one in endless]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _trouble(endless: Coroutine[Any, Any, None]) -> Exception:
    """What a coroutine that never returns has raised."""
    try:
        await endless
    except Exception as error:
        return error
    raise AssertionError("it never returns")


def _cause(error: Exception) -> Exception:
    """What was raised in an actor as itself, with Ray's story of it as its cause; anything else as it is."""
    from ray.exceptions import RayTaskError

    if not isinstance(error, RayTaskError):
        return error
    cause: Exception = error.cause
    cause.__cause__ = error
    return cause


def _is_loss(error: Exception) -> bool:
    """Whether Ray says so, of an actor, a node or a reply that went away."""
    from ray.exceptions import RayError

    return isinstance(error, RayError)


def _story(error: BaseException) -> str:
    """One line of it. Ray's errors begin with a general line, then name ids, then tell the reason, at length."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines[1:] if not line.startswith(("class_name:", "actor_id:", "pid:", "name", "ip:"))]
    story = (told or lines or [type(error).__name__])[0].partition(" Some common causes")[0]
    return story.replace(" Worker exit type: SYSTEM_ERROR Worker exit detail:", "")[:200]


def _size(layout: Layout) -> str:
    return f"{layout.gpus:g} GPUs and {layout.cpus:g} CPUs" if layout.gpus else f"{layout.cpus:g} CPUs"
