#!/usr/bin/env python3
"""What the variants keep of what they promise, and how fast they are made, on real data.

    .venv/bin/python scripts/bench_variants.py [SECTION ...] [--data FOLDER] [--limit N] [--json]

Sections, all of them by default:

  corrupt   GSM8K's, MATH's and MBPP's human traces and Countdown's solver traces at all levels: share of the rows that
            reach each level, reasons for the others, broken promises (none is the goal), rows a second on one core
  modes     the same for GSM8K in mode propagate and with the answer replaced
  slips     kinds and sizes of our slips beside those of real false equations that models wrote

The data is the folder `shared/data` beside the checkout; a section whose files are not there says so and is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

try:
    import corruption_checks

    from wrongcot_data.records import Problem
    from wrongcot_data.spec import CorruptSpec
    from wrongcot_data.steps.equations import Equation, false_equations
    from wrongcot_data.tasks import get_task
    from wrongcot_data.tasks.base import Task
    from wrongcot_data.variants.corrupt.chain import Element
    from wrongcot_data.variants.corrupt.levels import LEVELS
    from wrongcot_data.variants.corrupt.rows import chain_of, element_at, rules_of
except ImportError as error:
    sys.exit(f"wrongcot is not installed for this Python ({error}); try: .venv/bin/python scripts/bench_variants.py")

FILES = {"gsm8k": "gsm8k/train.jsonl", "math": "math/train.jsonl", "mbpp": "mbpp/mbpp_not_test.jsonl"}
N_PUZZLES = 2000


class Missing(Exception):
    """A file of the data is not there."""


class Data:
    """The folder of shared data, of which at most `limit` traces a file are taken."""

    def __init__(self, folder: Path, limit: int | None, tasks: Sequence[str]) -> None:
        self.folder = folder
        self.limit = limit
        self.tasks = tasks

    def path(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise Missing(f"{name} is not in {self.folder.name}")
        return path

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path(name).read_text(encoding="utf-8").split("\n") if line]

    def problems(self, name: str) -> list[Problem]:
        task = get_task(name)
        if name == "countdown":
            return list(islice(task.problems(task.options(), "train", 0), self.limit or N_PUZZLES))
        options = task.options(source=str(self.path(FILES[name])))
        return list(islice(task.problems(options, "train", 0), self.limit))


def corrupted(data: Data, name: str, spec: CorruptSpec) -> dict[str, Any]:
    """One task's reference traces at all levels."""
    task = get_task(name)
    problems = data.problems(name)
    references = [(problem, task.reference(problem).trace.strip()) for problem in problems]
    rules = rules_of(task, spec, 0)
    left: dict[int, Counter[str]] = {level: Counter() for level in LEVELS}
    broken: Counter[str] = Counter()
    operators: Counter[str] = Counter()
    achieved = {level: [0, 0] for level in LEVELS}
    rows = 0
    seconds = 0.0
    for problem, text in references:
        start = time.process_time()
        verdict = task.grade(problem, text, "stop")
        if verdict.grade != "correct":
            for level in LEVELS:
                left[level]["reference trace not correct"] += 1
            continue
        base = Element(text, tuple(task.steps(problem, text)), verdict)
        made = chain_of(task, problem, base, rules, max(LEVELS))
        found = {level: element_at(made, level) for level in LEVELS}
        seconds += time.process_time() - start
        for level, element in found.items():
            if not isinstance(element, Element):
                left[level][element] += 1
                continue
            rows += 1
            achieved[level][0] += element.wrong
            achieved[level][1] += element.checkable
        if not isinstance(made, str):
            broken.update(corruption_checks.broken(task, problem, base, made, slip=spec.mode == "slip"))
            operators.update(step.operator for step in made[-1].steps if step.operator)
    n = len(problems)
    return {
        "traces": n,
        "share that reaches the level": {str(level): round(1 - left[level].total() / n, 4) for level in LEVELS},
        "achieved share of wrong steps": {
            str(level): round(wrong / checkable, 4) if checkable else 0.0
            for level, (wrong, checkable) in achieved.items()
        },
        "left out at 100": dict(left[100].most_common()),
        "left out at 50": dict(left[50].most_common()),
        "broken promises": dict(broken),
        "operators in the last elements": dict(operators.most_common(40)),
        "rows": rows,
        "rows/s of CPU of this process": round(rows / seconds) if seconds else 0,
    }


