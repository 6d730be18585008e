"""What a model wrote instead of a step is accepted if it is the step with one mistake that is proven, and only then."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wrongcot_data.variants.corrupt.teacher.conftest import Step, step_of
from wrongcot_data.variants.corrupt.base import applied
from wrongcot_data.variants.corrupt.teacher.acceptance import ACCEPTED
from wrongcot_data.variants.corrupt.teacher.operator import trimmed


@pytest.mark.parametrize(
    "reply",
    [
        "Tina has 4 * 12 = 46 pens in her boxes.",  # the result
        "Tina has 4 + 12 = 48 pens in her boxes.",  # the operation
        "Tina has 4 * 13 = 48 pens in her boxes.",  # a number that was copied wrongly
        "  Tina has 4*12=46 pens in her boxes.\n",  # white space is no change
        "Tina has 4 * 12 = 46 pens in her boxes",  # nor is a full stop that got lost
        '"Tina has 4 * 12 = 46 pens in her boxes."',
        "```\nTina has 4 * 12 = 46 pens in her boxes.\n```",
        "Tina has 4 * 12 = 46 pens in her boxes.\n\nI changed 48 to 46, which is a mistake.",
    ],
)
def test_one_mistake_is_accepted_whatever_stands_around_it(gsm8k: Step, reply: str):
    found = gsm8k(reply)
    assert (found.grade, found.reason) == ("correct", ACCEPTED)
    assert found.answer.startswith("Tina has 4 ")
    assert found.answer.endswith(" pens in her boxes.")
    assert " = " in found.answer  # the step's own white space


@pytest.mark.parametrize(
    ("reply", "grade", "reason"),
    [
        ("", "no_answer", "no reply"),
        (" \n", "no_answer", "no reply"),
        ("Tina has 4 * 12 = 48 pens in her boxes.", "wrong", "step unchanged"),
        ("Tina has 4*12=48 pens in her boxes", "wrong", "step unchanged"),
        ("Here is the step with a mistake:\nTina has 4 * 12 = 46 pens.", "wrong", "talk about the step"),
        ("Tina has 4 * 12 = 46 (wrong) pens in her boxes.", "wrong", "talk about the step"),
        ("Step: Tina has 4 * 12 = 46 pens in her boxes.", "wrong", "talk about the step"),
        ("Sure! Tina has 4 * 12 = 46 pens in her boxes.", "wrong", "talk about the step"),
        ("She has 4 * 12 = 46 pens in her boxes.", "wrong", "several changes: She"),
        ("Tina has 4 * 13 = 46 pens in her boxes.", "wrong", "several changes: ="),
        ("Tina has 4 * 12 = 46 pencils in her boxes.", "wrong", "several changes: penc"),
        ("Tina has 12 * 4 = 48 pens in her boxes.", "wrong", "not a false step: valid"),
        ("Tina has 4 * 12 = 48.0 pens in her boxes.", "wrong", "not a false step: valid"),
        ("So it is.", "wrong", "several changes: So"),
    ],
)
def test_anything_else_is_refused_by_name(gsm8k: Step, reply: str, grade: str, reason: str):
    found = gsm8k(reply)
    assert (found.grade, found.reason[: len(reason)]) == (grade, reason)


def test_a_step_that_was_cut_off_is_not_finished_but_what_follows_it_may_be(gsm8k: Step):
    assert gsm8k("Tina has 4 * 12 = 4", "length").reason == "not finished"
    assert gsm8k("Tina has 4 * 12 = 46 pens in her boxes.\nShe g", "length").grade == "correct"


def test_a_mistake_that_makes_another_step_wrong_too_is_refused():
    first = step_of("countdown", 1)
    assert first.place.step.text.startswith("Try 10 * 3 = 30")
    assert first("Try 10 * 3 = 31, then 30 - 4 = 26.").grade == "correct"
    alone = step_of("countdown", 0)
    assert alone("10 + 3 = 14 is too small.").grade == "correct"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("if number % 2 == 1:", ACCEPTED),
        ("if number % 2 != 0:", ACCEPTED),
        ("```python\nif number % 2 != 0:\n```", ACCEPTED),
        ("if number % 2 == 0 :", "step unchanged"),
        ("if number % 2 == False:", "not a false step: "),  # the same to Python
        ("if number % 2 == 1:  # a bug", "talk about the step"),
        ("if number % 2 == 1", "not one statement"),
        ("total = 0", "several changes"),
        ("if number % 2 == 0: total += 1", "not one statement"),
        ("if number % (2 == 1:", "not one statement"),
    ],
)
def test_a_changed_statement_is_accepted_if_the_program_fails_with_it_alone(mbpp: Step, reply: str, reason: str):
    assert mbpp(reply).reason.startswith(reason)


def test_a_program_that_runs_for_ever_is_no_proof():
    step = step_of("mbpp", 2)
    assert step("for number in iter(int, 1):").grade == "wrong"


@given(st.text() | st.text("0123456789+-*/=() .\n$\\<>`\"'").map(str))
def test_judging_never_raises_and_what_is_accepted_is_what_is_put_in_its_place(step: Step, reply: str):
    found = step(reply)
    assert (found.grade == "correct") == (found.reason == ACCEPTED)
    if found.grade == "correct":
        text = applied(step.place.text, trimmed(step.place, found.answer))
        assert text[step.place.step.start :].startswith(found.answer)
