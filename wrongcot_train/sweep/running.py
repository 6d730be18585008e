"""One command of a sweep as a process of its own: its words in a log, its end in our hands."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wrongcot_train.sweep.cells import PROGRAM
from wrongcot_train.texts import visible

GRACE = 60.0
"""Seconds that a command has to end well after it was asked to; a second Ctrl-C cuts them short."""

EVERY = 60.0
"""Seconds between two looks at the log for the person at the terminal."""

KEPT_LINES = 20
"""Of a log, among which the error is looked for."""

SPEAKER = "wrongcot-train: "
"""Before the one line that says what is wrong."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended.

    Attributes:
        code: its exit code; below zero the signal that ended it.
        error: what was wrong, in a line; empty where nothing was.
        tail: the last lines that it said.
    """

    code: int
    seconds: float
    error: str
    tail: str


def run(words: Sequence[str], log: Path, lock: int, say: Callable[[str], None]) -> Ended:
    """Run one of our own commands to its end.

    Its output goes to `log` and never through this process: a training run outlives a sweep that is killed. An
    interruption is passed on, and the command has time to end well.

    Args:
        words: what a person would type, without the program's name.
        lock: a descriptor that the command keeps open.
    """
    started = time.monotonic()
    with log.open("ab") as out:
        out.write(f"$ wrongcot-train {shlex.join(words)}\n".encode(errors="replace"))
        out.flush()
        begin = out.tell()
        child = subprocess.Popen(  # noqa: S603  our own program
            [*PROGRAM, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            pass_fds=(lock,),
            start_new_session=True,  # Ctrl-C reaches it once, from here
        )
    try:
        _wait(child, log, begin, say)
    except BaseException:
        _end(child)
        raise
    tail = _tail(log, begin)
    return Ended(child.returncode, round(time.monotonic() - started, 1), error_of(child.returncode, tail), tail)


def _wait(child: subprocess.Popen[bytes], log: Path, begin: int, say: Callable[[str], None]) -> None:
    while True:
        try:
            child.wait(EVERY)
        except subprocess.TimeoutExpired:
            last = _tail(log, begin).rpartition("\n")[2]
            if last:
                say(f"    {last[:100]}")
        else:
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    """Interrupt, then ask, then kill the command with everything that it started."""
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if child.poll() is not None:
            break
        _signal(child, sign)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            child.wait(GRACE)
    _signal(child, signal.SIGTERM)  # what it may have left running


def _signal(child: subprocess.Popen[bytes], sign: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, sign)


def _tail(log: Path, begin: int) -> str:
    """The last lines that a command wrote; control characters are shown, not obeyed."""
    with log.open("rb") as file:
        file.seek(max(begin, file.seek(0, 2) - 20_000))
        lines = file.read().decode("utf-8", "replace").replace("\r", "\n").splitlines()
    return visible("\n".join(line for line in lines if line.strip()).strip()[-4000:])


def error_of(code: int, tail: str) -> str:
    """What was wrong with a command, in a line; empty where nothing was."""
    if code == 0:
        return ""
    lines = tail.splitlines()[-KEPT_LINES:]
    told = next((line for line in reversed(lines) if line.startswith(SPEAKER)), lines[-1] if lines else "")
    if code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        return f"ended by {name}{', perhaps for want of memory' if -code == signal.SIGKILL else ''}"
    return told.removeprefix(SPEAKER) or f"exit code {code}"
