#!/usr/bin/env python3
"""How far the graders, the step checker and the sandbox can be trusted, and how fast they are, on real data.

    .venv/bin/python scripts/bench_grading.py [SECTION ...] [--data FOLDER] [--json]

Sections: references, labelled, steps, wrong, assertions, speed, fuzz; all of them by default. The data is the folder
`shared/data` beside the checkout; a section whose files are not there says so and is left out. Rates are of this
machine, on all its cores; what is compared is measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

try:
    from wrongcot_data.parallel import in_order
    from wrongcot_data.records import FinishReason, Problem
    from wrongcot_data.tasks import get_task
    from wrongcot_data.tasks.base import Task
except ImportError:
    sys.exit("wrongcot is not installed for this Python; try: .venv/bin/python scripts/bench_grading.py")

ROOT = Path(__file__).resolve().parent.parent
SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
N_FUZZED = 100_000
SHOWN = 12


class Missing(Exception):
    """A file of the data is not there."""


class Data:
    """The folder of shared data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str) -> Path:
        path = self.folder / name
        if not path.is_file():
            raise Missing(f"{name} is not in {self.folder.name}")
        return path

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path(name).read_text(encoding="utf-8").split("\n") if line]


def grades_of(task: Task, items: Sequence[tuple[Problem, str, FinishReason]]) -> list[Any]:
    """The verdict of each item, in order, on all cores."""
    return list(in_order(lambda item: task.grade(*item), items))


def references(data: Data) -> dict[str, Any]:
    """Human solutions graded against their own reference answers; whatever is not `correct` is listed."""
    files = {
        "gsm8k train": ("gsm8k", "gsm8k/train.jsonl", ["train"], {}),
        "gsm8k test": ("gsm8k", "gsm8k/test_first_half.jsonl", ["test"], {}),
        "math train": ("math", "math/train.jsonl", ["train"], {}),
        "math test": ("math", "math/test_first_half.jsonl", ["test"], {}),
        "mbpp not test": ("mbpp", "mbpp/mbpp_not_test.jsonl", ["train", "validation", "prompt"], {}),
        "mbpp test": ("mbpp", "mbpp/mbpp_test_first_half.jsonl", ["test"], {}),
        "mbpp sanitized not test": ("mbpp", "mbpp/sanitized_not_test.jsonl", ["train", "validation", "prompt"], {}),
        "mbpp sanitized test": ("mbpp", "mbpp/sanitized_test_first_half.jsonl", ["test"], {}),
    }
    found: dict[str, Any] = {}
    for name, (task_name, file, splits, options) in files.items():
        task, path = get_task(task_name), data.path(file)
        asked = task.options(source=str(path), **options)
        problems = [problem for split in splits for problem in task.problems(asked, split, 0)]
        verdicts = grades_of(task, [(problem, task.reference(problem).trace, "stop") for problem in problems])
        found[name] = {
            "rows": len(data.rows(file)),
            "problems": len(problems),
            "correct": sum(verdict.grade == "correct" for verdict in verdicts),
            "others": [
                f"{problem.id}: {verdict.grade}, {verdict.reason}; reads {verdict.answer[:60]!r},"
                f" right is {task.reference(problem).answer[:60]!r}"
                for problem, verdict in zip(problems, verdicts, strict=True)
                if verdict.grade != "correct"
            ],
        }
    return found


def labelled(data: Data) -> dict[str, Any]:
    """Real model answers with labels: how often `correct` is what the label says, every disagreement listed."""
    gsm8k, maths, countdown = get_task("gsm8k"), get_task("math"), get_task("countdown")
    answers = [row["answer"].rpartition("####")[2].strip() for row in data.rows("gsm8k/test_first_half.jsonl")]
    questions = [row["question"] for row in data.rows("gsm8k/test_first_half.jsonl")]
    solved = data.rows("gsm8k_model_solutions/solutions_test_first_half.jsonl")
    llada = data.rows("llada_traces/llada_gsm8k_test_first_half.jsonl")
    sets: dict[str, tuple[Task, list[tuple[dict[str, Any], str, FinishReason, bool]]]] = {
        "gsm8k_model_solutions": (
            gsm8k,
            [
                (
                    {"question": row["question"], "reference_answer": row["ground_truth"].rpartition("A:")[2].strip()},
                    row[solver]["solution"],
                    "stop",
                    row[solver]["is_correct"],
                )
                for row in solved
                for solver in SOLVERS
            ],
        ),
        "llada gsm8k": (
            gsm8k,
            [
                (
                    {
                        "question": questions[row["gsm8k_test_row"]],
                        "reference_answer": answers[row["gsm8k_test_row"]],
                    },
                    row["trace"],
                    "stop",
                    row["verified_correct"],
                )
                for row in llada
            ],
        ),
        "llada math500": (
            maths,
            [
                (
                    {"question": row["math_id"], "reference_answer": row["gold_answer"]},
                    row["trace"],
                    "stop",
                    row["answer_string_match"],
                )
                for row in data.rows("llada_traces/llada_math500_first_half.jsonl")
            ],
        ),
        "llada countdown": (
            countdown,
            [
                ({"nums": row["nums"], "target": row["target"]}, row["trace"], "stop", row["verified_correct"])
                for row in data.rows("llada_traces/llada_countdown_first_half.jsonl")
            ],
        ),
        "game24": (
            countdown,
            [
                ({"nums": row["nums"], "target": row["target"]}, tagged(row["trace"]), "stop", row["verified_correct"])
                for row in data.rows("game24/gpt4_cot_900_949.jsonl")
            ],
        ),
    }
    return {name: agreement(task, rows) for name, (task, rows) in sets.items()}


