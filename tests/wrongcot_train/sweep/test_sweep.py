"""Real sweeps of tiny students through the command line: their processes killed, interrupted, changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
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


@pytest.fixture(scope="module")
def straight(
    tmp_path_factory: pytest.TempPathFactory, chat_student: Path, make_dataset: Callable[..., Path], traces: list[Any]
) -> Path:
    """A folder with a sweep of one student on two variants, its data, and what came out of it when nobody disturbed."""
    home = tmp_path_factory.mktemp("straight")
    make_dataset(home / "set", {"reference": traces, "wrong": traces[::-1]})
    (home / "sweep.yaml").write_text(SWEEP.format(student=chat_student, data="set", limit=6))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        done = run("sweep.yaml", "--out", "out", "--json")
    assert done.exit_code == 0, done.output
    (home / "said.json").write_text(done.stdout)
    return home


@pytest.fixture
def here(straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the same sweep of which nothing is done."""
    shutil.copytree(straight / "set", tmp_path / "set")
    shutil.copy(straight / "sweep.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def done_before(straight: Path, here: Path) -> Path:
    """The same, of which everything is done."""
    shutil.copytree(straight / "out", here / "out")
    return here


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


def test_what_would_run_is_said_as_one_would_type_it_and_nothing_runs(here: Path) -> None:
    planned = run("sweep.yaml", "--out", "out", "--dry-run")
    assert planned.exit_code == 0, planned.output
    assert f"{WRONG}  waiting" in planned.stdout
    assert "wrongcot-train sft --student" in planned.stdout
    assert "2 cells in out: 2 waiting" in planned.stdout
    assert not (here / "out").exists()


def test_a_sweep_trains_scores_compares_and_writes_cards(straight: Path) -> None:
    told = json.loads((straight / "said.json").read_text())
    assert told["states"] == {"done": 2}
    assert [(row["cell"], row["state"], row["strict_n"], row["steps"]) for row in told["rows"]] == [
        (REFERENCE, "done", 6, 1),
        (WRONG, "done", 6, 1),
    ]
    assert told["comparisons"][0]["result"]["comparisons"][0]["b"] == "wrong"
    cell = straight / "out" / "cells" / WRONG
    assert json.loads((cell / "student" / "sft.json").read_text())["config"]["seed"] == 1
    card = (cell / "student" / "README.md").read_text()
    assert "trained on `wrong` traces" in card
    assert "6 truncated" in card
    assert "step 1/1" in (cell / "student.log").read_text()
    assert (straight / "out" / "table.csv").read_text().count("\n") == 3
    assert "<h2>Learning curves</h2>" in (straight / "out" / "report.html").read_text()


def test_what_is_done_is_not_done_again(done_before: Path, straight: Path) -> None:
    before = stamps(done_before / "out")
    again = run("sweep.yaml", "--out", "out", "--json")
    assert again.stdout == (straight / "said.json").read_text()
    assert f"{WRONG}: done before" in again.stderr
    assert stamps(done_before / "out") == before
    assert json.loads(run("sweep.yaml", "--out", "out", "--status", "--json").stdout)["states"] == {"done": 2}
    assert run("sweep.yaml", "--out", "out", "--print-commands").stdout == ""


def test_a_printed_line_fills_one_cell_from_any_folder(here: Path) -> None:
    lines = run("sweep.yaml", "--out", "out", "--print-commands").stdout.splitlines()
    assert len(lines) == 2
    (line,) = [line for line in lines if WRONG in line]
    (here / "elsewhere").mkdir()
    done = subprocess.run(line, shell=True, check=False, cwd=here / "elsewhere", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert WRONG in done.stdout
    assert [folder.name for folder in (here / "out" / "cells").iterdir()] == [WRONG]
    assert not (here / "out" / "report.html").exists()  # others may be at work in the folder
    assert run("sweep.yaml", "--out", "out", "--report-only").exit_code == 0
    assert [row["state"] for row in results(here / "out")] == ["waiting", "done"]
    (left,) = run("sweep.yaml", "--out", "out", "--print-commands").stdout.splitlines()
    assert REFERENCE in left


def test_a_cell_that_fails_is_noted_and_the_sweep_goes_on_and_ends_non_zero(
    done_before: Path, make_dataset: Callable[..., Path], traces: list[Any]
) -> None:
    out = done_before / "out"
    shutil.rmtree(out / "cells" / REFERENCE)
    kept = stamps(out)
    make_dataset(done_before / "set", {"reference": [], "wrong": traces[::-1]})  # nothing to train on
    failed = run("sweep.yaml", "--out", "out")
    assert failed.exit_code == 1
    assert "1 of 2 cells are not done: tiny--reference--seed1" in failed.stderr
    first, second = results(out)
    assert (first["state"], second["state"]) == ("failed", "done")
    assert "has no rows, so there is nothing to train on" in first["error"]
    assert "has no rows" in (out / "cells" / REFERENCE / "student.log").read_text()
    assert "has no rows" in (out / "report.html").read_text()
    make_dataset(done_before / "set", {"reference": traces, "wrong": traces[::-1]})
    mended = run("sweep.yaml", "--out", "out")
    assert mended.exit_code == 0, mended.output
    assert [row["state"] for row in results(out)] == ["done", "done"]
    assert kept.items() <= stamps(out).items()


def test_a_changed_sweep_keeps_what_applies_and_moves_aside_only_what_is_told(done_before: Path) -> None:
    path = done_before / "sweep.yaml"
    cell = done_before / "out" / "cells" / WRONG
    kept = (cell / "student" / "sft.json").read_text()
    path.write_text(path.read_text().replace("limit: 6", "limit: 8"))
    longer = run(path, "--out", "out", "--cell", WRONG, "--json")
    assert json.loads(longer.stdout)["rows"][0]["strict_n"] == 8
    score = json.loads((cell / "eval-countdown" / "score.json").read_text())
    assert (score["items_reused"], (cell / "student" / "sft.json").read_text()) == (6, kept)
    path.write_text(path.read_text().replace("max_steps: 1", "max_steps: 2"))
    refused = run(path, "--out", "out", "--cell", WRONG)
    assert refused.exit_code == 1
    assert "holds another run" in refused.stderr
    assert "--replace moves what is there" in refused.stderr
    assert (cell / "student" / "sft.json").read_text() == kept
    replaced = run(path, "--out", "out", "--cell", WRONG, "--replace")
    assert replaced.exit_code == 0, replaced.output
    assert json.loads((cell / "student" / "sft.json").read_text())["steps"] == 2
    aside = done_before / "out" / "replaced"
    assert sorted(folder.name for folder in aside.iterdir()) == [f"{WRONG}--eval-countdown-1", f"{WRONG}--student-1"]
    assert (aside / f"{WRONG}--student-1" / "sft.json").read_text() == kept


@contextmanager
def started(path: Path, out: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """A sweep as a process of its own."""
    words = [sys.executable, "-m", "wrongcot_train", "sweep", str(path), "--out", str(out), *more]
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


def test_a_sweep_that_is_killed_goes_on_to_the_same_table(here: Path, straight: Path) -> None:
    out = here / "out"
    cell = out / "cells" / REFERENCE
    with started(here / "sweep.yaml", out) as sweep:  # while a training runs, which goes on by itself
        wait_for((cell / "student.log").is_file)
        sweep.send_signal(signal.SIGKILL)
    assert "at work now" in run("sweep.yaml", "--out", "out", "--status").stdout  # the lock is the training's, too
    with started(here / "sweep.yaml", out, "--cell", REFERENCE) as sweep:  # waits for it, and finds it trained
        wait_for((cell / "eval-countdown.log").is_file)
        sweep.send_signal(signal.SIGKILL)
    trained = (cell / "student" / "sft.json").stat().st_mtime_ns
    done = run("sweep.yaml", "--out", "out")
    assert done.exit_code == 0, done.output
    assert results(out) == results(straight / "out")
    assert (cell / "student" / "sft.json").stat().st_mtime_ns == trained
    assert (cell / "student.log").read_text().count("step 1/1") == 1


def trainings(out: Path) -> list[int]:
    """The processes that train in a folder."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if b"sft" in words and any(word.startswith(str(out).encode()) for word in words):
                found.append(int(place.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are found by /proc")
def test_a_training_that_is_killed_goes_on_from_its_checkpoint(here: Path) -> None:
    path, out = here / "sweep.yaml", here / "out"
    path.write_text(path.read_text().replace("max_steps: 1,", "max_steps: 400, save_strategy: steps, save_steps: 3,"))
    student = out / "cells" / REFERENCE / "student"
    with started(path, out, "--cell", REFERENCE) as sweep:
        wait_for(lambda: any((student / "checkpoints").glob("checkpoint-[3-9]*")))
        sweep.send_signal(signal.SIGKILL)
        (training,) = trainings(out)
        os.kill(training, signal.SIGKILL)
    wait_for(lambda: not trainings(out))
    assert not (student / "sft.json").exists()
    done = run(path, "--out", str(out), "--cell", REFERENCE)
    assert done.exit_code == 0, done.output
    assert json.loads((student / "sft.json").read_text())["steps"] == 400
    first, second = [line for line in (student.parent / "student.log").read_text().splitlines() if line[:2] == "$ "]
    assert ("--resume" in first, "--resume" in second) == (False, True)


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_sweep_ends_its_command_and_goes_on(sign: signal.Signals, done_before: Path) -> None:
    out = done_before / "out"
    shutil.rmtree(out / "cells" / REFERENCE)
    before = results(out)
    with started(done_before / "sweep.yaml", out) as sweep:
        wait_for((out / "cells" / REFERENCE / "student.log").is_file)
        time.sleep(1)
        sweep.send_signal(sign)
        _, told = sweep.communicate(timeout=120)
        assert sweep.returncode == 130
    assert "interrupted" in told
    status = json.loads(run("sweep.yaml", "--out", "out", "--status", "--json").stdout)
    assert not any(one["running"] for one in status["cells"])  # nobody is left behind
    assert not any(one["errors"] for one in status["cells"])
    done = run("sweep.yaml", "--out", "out")
    assert done.exit_code == 0, done.output
    assert results(out) == before


def test_two_sweeps_in_one_folder_share_the_work(here: Path, straight: Path) -> None:
    out = here / "out"
    with started(here / "sweep.yaml", out) as one, started(here / "sweep.yaml", out) as other:
        assert (one.wait(300), other.wait(300)) == (0, 0)
    assert results(out) == results(straight / "out")
    for cell in (REFERENCE, WRONG):
        assert (out / "cells" / cell / "student.log").read_text().count("step 1/1") == 1


def test_untrained_students_are_scored_and_compared_with(done_before: Path) -> None:
    path = done_before / "sweep.yaml"
    path.write_text(path.read_text() + "base: true\nagainst: base\n")
    done = run(path, "--out", "out", "--only", "*--base", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert [(row["data"], row["state"]) for row in told["rows"]] == [
        *(("base", "done"), ("reference", "done"), ("wrong", "done"))
    ]
    pairs = told["comparisons"][0]["result"]["comparisons"]
    assert [(pair["a"], pair["b"]) for pair in pairs] == [("base", "reference"), ("base", "wrong")]
    assert not (done_before / "out" / "cells" / "tiny--base" / "README.md").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dry-run", "--status"], "--dry-run and --status exclude each other"),
        (["--cell", "tiny--wrnog--seed1"], "unknown cell 'tiny--wrnog--seed1': did you mean tiny--wrong--seed1?"),
    ],
)
def test_bad_use_is_one_line_and_exit_code_2(words: list[str], message: str, here: Path) -> None:
    refused = run("sweep.yaml", "--out", "out", *words)
    assert refused.exit_code == 2
    assert message in refused.stderr.splitlines()[0]
    assert not (here / "out").exists()
