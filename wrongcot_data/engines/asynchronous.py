"""What engines share that serve each request by a coroutine: an event loop in a thread of its own.

The build's thread grades and stores while the loop goes on sending and receiving, so nothing waits for grading.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Coroutine
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from wrongcot_data.engines.base import Completion, Request

Result = TypeVar("Result")


class AsyncEngine(ABC):
    """Half of an engine: `submit`, `wait` and `close` over a coroutine a request.

    A subclass calls `super().__init__()` first and gives `_reply`; `_run` runs a coroutine of its own on the loop.
    Whatever `_reply` raises ends the build: an error of the request alone is a completion, not an exception. Nothing is
    begun any more then, and what did finish is handed over before `wait` raises.
    """

    def __init__(self) -> None:
        self._finished: SimpleQueue[Completion | None] = SimpleQueue()  # None: look at `_error`
        self._error: BaseException | None = None
        self._arrived: deque[Request] = deque()
        self._woken = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=type(self).__name__, daemon=True)
        self._thread.start()
        self._closed = False

    @abstractmethod
    async def _reply(self, request: Request) -> Completion:
        """The completion of one request."""

    async def _shut_down(self) -> None:  # noqa: B027  most have nothing of their own to let go of
        """Let go of what the subclass holds; runs on the loop, after every request was cancelled."""

    def submit(self, request: Request) -> None:
        self._arrived.append(request)
        if not self._woken:  # one wake-up for many requests: each costs a system call and a change of threads
            self._woken = True
            self._loop.call_soon_threadsafe(self._take_in)

    def wait(self) -> list[Completion]:
        completions: list[Completion] = []
        with contextlib.suppress(Empty):
            while True:
                one = self._finished.get(block=not completions and self._error is None)
                if one is not None:
                    completions.append(one)
        if not completions and self._error is not None:
            raise self._error
        return completions

    def withdraw(self) -> list[str]:
        return []

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):  # whatever is left is a daemon thread's, and the process's end ends it
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run a coroutine on the loop and wait for what it gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _take_in(self) -> None:
        self._woken = False  # before the queue is emptied: what arrives from now on wakes again
        while self._arrived:
            self._start(self._arrived.popleft())

    def _start(self, request: Request) -> None:
        if self._error is not None:
            return
        task = self._loop.create_task(self._serve(request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, request: Request) -> None:
        try:
            self._finished.put(await self._reply(request))
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """End the build with an error, once what did finish is handed over. Of several errors the first counts."""
        self._error = self._error or error
        self._finished.put(None)

    async def _end(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._shut_down()
