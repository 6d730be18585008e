"""What a build survives: nothing is lost, nothing is doubled, the receipt balances."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SLOW = ["--engine-option", "latency_ms=300", "--engine-option", "capacity=20"]


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def stored(journal: Path) -> int:
    if not journal.exists():
        return 0
    with sqlite3.connect(journal, timeout=30) as db:
        try:
            return db.execute("SELECT count(*) FROM samples").fetchone()[0]
        except sqlite3.OperationalError:  # not made yet
            return 0


def build(out: Path, *flags: object) -> list[object]:
    return ["build", "countdown", "--teacher", "scripted", "--out", out, *flags]


def test_the_second_interrupt_ends_at_once_and_the_same_command_goes_on(tmp_path: Path, start, run, scripted, rows):
    out = tmp_path / "d"
    command = build(out, "--limit", 200, "--engine-option", "latency_ms=1500", "--engine-option", "capacity=50")
    with start(*command) as process:
        wait_for(lambda: stored(out / "pool" / "journal.sqlite") >= 50)
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        told = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert time.monotonic() - told < 3
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "the same command goes on from what is stored" in errors
    scripted(out, "--limit", 200)
    scripted(tmp_path / "whole", "--limit", 200)
    assert rows(out, "samples") == rows(tmp_path / "whole", "samples")
    run("verify", out)


def test_two_builds_on_one_journal_both_finish_with_the_same_rows(tmp_path: Path, start, rows, run):
    shared = tmp_path / "shared.sqlite"
    flags = ["--limit", 300, "--journal", shared, "--json", "--engine-option", "latency_ms=20", *SLOW[2:]]
    builds = [start(*build(tmp_path / name, *flags)) for name in ("a", "b")]
    for process in builds:
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert json.loads(output)["receipt"]["balanced"]
    for config in ("right", "wrong", "samples"):
        assert rows(tmp_path / "a", config) == rows(tmp_path / "b", config)
    run("verify", tmp_path / "a")


SETBACK = """
import itertools, sys, time
real = time.time()
steps = itertools.count()
time.time = lambda: real - 3600 * next(steps)  # every look at the clock finds it an hour earlier
from wrongcot_data.cli import main
main(sys.argv[1:])
"""


def test_a_clock_that_is_set_back_changes_nothing(tmp_path: Path, scripted, rows):
    journal = tmp_path / "j.sqlite"
    flags = ["--limit", 60, "--journal", journal, "--max-minutes", 5]
    command = [str(part) for part in build(tmp_path / "d", *flags)]
    subprocess.run([sys.executable, "-c", SETBACK, *command], check=True, capture_output=True, timeout=120)
    scripted(tmp_path / "whole", "--limit", 60)
    assert rows(tmp_path / "d", "samples") == rows(tmp_path / "whole", "samples")


def children(pid: int) -> list[int]:
    """All processes below one, by their commands: the worker and jail processes of the graders among them."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = dict(map(int, line.split()) for line in listed.splitlines())
    below: list[int] = []
    for number in parents:
        at = number
        while at in parents and at != pid:
            at = parents[at]
        if at == pid and number != pid:
            below.append(number)
    return below


PROGRAMS = [
    {
        "task_id": 600 + n, "text": f"Write a function to add {n}.", "code": f"def add(x):\n    return x + {n}",
        "test_list": [f"assert add({k}) == {k + n}" for k in range(3)], "test_setup_code": "",
        "challenge_test_list": [],
    }
    for n in range(1, 40)
]  # fmt: skip


