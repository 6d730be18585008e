#!/usr/bin/env python3
"""Countdown on one core: puzzles generated and completions graded a second, beside reasoning-gym in the same run.

    .venv/bin/python scripts/bench_countdown.py [--seconds 3] [--rounds 3] [--json]

reasoning-gym is installed once into a virtual environment of its own under `.bench/` in the checkout. Both sides make
puzzles of the same sizes, numbers (1 to 99) and targets (10 to 100), and grade the same completions; each rate is the
median of the rounds, which alternate between the two. What differs: reasoning-gym builds its prompt with each puzzle,
makes chains only, does not remove duplicates, and grades an answer that was cut out of the completion beforehand.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

try:
    from wrongcot_data.tasks.countdown import TASK
    from wrongcot_data.tasks.countdown.generator import CountdownOptions, generate
except ImportError:
    sys.exit("wrongcot is not installed for this Python; try: .venv/bin/python scripts/bench_countdown.py")

SIZES = (3, 4, 6)
N_COMPLETIONS = 2_000
CACHE = Path(__file__).resolve().parent.parent / ".bench"

RIVAL = """
import json, sys, time
from itertools import count, cycle
from reasoning_gym.games.countdown import CountdownConfig, CountdownDataset

def rate(steps, seconds):
    done, start = 0, time.perf_counter()
    for _ in steps:
        done += 1
        if time.perf_counter() - start > seconds:
            return done / (time.perf_counter() - start)

def dataset(size, seed):
    return CountdownDataset(CountdownConfig(
        min_numbers=size, max_numbers=size, min_value=1, max_value=99, min_target=10, max_target=100,
        seed=seed, size=10**9))

def puzzles(size, seed):
    made = dataset(size, seed)
    for index in count():
        try:
            yield made[index]
        except ValueError:  # it gives up after 100 attempts; the time counts, the puzzle does not
            pass

def grades(rows):
    scorer = dataset(4, 0)
    for row in cycle(rows):
        yield scorer.score_answer(row["answer"], {"metadata": {"numbers": row["nums"], "target": row["target"]}})

job = json.load(sys.stdin)
steps = grades(job["rows"]) if job["what"] == "grades" else puzzles(job["size"], job["seed"])
print(rate(steps, job["seconds"]))
"""


def main() -> None:
    """Measure, print a table or one JSON object, and exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each rate; the median counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    rival = rival_python()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the child processes inherit it
    result: dict[str, Any] = {"machine": machine(), "rates": measure(rival, args.seconds, args.rounds)}
    print(json.dumps(result) if args.json else table(result))
    rates = {row["what"]: row["ours"] for row in result["rates"]}
    sys.exit(0 if rates["puzzles of 4 numbers"] >= 10_000 and rates["completions graded"] >= 30_000 else 1)


def measure(rival: Path, seconds: float, rounds: int) -> list[dict[str, Any]]:
    """All rates, ours and theirs, a second."""
    rows = completions()
    jobs: list[tuple[str, Callable[[int], Iterator[Any]], dict[str, Any] | None]] = [
        (f"puzzles of {size} numbers", puzzles(size), {"what": "puzzles", "size": size}) for size in SIZES
    ]
    jobs.append(("problems of 4 numbers, with difficulty", problems(4), None))
    jobs.append(("completions graded", lambda _: grades(rows), {"what": "grades", "rows": rows}))
    measured = []
    for what, steps, job in jobs:
        ours, theirs = [], []
        for seed in range(rounds):
            ours.append(rate(steps(seed), seconds))
            if job is not None:
                theirs.append(rival_rate(rival, {**job, "seed": seed * 1_000_000, "seconds": seconds}))
        row: dict[str, Any] = {"what": what, "ours": round(median(ours)), "reasoning_gym": None, "ratio": None}
        if theirs:
            row |= {"reasoning_gym": round(median(theirs)), "ratio": round(median(ours) / median(theirs), 1)}
        measured.append(row)
    return measured


def rate(steps: Iterator[Any], seconds: float) -> float:
    """Steps a second, over at least this many seconds."""
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += sum(1 for _ in islice(steps, 100))
    return done / (time.perf_counter() - start)


def puzzles(size: int) -> Callable[[int], Iterator[Any]]:
    """New puzzles of the training split, as a build draws them."""
    return lambda seed: generate(CountdownOptions(sizes=(size,)), "train", seed)


def problems(size: int) -> Callable[[int], Iterator[Any]]:
    """What a build gets of a puzzle: id, display order, and the difficulty columns by the exhaustive solver."""
    return lambda seed: TASK.problems(CountdownOptions(sizes=(size,)), "train", seed)


def completions() -> list[dict[str, Any]]:
    """Whole traces of three and four numbers as a teacher writes them: half of them right, half wrong."""
    rng = Random(0)
    rows = []
    for problem in islice(TASK.problems(CountdownOptions(), "train", 0), N_COMPLETIONS):
        text = TASK.imitate(problem, rng.choice(("right", "wrong")), rng)
        answer = TASK.grade(problem, text, "stop").answer
        rows.append({"nums": problem.data["nums"], "target": problem.data["target"], "text": text, "answer": answer})
    return rows


def grades(rows: list[dict[str, Any]]) -> Iterator[Any]:
    """Verdicts on the completions, round and round."""
    read = [(TASK.read_problem(row), row["text"]) for row in rows]
    return (TASK.grade(problem, text, "stop") for problem, text in cycle(read))


def rival_python() -> Path:
    """The Python of a virtual environment that has reasoning-gym; made the first time."""
    home = CACHE / "reasoning-gym"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = home / "ready"
    if not ready.exists():
        print(f"installing reasoning-gym into {home} (once)", file=sys.stderr)
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", "reasoning-gym"], check=True, stdout=sys.stderr)
        ready.touch()
    return python


def rival_rate(python: Path, job: dict[str, Any]) -> float:
    """The same job done by reasoning-gym in a process of its own; start-up and import do not count."""
    done = subprocess.run([python, "-c", RIVAL], input=json.dumps(job), text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"reasoning-gym failed:\n{done.stderr}")
    return float(done.stdout)


def machine() -> dict[str, Any]:
    """What the numbers were measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cpu = models[0] if models else platform.processor() or platform.machine()
    return {"cpu": cpu, "cores": os.cpu_count(), "used": 1, "python": platform.python_version()}


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    where = result["machine"]
    lines = [f"{where['cpu']}, 1 of {where['cores']} cores, Python {where['python']}; a second:", ""]
    lines.append(f"{'':40}{'wrongcot':>12}{'reasoning-gym':>16}{'ratio':>10}")
    for row in result["rates"]:
        theirs = "-" if row["reasoning_gym"] is None else f"{row['reasoning_gym']:,}"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:,}"
        lines.append(f"{row['what']:40}{row['ours']:>12,}{theirs:>16}{ratio:>10}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