def corrupt(data: Data) -> dict[str, Any]:
    """Every task in mode slip with the answer kept, which is what a spec without more says."""
    return {name: corrupted(data, name, CorruptSpec()) for name in data.tasks}


def modes(data: Data) -> dict[str, Any]:
    """GSM8K with the wrong value followed, and with the answer replaced."""
    return {
        "gsm8k propagate": corrupted(data, "gsm8k", CorruptSpec(mode="propagate")),
        "gsm8k propagate, answer kept": corrupted(data, "gsm8k", CorruptSpec(mode="propagate", answer="keep")),
        "gsm8k slip, answer replaced": corrupted(data, "gsm8k", CorruptSpec(answer="replace")),
    }


def slips(data: Data) -> dict[str, Any]:
    """Real false equations and ours, told apart by one and the same rule."""
    return {
        "gsm8k_model_solutions": corruption_checks.kinds_and_sizes(_model_solutions(data)),
        "processbench": corruption_checks.kinds_and_sizes(
            _false(
                step
                for name in ("gsm8k", "math")
                for row in data.rows(f"processbench/{name}_first_half.jsonl")
                for step in row["steps"]
            )
        ),
        "mr_gsm8k": corruption_checks.kinds_and_sizes(
            _false(
                step
                for row in data.rows("mr_gsm8k/wrong_solutions_first_half.jsonl")
                for step in row["model_output_steps"]
            )
        ),
        "ours: slip": corruption_checks.kinds_and_sizes(_ours(data, ("slip",))),
        "ours: all operators": corruption_checks.kinds_and_sizes(_ours(data, CorruptSpec().operators)),
    }


def _model_solutions(data: Data) -> Iterator[Equation]:
    names = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    rows = data.rows("gsm8k_model_solutions/solutions_test_first_half.jsonl")
    return _false(corruption_checks.unmarked(row[name]["solution"]) for row in rows for name in names)


def _false(texts: Iterable[str]) -> Iterator[Equation]:
    return (equation for text in texts for equation in false_equations(text))


def _ours(data: Data, operators: Sequence[str]) -> Iterator[Equation]:
    task: Task = get_task("gsm8k")
    rules = rules_of(task, CorruptSpec(operators=operators), 0)
    for problem in data.problems("gsm8k")[:1500]:
        text = task.reference(problem).trace.strip()
        base = Element(text, tuple(task.steps(problem, text)), task.grade(problem, text, "stop"))
        made = chain_of(task, problem, base, rules, 100)
        if not isinstance(made, str):
            yield from false_equations(made[-1].text)


SECTIONS: dict[str, Callable[[Data], dict[str, Any]]] = {"corrupt": corrupt, "modes": modes, "slips": slips}


def main() -> None:
    """Run the sections and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--limit", type=int, help="traces a task; all unless given")
    parser.add_argument("--task", action="append", help="of the section corrupt; all four unless given")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    unknown = [name for name in asked.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    data = Data(asked.data, asked.limit, asked.task or ["gsm8k", "math", "countdown", "mbpp"])
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    }
    for name in asked.sections or SECTIONS:
        print(f"== {name} ==", file=sys.stderr, flush=True)
        try:
            results[name] = SECTIONS[name](data)
        except Missing as missing:
            results[name] = {"left out": str(missing)}
    print(json.dumps(results, indent=1) if asked.json else "\n".join(told(results)))


def told(value: Any, depth: int = 0) -> Iterator[str]:
    """Nested results as indented lines."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield f"{'  ' * depth}{name}"
            yield from told(inner, depth + 1)
        else:
            yield f"{'  ' * depth}{name}: {inner}"


if __name__ == "__main__":
    main()
