"""Commands as processes: what is told of their ends, and what becomes of them when they are interrupted."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from wrongcot_train.sweep import running
from wrongcot_train.sweep.running import error_of, run
from wrongcot_train.sweep.state import locked


def quiet(line: str) -> None:
    """Nobody is at the terminal."""


@pytest.mark.parametrize(
    ("code", "tail", "error"),
    [
        (0, "wrongcot-train: all is well", ""),
        (2, "audit\nwrongcot-train: unknown variant 'rong'\n  try:  this", "unknown variant 'rong'"),
        (1, "Traceback (most recent call last):\n  File\nValueError: no", "ValueError: no"),
        (1, "", "exit code 1"),
        (-9, "step 3", "ended by SIGKILL, perhaps for want of memory"),
        (-15, "step 3", "ended by SIGTERM"),
    ],
)
def test_an_error_is_told_in_one_line(code: int, tail: str, error: str) -> None:
    assert error_of(code, tail) == error


def test_a_command_speaks_into_its_log_and_each_attempt_is_told_apart(tmp_path: Path) -> None:
    log = tmp_path / "student.log"
    with locked(tmp_path, wait=False) as lock:
        assert lock is not None
        first = run(["sft", "--studnet", "x"], log, lock, quiet)
        second = run(["eval", "--model", "a b", "--task", "cuontdown"], log, lock, quiet)
    assert (first.code, second.code) == (2, 2)
    assert "studnet" in first.error
    assert second.error == "unknown task 'cuontdown': did you mean countdown?"
    assert "studnet" not in second.tail
    assert "$ wrongcot-train eval --model 'a b' --task cuontdown\n" in log.read_text()


WRITES_AND_WAITS = """
import json, os, signal, sys, time
from pathlib import Path

def ended(number, frame):
    Path(sys.argv[-1]).write_text(json.dumps({"signal": number}))
    sys.exit(0)

signal.signal(signal.SIGINT, ended)
print("ready \\x1b[2J", flush=True)
time.sleep(60)
"""


def test_an_interruption_reaches_the_command_once_and_it_may_end_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(running, "PROGRAM", (sys.executable, "-c", WRITES_AND_WAITS))
    monkeypatch.setattr(running, "EVERY", 0.3)
    said: list[str] = []

    def interrupt(line: str) -> None:  # as soon as the command has spoken
        said.append(line)
        raise KeyboardInterrupt

    with locked(tmp_path, wait=False) as lock:
        assert lock is not None
        with pytest.raises(KeyboardInterrupt):
            run([str(tmp_path / "ended.json")], tmp_path / "log", lock, interrupt)
    assert json.loads((tmp_path / "ended.json").read_text()) == {"signal": signal.SIGINT}
    assert said == ["    ready \N{REPLACEMENT CHARACTER}[2J"]
