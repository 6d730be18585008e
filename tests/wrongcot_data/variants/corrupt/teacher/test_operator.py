"""The operator: what differs of a reply, no more; nothing for a step that nobody was asked about."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wrongcot_data.variants.corrupt.teacher.conftest import Step, step_of, with_text
from wrongcot_data.variants.corrupt.base import applied, spoilt
from wrongcot_data.variants.corrupt.propagation import propagated
from wrongcot_data.variants.corrupt.teacher.operator import Told, asking, trimmed

STEP = "Tina has 4 * 12 = 48 pens in her boxes."


@pytest.mark.parametrize(
    ("reply", "old", "new"),
    [
        ("Tina has 4 * 12 = 46 pens in her boxes.", "48", "46"),
        ("Tina has 4*12=46 pens in her boxes.", "48", "46"),
        ("Tina has 4 * 12 = 1,048 pens in her boxes.", "48", "1,048"),
        ("Tina has 4 + 12 = 48 pens in her boxes.", "*", "+"),
        ("Tina has 4 * 12 = -48 pens in her boxes.", " ", " -"),
        ("Tina has 12 = 48 pens in her boxes.", " 4 * ", " "),
        (STEP, "", ""),
    ],
)
def test_the_edit_is_the_smallest_run_that_differs(gsm8k: Step, reply: str, old: str, new: str):
    (change,) = trimmed(gsm8k.place, reply).changes
    assert (gsm8k.place.text[change.start : change.end], change.text) == (old, new)


@given(st.text("0123456789+-*/= .ab\n"), st.text("0123456789+-*/= .ab\n"))
def test_an_edit_makes_of_the_step_what_the_reply_says_but_for_white_space(gsm8k: Step, before: str, reply: str):
    place = with_text(gsm8k, f"So {before}.\n{STEP}").place
    told = spoilt(place, trimmed(place, reply))
    assert told.split() == reply.split() or "".join(told.split()) == "".join(reply.split())


def test_a_changed_result_is_followed_and_what_is_no_number_is_not(gsm8k: Step):
    place = gsm8k.place

    def followed(reply: str) -> str | None:
        edit = propagated(place, trimmed(place, reply), (-1, -1))
        return applied(place.text, edit).splitlines()[1] if edit else None

    assert followed("Tina has 4 * 12 = 46 pens in her boxes.") == "Without 9 she has 46 - 9 = 37 pens."
    assert followed("Tina has 4 * 13 = 48 pens in her boxes.") is None
    for result in ("forty", "-46", "46 46", "4..6", "", "²", "x"):
        assert followed(f"Tina has 4 * 12 = {result} pens in her boxes.") is None


def test_only_a_step_as_it_was_asked_about_has_replies_and_what_is_missed_is_noted():
    step = step_of("gsm8k", 0)
    told = Told(step.place.steps, {STEP: [STEP.replace("48", "46")]})
    operator = asking("somebody", step.place.task, told)
    assert (operator.name, operator.unit) == ("teacher:somebody", "equation")
    assert len(list(operator.propose(step.place, Random(0)))) == 1
    assert told.missed == []
    changed = with_text(step, step.place.text.replace("boxes", "bags"))
    assert list(operator.propose(changed.place, Random(0))) == []
    assert told.missed == []  # it is none of the trace
    other = step_of("gsm8k", 1)
    for _ in range(2):
        assert list(operator.propose(other.place, Random(0))) == []
    assert told.missed == [other.place.step.text]
