"""Problems with traces, one a task, written here so that no data set is needed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.paraphrase.acceptance import Base, Judgement, judge

QUESTION = "Tina buys 4 boxes with 12 pens each and gives 9 pens to her brother. How many pens does she keep?"
TRACE = "Tina has 4 * 12 = 48 pens in her boxes.\nAfter giving 9 away she has 48 - 9 = 39 pens.\n#### 39"
PARAPHRASE = (
    "Four boxes of 12 hold 4 * 12 = 48 pens altogether.\n"
    "Her brother gets 9 of these, which leaves Tina with 48 - 9 = 39.\n#### 39"
)
WRONG_TRACE = "Tina has 4 * 12 = 46 pens in her boxes.\nAfter giving 9 away she has 46 - 9 = 37 pens.\n#### 37"
PROGRAM = (
    "def count_even(numbers):\n    total = 0\n    for number in numbers:\n"
    "        if number % 2 == 0:\n            total += 1\n    return total"
)
OTHER_PROGRAM = (
    "def count_even(values):\n    # an even value leaves nothing over\n"
    "    return sum(1 for one in values if one % 2 == 0)"
)
TESTS = ["assert count_even([1, 2, 4]) == 2", "assert count_even([]) == 0"]


@dataclass(frozen=True)
class Rewriter:
    """A problem and a trace of it; calling it judges a rewriting."""

    task: Task
    problem: Problem
    base: Base

    def __call__(self, text: str, finish_reason: str = "stop") -> Judgement:
        return judge(self.task, self.problem, self.base, text, finish_reason)  # type: ignore[arg-type]


def rewriter(task_name: str, row: dict[str, object], trace: str) -> Rewriter:
    task = get_task(task_name)
    problem = task.read_problem(row)
    return Rewriter(task, problem, Base(trace, task.grade(problem, trace, "stop")))


@pytest.fixture(scope="session")
def gsm8k() -> Rewriter:
    return rewriter("gsm8k", {"question": QUESTION, "reference_answer": "39"}, TRACE)


@pytest.fixture(scope="session")
def wrong_gsm8k() -> Rewriter:
    return rewriter("gsm8k", {"question": QUESTION, "reference_answer": "39"}, WRONG_TRACE)


@pytest.fixture(scope="session")
def countdown() -> Rewriter:
    trace = "10 + 3 = 13 is too small. Try 10 * 3 = 30, then 30 - 4 = 26.\n<answer>10 * 3 - 4</answer>"
    return rewriter("countdown", {"nums": [10, 3, 4], "target": 26}, trace)


@pytest.fixture(scope="session")
def wrong_countdown() -> Rewriter:
    trace = "10 + 3 = 13 is too small. Then 13 + 4 = 17, which is as near as I get.\n<answer>10 + 3 + 4</answer>"
    return rewriter("countdown", {"nums": [10, 3, 4], "target": 26}, trace)


@pytest.fixture(scope="session")
def mbpp() -> Rewriter:
    row = {"question": "Write a function to count the even numbers of a list.", "test_list": TESTS}
    return rewriter("mbpp", row, PROGRAM)
