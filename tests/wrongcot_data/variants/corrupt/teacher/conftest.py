"""A step of a trace of every task, and what a model makes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import pytest

from wrongcot_data.records import FinishReason, Verdict
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.variants.corrupt.base import Place
from wrongcot_data.variants.corrupt.teacher.acceptance import acceptance
from wrongcot_data.variants.corrupt.teacher.imitation import imitate

ROWS: dict[str, dict[str, object]] = {
    "countdown": {"nums": [10, 3, 4], "target": 26},
    "gsm8k": {
        "question": "Tina buys 4 boxes with 12 pens each. How many without 9?",
        "reference_answer": "39",
    },
    "math": {"question": "Find $3 + 4 \\cdot 9$.", "reference_answer": "39"},
    "mbpp": {
        "question": "Write a function to count the even numbers of a list.",
        "test_list": ["assert count_even([1, 2, 4]) == 2", "assert count_even([]) == 0"],
    },
}
TRACES = {
    "countdown": "10 + 3 = 13 is too small. Try 10 * 3 = 30, then 30 - 4 = 26.\n<answer>10 * 3 - 4</answer>",
    "gsm8k": "Tina has 4 * 12 = 48 pens in her boxes.\nWithout 9 she has 48 - 9 = 39 pens.\n#### 39",
    "math": "The product is $4 \\cdot 9 = 36$.\nSo $3 + 36 = 39$ is the sum, which is\n$$\\boxed{39}.$$",
    "mbpp": (
        "def count_even(numbers):\n    total = 0\n    for number in numbers:\n"
        "        if number % 2 == 0:\n            total += 1\n    return total"
    ),
}


@dataclass(frozen=True)
class Step:
    """A step; calling it judges a reply about it."""

    place: Place

    def __call__(self, reply: str, finish_reason: FinishReason = "stop") -> Verdict:
        return acceptance(self.place, reply, finish_reason)

    def imitated(self, kind: Imitation, seed: int) -> str:
        return imitate(self.place, kind, Random(seed))


def step_of(task_name: str, number: int) -> Step:
    task, text = get_task(task_name), TRACES[task_name]
    problem = task.read_problem(ROWS[task_name])
    return Step(Place(task, problem, text, tuple(task.steps(problem, text)), number))


@pytest.fixture(scope="session")
def gsm8k() -> Step:
    return step_of("gsm8k", 0)


@pytest.fixture(scope="session")
def mbpp() -> Step:
    return step_of("mbpp", 3)


@pytest.fixture(scope="session", params=TRACES)
def step(request: pytest.FixtureRequest) -> Step:
    """The first step of each task that can be asked about."""
    return step_of(request.param, 1 if request.param == "mbpp" else 0)


def with_text(step: Step, text: str) -> Step:
    """The same step in another trace."""
    task, problem = step.place.task, step.place.problem
    return Step(replace(step.place, text=text, steps=tuple(task.steps(problem, text))))
