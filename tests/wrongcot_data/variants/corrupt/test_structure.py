"""Steps taken out, added or moved: taken only where the checker proves that a number is not there."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest

from tests.wrongcot_data.variants.corrupt.conftest import small_bases
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.countdown.steps import NOT_AVAILABLE
from wrongcot_data.variants.corrupt.base import Place, applied, get_operator
from wrongcot_data.variants.corrupt.chain import chain

TRACE = "Try 3 * 4 = 12, leaving 5 and 12.\nThen 12 + 5 = 17, as wanted.\n<answer>3 * 4 + 5</answer>"


def place(number: int) -> Place:
    task = get_task("countdown")
    problem = task.read_problem({"nums": [3, 4, 5], "target": 17})
    return Place(task, problem, TRACE, tuple(task.steps(problem, TRACE)), number)


@pytest.mark.parametrize(
    ("operator", "number", "text"),
    [
        ("dropped", 0, "Then 12 + 5 = 17, as wanted.\n<answer>3 * 4 + 5</answer>"),
        ("repeated", 1, TRACE.replace("wanted.", "wanted.\nThen 12 + 5 = 17, as wanted.")),
        (
            "reordered",
            0,
            "Then 12 + 5 = 17, as wanted.\nTry 3 * 4 = 12, leaving 5 and 12.\n<answer>3 * 4 + 5</answer>",
        ),
    ],
)
def test_an_edit_is_what_its_name_says(operator: str, number: int, text: str):
    (edit,) = get_operator(operator).propose(place(number), Random(0))
    assert applied(TRACE, edit) == text


def test_a_spliced_step_is_one_of_a_worked_example():
    here = place(0)
    examples = "\n".join(trace for _, trace in here.task.shots(here.problem))
    for edit in get_operator("spliced").propose(here, Random(0)):
        assert edit.changes[0].text.strip() in examples


@pytest.mark.parametrize("operator", ["dropped", "reordered", "spliced"])
def test_exactly_one_step_more_is_proven_to_take_what_is_not_there(operator: str, rules):
    taken = 0
    for base in small_bases("countdown"):
        task, problem, _ = base
        for one, more in pairwise(chain(*base, rules(task, operators=[operator]))):
            taken += 1
            assert more.wrong == one.wrong + 1
            assert {step.text for step in one.steps if step.operator} <= {s.text for s in more.steps if s.operator}
            found = task.steps(problem, more.text)
            assert [(step.verdict, step.kind) for step in found] == [(step.verdict, step.kind) for step in more.steps]
            assert {step.kind for step in more.steps if step.operator} == {NOT_AVAILABLE}
            assert all(bool(step.operator) == (step.verdict == "invalid") for step in more.steps)
    assert taken


def test_what_cannot_be_proven_is_not_taken(rules):
    for name, operator in (
        ("countdown", "repeated"),
        ("gsm8k", "dropped"),
        ("gsm8k", "spliced"),
        ("math", "reordered"),
    ):
        for base in small_bases(name):
            assert len(list(chain(*base, rules(base[0], operators=[operator])))) == 1
