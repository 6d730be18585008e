"""Quantities: read by value, traced back from the answer."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.variants.paraphrase.quantities import (
    answer_quantities,
    missing,
    new,
    not_worked_out,
    quantities,
    values_in,
)

TRACE = "The shop has 7 doors. It sells 48/2 = 24 pens.\nWith 48 more that is 48 + 24 = 72 pens.\n#### 72"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1,000 men", 1000), ("2.50 dollars", Fraction(5, 2)), ("$.5", Fraction(1, 2)), ("35%", 35),
        ("35 percent", Fraction(7, 20)), ("a dozen", 12), ("twice", 2), ("half of it", Fraction(1, 2)), ("2x", 2),
        ("\\frac{3}{8}", 8), ("three", 3),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_written(text: str, value: Fraction):
    assert value in values_in(text)


@pytest.mark.parametrize("text", ["x1", "x_2", "1. So it is.\n2. Then not.", "Step 1: so\nStep 2: not", "alone"])
def test_names_and_the_numbering_of_steps_are_no_quantities(text: str):
    assert quantities(text) == []


def test_a_numbering_that_does_not_count_up_is_of_quantities():
    assert values_in("7. So it is.") == {Fraction(7)}


def test_the_answer_depends_on_what_its_equations_take_and_on_nothing_else():
    assert set().union(*answer_quantities(TRACE, "72")) == {72, 48, 24, 2}
    assert set().union(*answer_quantities(TRACE, "24")) == {48, 2, 24}


def test_where_no_equation_has_the_answer_every_quantity_counts():
    assert set().union(*answer_quantities("There are 5 of 8 left, so 3 are gone.", "3")) == {5, 8, 3}


def test_a_lost_quantity_is_named():
    needed = answer_quantities(TRACE, "72")
    assert missing(needed, TRACE) == ""
    assert missing(needed, "Half of 48 is 24, and both make 72.") == ""
    assert missing(needed, "It is 48, so 72 in all.") in {"24", "2"}


CHORES = "He spends 3*3=9 hours on his other chores.\nSo he spends 3+9=12 hours on chores.\n#### 12"


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        (CHORES, ""),
        ("Three times 3 are 9 hours. With the vacuuming it is 12 in all.\n#### 12", ""),
        ("3 * 3\n= 9, and 3 + 9\n= 12.\n#### 12", ""),
        ("He spends 3*3 = 9 hours on his other chores.\n#### 12", "12"),
        ("He spends 3*3 = 9 hours on his other chores. The answer is 12.", "12"),
        ("He spends 9 hours on them. That makes 12 hours.\n#### 12", "12"),
        ("He spends 9 hours on them. That makes 3 more, so 12 hours.\n#### 12", "9"),
    ],
)
def test_a_result_that_is_only_stated_is_named(text: str, stated: str):
    """The fourth is a real reply of SmolLM2-135M, which the first version of these rules accepted."""
    assert not_worked_out(CHORES, "12", text) == stated


def test_a_number_in_passing_is_not_what_a_result_is_worked_out_of():
    """A real reply of SmolLM2-135M, which the second version of these rules accepted."""
    trace = "Mirasol spent a total of $30 + $10 = $40.\nThus, Mirasol has $50 - $40 = $10 left in her account.\n#### 10"
    reply = (
        "Mirasol had $50 in her account.\nShe spent a total of $30 + $10 = $40 on coffee.\n"
        "She also spent $10 on a tumbler, which was just a tabl.\n#### 10"
    )
    assert not_worked_out(trace, "10", reply) == "10"
    assert not_worked_out(trace, "10", reply.replace("She also spent $10 on a tumbler", "Of $50 that leaves $10")) == ""


def test_a_new_quantity_is_named_unless_a_true_equation_makes_it_of_known_ones():
    assert new("48 + 24 = 72", TRACE) == ""
    assert new("48 * 2 = 96", TRACE) == ""
    assert new("48 * 2 = 97", TRACE) == "97"
    assert new("96 pens", TRACE) == "96"
    assert new("5 * 48 = 240", TRACE) in {"5", "240"}


@given(st.text(max_size=300), st.text(max_size=40))
def test_nothing_raises_and_a_text_lacks_nothing_of_itself(text: str, answer: str):
    assert missing(answer_quantities(text, answer), text) == ""
    assert new(text, text) == ""
    not_worked_out(text, answer, text)