def tagged(trace: str) -> str:
    """A Game-of-24 trace with its last `Answer:` in the tag that our Countdown asks for."""
    before, mark, answer = trace.rpartition("Answer:")
    return f"{before}<answer>{answer.strip()}</answer>" if mark else trace


def agreement(task: Task, rows: Sequence[tuple[dict[str, Any], str, FinishReason, bool]]) -> dict[str, Any]:
    """How many verdicts say what the labels say."""
    verdicts = grades_of(task, [(task.read_problem(row), text, finish) for row, text, finish, _ in rows])
    differing = [
        f"{number}: label {'right' if label else 'wrong'}, we say {verdict.grade}, {verdict.reason};"
        f" reads {verdict.answer[:60]!r}, right is {str(row.get('reference_answer', row.get('target')))[:60]!r}"
        for number, ((row, _, _, label), verdict) in enumerate(zip(rows, verdicts, strict=True))
        if (verdict.grade == "correct") != label
    ]
    grades = Counter(verdict.grade for verdict in verdicts)
    share = 1 - len(differing) / len(rows)
    return {"rows": len(rows), "agreement": share, "grades": dict(grades), "differing": differing}


def speed(data: Data) -> dict[str, Any]:
    """Verdicts a second on all cores, plain math-verify in the same run, and the memory of the workers."""
    from math_verify import parse, verify

    found: dict[str, Any] = {"cores": len(os.sched_getaffinity(0))}
    for name, file, split in (
        ("gsm8k", "gsm8k/train.jsonl", "train"),
        ("math", "math/test_first_half.jsonl", "test"),
        ("mbpp", "mbpp/mbpp_not_test.jsonl", "train"),
    ):
        task = get_task(name)
        problems = list(task.problems(task.options(source=str(data.path(file))), split, 0))
        items: list[tuple[Problem, str, FinishReason]] = [
            (problem, task.imitate(problem, kind, Random(number)), "stop")
            for number, problem in enumerate(problems)
            for kind in ("right", "wrong")
        ]
        task.grade(*items[0])  # workers started
        found[name] = rate(lambda task=task, items=items: len(grades_of(task, items)))  # type: ignore[misc]
        found[f"{name} workers"] = memory_of_children()
        if name == "math":
            pairs = [
                (f"${problem.data['reference_answer']}$", text.rpartition("answer is ")[2].rstrip("."))
                for problem, text, _ in items
            ]
            found["math-verify alone, one core"] = rate(
                lambda pairs=pairs: sum(  # type: ignore[misc]
                    verify(parse(gold, parsing_timeout=None), parse(said, parsing_timeout=None), timeout_seconds=None)
                    is not None
                    for gold, said in pairs
                )
            )
    return found