def test_graders_that_are_killed_again_and_again_cost_no_row(tmp_path: Path, start, rows, run):
    """Every process below the build is killed while it grades programs; each is started again."""
    source = tmp_path / "mbpp.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in PROGRAMS))
    flags = ["--teacher", "scripted", "--source", source, "--limit", 39, "--engine-option", "latency_ms=500"]
    command = ["build", "mbpp", *flags, "--engine-option", "capacity=8", "--json"]
    out = tmp_path / "killed"
    rng = random.Random(3)
    kills = 0
    journal = out / "pool" / "journal.sqlite"
    with start(*command, "--out", out) as process:

        def until_more_is_stored() -> None:
            before = stored(journal)
            wait_for(lambda: stored(journal) > before or process.poll() is not None)

        until_more_is_stored()
        while process.poll() is None:
            for pid in rng.sample(found := children(process.pid), min(1, len(found))):
                kills += 1
                os.kill(pid, signal.SIGKILL)
            # A request whose worker dies twice is judged an error, which is another promise. What is stored first may
            # have been graded before the kill; when more is, what the kill hit is through, too.
            until_more_is_stored()
            until_more_is_stored()
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert kills > 3
    receipt: dict[str, Any] = json.loads(output)["receipt"]
    assert receipt["balanced"]
    run(*command, "--out", tmp_path / "whole")
    assert rows(out, "samples") == rows(tmp_path / "whole", "samples")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [(["--max-tokens-total", 20_000], "token budget used up"), (["--max-minutes", 0.1], "time used up")],
)
def test_a_budget_stops_cleanly_with_a_data_set_that_can_be_published(tmp_path: Path, scripted, run, flags, reason):
    out = tmp_path / "d"
    receipt = scripted(out, "--limit", 2000, *SLOW, *flags)["receipt"]
    assert receipt["balanced"]
    assert receipt["left_out"][reason] > 0
    assert receipt["kept"]["wrong"] > 0
    if reason.startswith("token"):
        assert 10_000 < receipt["tokens"] + receipt["spare"]["tokens"] <= 20_000
    run("verify", out)
    more = scripted(out, "--limit", 100)["receipt"]  # and it goes on when the budget is lifted
    assert reason not in more["left_out"]


def test_a_budget_is_not_charged_what_another_build_has_paid_for_itself(tmp_path: Path, scripted):
    shared = tmp_path / "shared.sqlite"
    scripted(tmp_path / "many", "--limit", 40, "--per-problem", 6, "--journal", shared)
    alone = scripted(tmp_path / "alone", "--limit", 60)["receipt"]
    budget = alone["tokens"] + alone["spare"]["tokens"] + 300
    few = scripted(tmp_path / "few", "--limit", 60, "--journal", shared, "--max-tokens-total", budget)["receipt"]
    assert "token budget used up" not in few["left_out"]
    assert few["tokens"] + few["spare"]["tokens"] > budget


def test_two_problems_that_ask_the_same_share_replies_and_not_verdicts(tmp_path: Path, run, rows):
    """A label that was corrected between two builds, or stands twice in one source."""
    problems = [{"question": "How many days has a week?", "answer": f"It has.\n#### {answer}"} for answer in ("7", "9")]
    source = tmp_path / "twice.jsonl"
    source.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    out = tmp_path / "d"
    flags = ["--teacher", "scripted", "--source", source, "--max-attempts", 12, "--give-up-below", 0]
    run("build", "gsm8k", *flags, "--out", out)
    for row in (*rows(out, "right"), *rows(out, "samples")):
        if row["grade"] == "correct":
            assert row["answer"] == row["reference_answer"]
    assert {row["reference_answer"] for row in rows(out, "samples")} == {"7", "9"}
    run("verify", out)


def test_what_is_in_the_journal_is_never_asked_again_by_another_build(tmp_path: Path, scripted, run):
    shared = tmp_path / "shared.sqlite"
    flags = ["--journal", shared, "--ask-ahead", 2]
    scripted(tmp_path / "wrong", "--limit", 100, "--variant", "wrong", *flags)
    before = stored(shared)
    both = scripted(tmp_path / "both", "--limit", 100, "--variant", "wrong", "--variant", "right", *flags)
    added = stored(shared) - before
    alone = scripted(tmp_path / "alone", "--limit", 100, "--variant", "right")["receipt"]["samples"]
    assert 0 < added < sum(alone.values())
    assert sum(both["receipt"]["samples"].values()) == stored(shared)
    never = ["--engine-option", "latency_ms=1000000"]
    scripted(tmp_path / "again", "--limit", 100, "--variant", "wrong", "--variant", "right", *flags, *never)
    assert stored(shared) == before + added
