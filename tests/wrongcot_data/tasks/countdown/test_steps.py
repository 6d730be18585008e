"""Steps of Countdown traces: false equations, and numbers that are not there."""

from itertools import islice

import pytest

from wrongcot_data.tasks.countdown import TASK
from wrongcot_data.tasks.countdown.generator import CountdownOptions
from wrongcot_data.tasks.countdown.steps import NOT_AVAILABLE, unavailable_numbers

PUZZLE = TASK.read_problem({"nums": [3, 4, 5, 8], "target": 24})


def kinds(trace, problem=PUZZLE):
    return [step.kind for step in TASK.steps(problem, trace) if step.verdict == "invalid"]


@pytest.mark.parametrize(
    "trace",
    [
        "3 + 4 = 7, then 7 + 5 = 12. Or 3 * 8 = 24.",
        "Try 8 - 5 = 3, leaving 3, 4 and 3. Then 3 + 3 = 6.",
        "8 / 3 = 8/3, then 5 - (8/3) = 7/3.",
        "8 / 3 = 2.67 and 2.67 * 3 = 8.",
        "24 - 8 = 16, so I want 16 of 3, 4 and 5. Is 16 - 5 = 11 there?",
        "3 - 8 = -5, then (-5) + 4 = -1.",
        "Subtracting 3 from 8 leaves 5, so 5 * 5 = 25.",
        "(8 - 4) * (5 + 3) = 4 * 8 = 32",
        "I need 6 * 4 = 24.",
        "3 + 4 = 7 and 7 * 5 = 35, or 3 * 4 = 12 and 12 + 5 = 17.",
    ],
)
def test_numbers_that_are_given_or_made_are_there(trace):
    assert kinds(trace) == []


@pytest.mark.parametrize(
    ("trace", "number"),
    [("6 * 4 = 24", 6), ("3 * 3 = 9", 3), ("8 + 8 + 8 = 24", 8), ("3 + 4 = 7 (left: 2 5 7 8). Then 2 * 7 = 14.", 2)],
)
def test_a_number_that_is_not_there_is_named(trace, number):
    assert kinds(trace) == [NOT_AVAILABLE]
    assert [found for _, found in unavailable_numbers(PUZZLE, trace)] == [number]


def test_a_false_equation_comes_before_a_missing_number():
    assert kinds("6 * 4 = 25") == ["false equation"]


def test_no_reference_trace_has_an_invalid_step():
    for seed in range(4):
        for problem in islice(TASK.problems(CountdownOptions(), "train", seed), 100):
            trace = TASK.reference(problem).trace
            assert kinds(trace, problem) == [], trace
            assert all(step.verdict == "valid" for step in TASK.steps(problem, trace) if " = " in step.text), trace