def rate(work: Callable[[], int], rounds: int = 3) -> dict[str, float]:
    """Items a second: the median of the rounds."""
    rates = []
    for _ in range(rounds):
        start = time.perf_counter()
        done = work()
        rates.append(done / (time.perf_counter() - start))
    return {"per_second": sorted(rates)[len(rates) // 2], "items": done}


def memory_of_children() -> dict[str, float]:
    """Processes that descend from this one, and the memory they have to themselves or share fairly, in MB."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    total = 0
    for pid in family - {os.getpid()}:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return {"processes": len(family) - 1, "megabytes": round(total / 1024, 1)}


def fuzz(_data: Data) -> dict[str, Any]:
    """Hostile completions through every grader: each gets a grade and a reason, none takes longer than its limit."""
    rows = {
        "countdown": {"nums": [1, 2, 3], "target": 7},
        "gsm8k": {"question": "How many?", "reference_answer": "5"},
        "math": {"question": "What?", "reference_answer": r"\frac{1}{2}"},
        "mbpp": {"question": "Write a function f.", "test_list": ["assert f(1) == 2"]},
    }
    found: dict[str, Any] = {}
    for name, row in rows.items():
        task = get_task(name)
        problem = task.read_problem(row)
        slowest, grades = 0.0, Counter[str]()

        def one(text: str, task: Task = task, problem: Problem = problem) -> tuple[str, float]:
            start = time.perf_counter()
            verdict = task.grade(problem, text, "stop")
            task.steps(problem, text)
            if not verdict.reason:
                raise AssertionError(f"{task.name}: no reason for {text[:80]!r}")
            return verdict.grade, time.perf_counter() - start

        start = time.perf_counter()
        for grade, seconds in in_order(one, fuzzed(N_FUZZED)):
            grades[grade] += 1
            slowest = max(slowest, seconds)
        found[name] = {
            "completions": sum(grades.values()),
            "grades": dict(grades),
            "seconds": round(time.perf_counter() - start, 1),
            "slowest_s": round(slowest, 2),
        }
    found["peak memory of this process, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return found


def fuzzed(count: int) -> Iterator[str]:
    """Completions that are meant to hurt, the same ones each time."""
    yield "x" * 10_000_000
    yield "\\boxed{" * 10_000 + "1" * 1_000_000
    yield "1+" * 500_000
    rng = Random(0)
    pieces = (
        *("\\boxed{", "}", "{", "$", "\\frac", "\\sqrt", "\\left(", "\\right)", "^", "_", "9^9^9^9", "#### ", "<<"),
        *(
            ">>",
            "The final answer is $",
            "<answer>",
            "</answer>",
            "```python\n",
            "```",
            "def f(x):\n    return x + 1\n",
        ),
        *("\n", "\0", "\ud800", "\udfff", "\N{ARABIC LETTER ALEF}", "=", "+", "-", "*", "/", "1/0", "1e999", "0x1F"),
        *(
            "\\text{",
            "5",
            "7",
            "1 * 2 * 3 + 1",
            "½",
            "\\infty",
            "(",
            ")",
            "[",
            "]",
            ",",
            ".",
            "%",
            "\\$",
            "nan",
            "x",
            "y",
        ),
        *("import os\n", "f = lambda x: 2\n", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\pm", "\\cup"),
    )
    frames = ("\\boxed{%s}", "The final answer is $%s$.", "<answer>%s</answer>", "```python\n%s\n```")
    for number in range(count - 3):
        kind = number % 4
        if kind == 0:
            yield bytes(rng.randrange(256) for _ in range(rng.randrange(80))).decode("utf-8", "surrogateescape")
        elif kind == 1:
            yield rng.choice(pieces) * rng.choice((1, 2, 30, 1000))
        elif kind == 2:
            yield "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 12)))
        else:
            inside = "".join(rng.choice(pieces) for _ in range(rng.randrange(1, 6)))
            yield rng.choice(frames) % inside


SECTIONS: dict[str, Callable[[Data], dict[str, Any]]] = {
    "references": references,
    "labelled": labelled,
    "speed": speed,
    "fuzz": fuzz,
}


def main() -> None:
    """Run the sections and print what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    unknown = [name for name in asked.sections if name not in SECTIONS]
    if unknown:
        parser.error(f"no section {unknown[0]!r}; there are {', '.join(SECTIONS)}")
    results: dict[str, Any] = {
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores, Python {platform.python_version()}"
    }
    for name in asked.sections or SECTIONS:
        print(f"== {name} ==", file=sys.stderr, flush=True)
        try:
            results[name] = SECTIONS[name](Data(asked.data))
        except Missing as missing:
            results[name] = {"left out": str(missing)}
    print(json.dumps(results, indent=1) if asked.json else "\n".join(told(results)))


def told(value: Any, depth: int = 0) -> Iterator[str]:
    """Nested results as indented lines; long lists are cut short (`--json` has all of them)."""
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield f"{'  ' * depth}{name}"
            yield from told(inner, depth + 1)
        elif isinstance(inner, list):
            yield f"{'  ' * depth}{name}: {len(inner)}"
            yield from (f"{'  ' * (depth + 1)}- {item}" for item in inner[:SHOWN])
            if len(inner) > SHOWN:
                yield f"{'  ' * (depth + 1)}... and {len(inner) - SHOWN} more"
        else:
            shown = f"{inner:,.4g}" if isinstance(inner, float) else inner
            yield f"{'  ' * depth}{name}: {shown}"


if __name__ == "__main__":
    main()
