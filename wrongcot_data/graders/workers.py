"""Worker processes that can be killed: what judges or runs hostile text lives in one, never in this process.

A worker reads a request from its standard input, writes one reply to its standard output, and so on until its input
ends; it sets its own limits. Requests and replies are frames: four bytes of length, big-endian, then the bytes.
Whatever a worker does, `ask` returns: a thread that waits here can always kill it, which no alarm within one process
can promise (`signal.alarm` works in the main thread only, and not while C code runs).
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import LifoQueue
from subprocess import Popen
from typing import Literal

MAX_REPLY = 64 << 20
"""Bytes of a reply; a worker that writes more is killed."""

START_S = 60.0
"""Seconds that a worker may take to answer the greeting; a second is usual, on a loaded machine several."""

_LENGTH = struct.Struct(">I")
_CHUNK = 1 << 16
_CPU_SIGNALS = frozenset({signal.SIGPROF, signal.SIGXCPU, signal.SIGVTALRM})

Fault = Literal["", "cpu limit", "wall limit", "died"]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request.

    Attributes:
        reply: empty where there is a fault.
        fault: `cpu limit` if the kernel ended the worker by its own CPU timer, `wall limit` if no reply came in time,
            `died` if it ended in another way, twice. Empty where there is a reply.
        detail: how it ended, in a few words.
    """

    reply: bytes
    fault: Fault = ""
    detail: str = ""


class WorkerPool:
    """Up to `size` workers, each started when first needed and again when it has died. Any number of threads may ask.

    A process that is forked from this one has workers of its own.

    Args:
        start: starts a worker with pipes at its standard input and output. A worker that leads a process group is
            killed with its group.
        size: workers; as many as there are cores unless given.
        greeting: the first request to each worker, which it answers when it is ready. A worker that cannot be started,
            or that does not answer within `START_S`, is a fault of the request that wanted it.
    """

    def __init__(self, start: Callable[[], Popen[bytes]], size: int | None = None, greeting: bytes = b"") -> None:
        self.size = size or len(os.sched_getaffinity(0))
        self._start = start
        self._greeting = _LENGTH.pack(len(greeting)) + greeting if greeting else b""
        self._fill()
        atexit.register(self.close)

    def _fill(self) -> None:
        self._owner = os.getpid()
        self._free: LifoQueue[Popen[bytes] | None] = LifoQueue()  # the last one used is the warmest
        for _ in range(self.size):
            self._free.put(None)

    def ask(self, request: bytes, wall_s: float) -> Answer:
        """Put a request to a free worker, waiting for one. A worker that dies of nothing of ours is tried once more.

        Args:
            wall_s: seconds a worker may take before it is killed.
        """
        return self.ask_raw(_LENGTH.pack(len(request)) + request, wall_s)

    def ask_raw(self, request: bytes, wall_s: float) -> Answer:
        """The same for workers whose requests have a head of their own instead of a length."""
        if os.getpid() != self._owner:
            self._fill()
        worker = self._free.get()
        answer = Answer(b"")
        try:
            for _ in range(2):
                if worker is not None and worker.poll() is not None:  # it died while it was free
                    _end(worker)
                    worker = None
                if worker is None:
                    worker, answer = self._started()
                if worker is not None:
                    answer = _exchange(worker, request, wall_s)
                    worker = None if answer.fault else worker
                if answer.fault != "died":
                    break
            return answer
        except BaseException:
            if worker is not None:
                _end(worker)
                worker = None
            raise
        finally:
            self._free.put(worker)

    def _started(self) -> tuple[Popen[bytes] | None, Answer]:
        """A new worker that has answered the greeting; None, and why, where there is none to be had."""
        try:
            worker = self._start()
        except OSError as error:  # no memory, no process, no program
            return None, Answer(b"", "died", f"cannot be started: {error}")
        if not self._greeting:
            return worker, Answer(b"")
        try:
            answer = _exchange(worker, self._greeting, START_S)
        except BaseException:
            _end(worker)
            raise
        return None if answer.fault else worker, answer

    def close(self) -> None:
        """End the workers that are free. The next request starts new ones."""
        if os.getpid() != self._owner:
            return
        free = [self._free.get_nowait() for _ in range(self._free.qsize())]
        for worker in free:
            if worker is not None:
                _end(worker)
            self._free.put(None)


def _exchange(worker: Popen[bytes], request: bytes, wall_s: float) -> Answer:
    """Send a frame and read one. After any fault the worker is dead and reaped."""
    deadline = time.monotonic() + wall_s
    try:
        _write(worker, request, deadline)
        (length,) = _LENGTH.unpack(_read(worker, _LENGTH.size, deadline))
        if length <= MAX_REPLY:
            return Answer(_read(worker, length, deadline))
        told = "reply too long"
    except TimeoutError:
        _end(worker)
        return Answer(b"", "wall limit", f"no reply in {wall_s:g} s")
    except (BrokenPipeError, EOFError):
        told = ""
    ended = _end(worker, patience_s=1.0)
    if -ended in _CPU_SIGNALS:
        return Answer(b"", "cpu limit", signal.Signals(-ended).name)
    return Answer(b"", "died", told or (f"signal {-ended}" if ended < 0 else f"exit code {ended}"))


def _write(worker: Popen[bytes], data: bytes, deadline: float) -> None:
    assert worker.stdin is not None
    pipe = worker.stdin.fileno()
    os.set_blocking(pipe, False)
    rest = memoryview(data)
    while rest:
        _wait(pipe, select.POLLOUT, deadline)
        with suppress(BlockingIOError):
            rest = rest[os.write(pipe, rest[:_CHUNK]) :]


def _read(worker: Popen[bytes], size: int, deadline: float) -> bytes:
    assert worker.stdout is not None
    pipe = worker.stdout.fileno()
    parts: list[bytes] = []
    while size:
        _wait(pipe, select.POLLIN, deadline)
        part = os.read(pipe, min(size, _CHUNK))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _wait(pipe: int, event: int, deadline: float) -> None:
    """Wait until a pipe is ready or broken.

    Raises:
        TimeoutError: neither came in time.
    """
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _end(worker: Popen[bytes], patience_s: float = 0.0) -> int:
    """Kill a worker and what it started, reap it and close its pipes. Returns how it ended.

    Args:
        patience_s: how long it may take to end by itself, where its end is near and the cause of interest.
    """
    try:
        with suppress(Exception):
            worker.wait(patience_s)
        leads = worker.poll() is None and os.getpgid(worker.pid) == worker.pid
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(worker.pid, signal.SIGKILL) if leads else worker.kill()
        return worker.wait()
    finally:
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
