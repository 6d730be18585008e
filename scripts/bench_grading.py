#!/usr/bin/env python3
"""How far the graders, the step checker and the sandbox can be trusted, and how fast they are, on real data.

    .venv/bin/python scripts/bench_grading.py [SECTION ...] [--data FOLDER] [--json]

Sections, all of them by default (about 15 minutes on two cores, half of it `fuzz`):

  references   human solutions graded against their own reference answers
  labelled     verdicts on real model answers against labels
  steps        the step checker against people's labels of wrong steps
  programs     shapes of MBPP's assertions, spoilt programs against plain Python, reward hacks
  speed        verdicts a second, beside plain math-verify; memory of the workers
  fuzz         100,000 hostile completions through every grader

The data is the folder `shared/data` beside the checkout; a section whose files are not there says so and is left out.
Rates are of this machine, on all its cores; what is compared is measured in the same run.
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
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

try:
    import program_checks
    import step_checks
    from hostile_text import hostile_texts

    from wrongcot_data.parallel import in_order
    from wrongcot_data.records import FinishReason, Problem
    from wrongcot_data.tasks import get_task
    from wrongcot_data.tasks.base import Task
except ImportError:
    sys.exit("wrongcot is not installed for this Python; try: .venv/bin/python scripts/bench_grading.py")

SOLVERS = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
N_FUZZED = 100_000
N_LATEX = 300
SHOWN = 60


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


def n_graded(task: Task, items: Sequence[tuple[Problem, str, FinishReason]]) -> int:
    """How many items were graded, all of them: what is timed."""
    return len(grades_of(task, items))


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


def steps(data: Data) -> dict[str, Any]:
    """Whether what the step checker calls false is an error by people's labels, and false alarms on human solutions."""
    sets = {
        "processbench": (step_checks.processbench, ["processbench/gsm8k_first_half", "processbench/math_first_half"]),
        "mr_gsm8k": (step_checks.mr_gsm8k, ["mr_gsm8k/wrong_solutions_first_half"]),
        "prm800k_phase1": (
            step_checks.prm800k,
            ["prm800k_phase1/phase1_test_first_half", "prm800k_phase1/phase1_train_plus_part"],
        ),
        "bigbench_mistake": (
            step_checks.bigbench_mistake,
            [
                f"bigbench_mistake/{name}_first_half"
                for name in ("multistep_arithmetic", "tracking_shuffled_objects", "logical_deduction")
            ],
        ),
        "champ": (step_checks.champ, ["champ/first_wrong_step_first_half"]),
        "gsm8k human train": (step_checks.gsm8k, ["gsm8k/train"]),
        "gsm8k human test": (step_checks.gsm8k, ["gsm8k/test_first_half"]),
        "math human train": (step_checks.math, ["math/train"]),
        "math human test": (step_checks.math, ["math/test_first_half"]),
        "gsm8k_model_solutions": (
            step_checks.gsm8k_model_solutions,
            ["gsm8k_model_solutions/solutions_test_first_half"],
        ),
    }
    found: dict[str, Any] = {
        name: check([row for file in files for row in data.rows(f"{file}.jsonl")])
        for name, (check, files) in sets.items()
    }
    labelled = [found[name] for name in ("processbench", "mr_gsm8k", "prm800k_phase1", "bigbench_mistake")]
    total = {key: sum(one[key] for one in labelled) for key in ("traces", "wrong", "flagged", "right_flagged")}
    found["the first four together"] = total | {
        "precision": total["right_flagged"] / total["flagged"],
        "recall": total["right_flagged"] / total["wrong"],
    }
    return found


def programs(data: Data) -> dict[str, Any]:
    """MBPP's assertions by their shape, spoilt programs against plain Python, reward hacks."""
    files = {
        "full": ["mbpp/mbpp_not_test.jsonl", "mbpp/mbpp_test_first_half.jsonl"],
        "sanitized": ["mbpp/sanitized_not_test.jsonl", "mbpp/sanitized_test_first_half.jsonl"],
    }
    found: dict[str, Any] = {
        f"assertions, {edition}": program_checks.shapes([row for name in names for row in data.rows(name)])
        for edition, names in files.items()
    }
    task = get_task("mbpp")
    problems = list(task.problems(task.options(source=str(data.path("mbpp/mbpp_not_test.jsonl"))), "train", 0))
    return found | {"spoilt programs": program_checks.mutants(problems), "reward hacks": program_checks.hacks()}


def speed(data: Data) -> dict[str, Any]:
    """Verdicts a second on all cores, plain math-verify in the same run, and the memory of the workers.

    Of each problem a right answer and a wrong one; of MATH also only those that must go to both graders.
    """
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
        found[name] = rate(partial(n_graded, task, items))
        found[f"{name} workers"] = memory_of_children()
    return found | {"math, LaTeX on both sides": latex_speed(data), "trivial jobs": program_checks.jobs_a_second(rate)}


def latex_speed(data: Data) -> dict[str, Any]:
    """Pairs that no plain number decides, by both graders in their workers and by plain math-verify in this process.

    A wrong answer is that of the next problem.
    """
    from math_verify import parse, verify

    task = get_task("math")
    problems = list(task.problems(task.options(source=str(data.path("math/test_first_half.jsonl"))), "test", 0))
    hard = [problem for problem in problems if "\\" in problem.data["reference_answer"]][:N_LATEX]
    pairs = [(one, other.data["reference_answer"]) for one, other in zip(hard, hard[1:] + hard[:1], strict=True)]
    items: list[tuple[Problem, str, FinishReason]] = [
        (one, f"The final answer is ${said}$.", "stop") for one, said in pairs
    ]

    def theirs() -> int:
        for one, said in pairs:
            gold, answer = (parse(f"${text}$", parsing_timeout=None) for text in (one.data["reference_answer"], said))
            verify(gold, answer, timeout_seconds=None)
        return len(pairs)

    ours, plain = rate(partial(n_graded, task, items)), rate(theirs)
    return {"ours": ours, "math-verify alone, one core": plain, "ratio": ours["per_second"] / plain["per_second"]}


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
        for grade, seconds in in_order(one, hostile_texts(N_FUZZED)):
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


SECTIONS: dict[str, Callable[[Data], dict[str, Any]]] = {
    "references": references,
    "labelled": labelled,
    "steps": steps,
    "programs": programs,
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
