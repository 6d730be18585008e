"""Real sweeps of tiny students through the command line: their processes killed, interrupted, changed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wrongcot_train.cli import main

pytestmark = pytest.mark.real

SWEEP = """\
students: {{tiny: {student}}}
data: {{reference: "{data}:reference", wrong: "{data}:wrong"}}
seeds: [1]
sft: {{max_steps: 1, per_device_train_batch_size: 2, gradient_accumulation_steps: 1}}
eval: [{{task: countdown, limit: {limit}, max_tokens: 8}}]
"""

WRONG = "tiny--wrong--seed1"
REFERENCE = "tiny--reference--seed1"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["sweep", *map(str, arguments)])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sweep_file(
    here: Path, chat_student: Path, make_dataset: Callable[..., Path], traces: list[tuple[str, str]]
) -> Callable[..., Path]:
    """A sweep of one student on two variants, in the current folder."""
    make_dataset(here / "set", {"reference": traces, "wrong": traces[::-1]})

    def write(limit: int = 6, more: str = "") -> Path:
        text = SWEEP.format(student=chat_student, data="set", limit=limit)
        (here / "sweep.yaml").write_text(text + more)
        return here / "sweep.yaml"

    return write


def results(out: Path) -> list[dict[str, Any]]:
    """The table without what differs from run to run: times."""
    rows: list[dict[str, Any]] = json.loads((out / "table.json").read_text())["rows"]
    return [{name: value for name, value in row.items() if not name.endswith("seconds")} for row in rows]


def stamps(out: Path) -> dict[str, float]:
    return {
        str(path.relative_to(out)): path.stat().st_mtime_ns
        for name in ("sft.json", "score.json", "README.md")
        for path in out.rglob(name)
    }


def test_a_sweep_trains_scores_compares_and_writes_cards_and_then_has_nothing_left_to_do(
    sweep_file: Callable[..., Path], here: Path
) -> None:
    path = sweep_file()
    planned = run(path, "--out", "out", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert f"{WRONG}  waiting" in planned.stdout
    assert "wrongcot-train sft --student" in planned.stdout
    assert not (here / "out").exists()
    done = run(path, "--out", "out", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["states"] == {"done": 2}
    assert [(row["cell"], row["state"], row["strict_n"], row["steps"]) for row in told["rows"]] == [
        (REFERENCE, "done", 6, 1),
        (WRONG, "done", 6, 1),
    ]
    assert told["comparisons"][0]["result"]["comparisons"][0]["b"] == "wrong"
    cell = here / "out" / "cells" / WRONG
    assert json.loads((cell / "student" / "sft.json").read_text())["config"]["seed"] == 1
    assert "trained on `wrong` traces" in (cell / "student" / "README.md").read_text()
    assert "step 1/1" in (cell / "student.log").read_text()
    assert (here / "out" / "table.csv").read_text().count("\n") == 3
    assert "<h2>Learning curves</h2>" in (here / "out" / "report.html").read_text()
    before = stamps(here / "out")
    again = run(path, "--out", "out", "--json")
    assert json.loads(again.stdout) == told
    assert f"{WRONG}: done before" in again.stderr
    assert stamps(here / "out") == before
    status = json.loads(run(path, "--out", "out", "--status", "--json").stdout)
    assert status["states"] == {"done": 2}
    assert run(path, "--out", "out", "--print-commands").stdout == ""


def test_a_printed_line_fills_one_cell_from_any_folder(sweep_file: Callable[..., Path], here: Path) -> None:
    path = sweep_file()
    lines = run(path, "--out", "out", "--print-commands").stdout.splitlines()
    assert len(lines) == 2
    (line,) = [line for line in lines if WRONG in line]
    (here / "elsewhere").mkdir()
    done = subprocess.run(line, shell=True, check=False, cwd=here / "elsewhere", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert WRONG in done.stdout
    assert [folder.name for folder in (here / "out" / "cells").iterdir()] == [WRONG]
    assert not (here / "out" / "report.html").exists()  # others may be at work in the folder
    assert run(path, "--out", "out", "--report-only").exit_code == 0
    assert [row["state"] for row in results(here / "out")] == ["waiting", "done"]
    (left,) = run(path, "--out", "out", "--print-commands").stdout.splitlines()
    assert REFERENCE in left


def test_a_cell_that_fails_is_noted_and_the_sweep_goes_on_and_ends_non_zero(
    sweep_file: Callable[..., Path], here: Path, make_dataset: Callable[..., Path], traces: list[tuple[str, str]]
) -> None:
    path = sweep_file()
    make_dataset(here / "set", {"reference": [], "wrong": traces})  # nothing to train on
    failed = run(path, "--out", "out")
    assert failed.exit_code == 1
    assert "1 of 2 cells are not done: tiny--reference--seed1" in failed.stderr
    first, second = results(here / "out")
    assert (first["state"], second["state"]) == ("failed", "done")
    assert "has no rows, so there is nothing to train on" in first["error"]
    assert "has no rows" in (here / "out" / "cells" / REFERENCE / "student.log").read_text()
    assert "has no rows" in (here / "out" / "report.html").read_text()
    make_dataset(here / "set", {"reference": traces, "wrong": traces})
    kept = (here / "out" / "cells" / WRONG / "student" / "sft.json").stat().st_mtime_ns
    assert run(path, "--out", "out").exit_code == 0
    assert [row["state"] for row in results(here / "out")] == ["done", "done"]
    assert (here / "out" / "cells" / WRONG / "student" / "sft.json").stat().st_mtime_ns == kept


def test_a_changed_sweep_keeps_what_applies_and_moves_aside_only_what_is_told(
    sweep_file: Callable[..., Path], here: Path
) -> None:
    path = sweep_file()
    assert run(path, "--out", "out", "--cell", WRONG).exit_code == 0
    student = here / "out" / "cells" / WRONG / "student" / "sft.json"
    kept = student.read_text()
    path.write_text(path.read_text().replace("limit: 6", "limit: 8"))
    longer = run(path, "--out", "out", "--cell", WRONG, "--json")
    assert json.loads(longer.stdout)["rows"][0]["strict_n"] == 8
    score = json.loads((student.parents[1] / "eval-countdown" / "score.json").read_text())
    assert (score["items_reused"], student.read_text()) == (6, kept)
    path.write_text(path.read_text().replace("max_steps: 1", "max_steps: 2"))
    refused = run(path, "--out", "out", "--cell", WRONG)
    assert refused.exit_code == 1
    assert "holds another run" in refused.stderr
    assert "--replace moves what is there" in refused.stderr
    assert student.read_text() == kept
    assert run(path, "--out", "out", "--cell", WRONG, "--replace").exit_code == 0
    assert json.loads(student.read_text())["steps"] == 2
    aside = here / "out" / "replaced"
    assert sorted(folder.name for folder in aside.iterdir()) == [
        f"{WRONG}--eval-countdown-1",
        f"{WRONG}--student-1",
    ]
    assert (aside / f"{WRONG}--student-1" / "sft.json").read_text() == kept


@contextmanager
def started(path: Path, out: Path) -> Iterator[subprocess.Popen[str]]:
    """A sweep as a process of its own."""
    words = [sys.executable, "-m", "wrongcot_train", "sweep", str(path), "--out", str(out)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(found: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def straight(sweep_file: Callable[..., Path], here: Path) -> list[dict[str, Any]]:
    """The table of the same sweep that nobody disturbed."""
    assert run(sweep_file(), "--out", "straight").exit_code == 0
    return results(here / "straight")


def test_a_sweep_that_is_killed_goes_on_to_the_same_table(
    straight: list[dict[str, Any]], sweep_file: Callable[..., Path], here: Path
) -> None:
    path = sweep_file()
    student = here / "out" / "cells" / REFERENCE
    with started(path, here / "out") as sweep:  # while a training runs, which goes on by itself
        wait_for((student / "student.log").is_file)
        sweep.send_signal(signal.SIGKILL)
    status = run(path, "--out", "out", "--status")
    assert "at work now" in status.stdout  # the lock is the training's, too
    with started(path, here / "out") as sweep:  # and when the first of two cells is trained
        wait_for((student / "eval-countdown.log").is_file)
        sweep.send_signal(signal.SIGKILL)
    first = (student / "student" / "sft.json").stat().st_mtime_ns
    done = run(path, "--out", "out")
    assert done.exit_code == 0, done.output
    assert results(here / "out") == straight
    assert (student / "student" / "sft.json").stat().st_mtime_ns == first
    assert (student / "student.log").read_text().count("step 1/1") == 1


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_ends_its_command_and_goes_on(
    sign: signal.Signals, straight: list[dict[str, Any]], sweep_file: Callable[..., Path], here: Path
) -> None:
    path = sweep_file()
    cell = here / "out" / "cells" / REFERENCE
    with started(path, here / "out") as sweep:
        wait_for((cell / "student.log").is_file)
        time.sleep(1)
        sweep.send_signal(sign)
        _, told = sweep.communicate(timeout=120)
        assert sweep.returncode == 130
    assert "interrupted" in told
    status = json.loads(run(path, "--out", "out", "--status", "--json").stdout)
    assert not any(one["running"] for one in status["cells"])  # nobody is left behind
    assert not any(one["errors"] for one in status["cells"])
    assert run(path, "--out", "out").exit_code == 0
    assert results(here / "out") == straight


def test_two_sweeps_in_one_folder_share_the_work(sweep_file: Callable[..., Path], here: Path) -> None:
    path = sweep_file()
    with started(path, here / "out") as one, started(path, here / "out") as other:
        assert (one.wait(300), other.wait(300)) == (0, 0)
    assert [row["state"] for row in results(here / "out")] == ["done", "done"]
    for cell in (REFERENCE, WRONG):
        assert (here / "out" / "cells" / cell / "student.log").read_text().count("step 1/1") == 1


def test_untrained_students_are_scored_and_compared_with(sweep_file: Callable[..., Path], here: Path) -> None:
    path = sweep_file(more="base: true\nagainst: base\n")
    done = run(path, "--out", "out", "--only", "*--base", "--only", "*--wrong--*", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [(row["data"], row["state"]) for row in told["rows"]] == [
        *(("base", "done"), ("reference", "waiting"), ("wrong", "done"))
    ]
    (pair,) = told["comparisons"][0]["result"]["comparisons"]
    assert (pair["a"], pair["b"]) == ("base", "wrong")
    assert not (here / "out" / "cells" / "tiny--base" / "README.md").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dry-run", "--status"], "--dry-run and --status exclude each other"),
        (["--cell", "tiny--wrnog--seed1"], "unknown cell 'tiny--wrnog--seed1': did you mean tiny--wrong--seed1?"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(words: list[str], message: str, sweep_file: Callable[..., Path]) -> None:
    refused = run(sweep_file(), "--out", "out", *words)
    assert refused.exit_code == 2
    assert message in refused.stderr.splitlines()[0]
    assert not Path("out").exists()
