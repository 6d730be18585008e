"""Steps: exact offsets, exact checks, and silence where a check could be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.steps import FALSE_EQUATION, equation_steps
from wrongcot_data.steps.equations import find_equations


def verdicts(text):
    return [step.verdict for step in equation_steps(text)]


@given(st.one_of(st.text(), st.text(alphabet="0123456789+-*/=() .,\n"), st.text(alphabet="12=+ .\nx\\frac{}[]")))
def test_steps_are_pieces_in_order_and_nothing_raises(text):
    end = 0
    for step in equation_steps(text):
        assert end <= step.start < step.end <= len(text)
        assert step.text == text[step.start : step.end] == step.text.strip()
        assert (step.kind == FALSE_EQUATION) == (step.verdict == "invalid")
        assert not text[end : step.start].strip()
        end = step.end
    assert not text[end:].strip()


@given(st.text())
def test_equations_are_pieces_of_the_text(text):
    for equation in find_equations(text):
        assert equation.text == text[equation.start : equation.end]


@given(st.integers(1, 999), st.sampled_from("+-*"), st.integers(1, 999), st.integers(-50, 50))
def test_an_equation_is_valid_exactly_if_it_holds(left, operator, right, off):
    value = {"+": left + right, "-": left - right, "*": left * right}[operator]
    expected = "valid" if off == 0 else "invalid"
    assert verdicts(f"Try {left} {operator} {right} = {value + off}, then go on.") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 7",
        "7 = 3 + 4",
        "3 + 4 = 7 = 14 / 2",
        "8 / 3 = 8/3",
        "3 - (8/3) = 1/3",
        "(-7) + 20 = 13",
        "2 * -3 = -6",
        "1. 3 + 4 = 7",
        "1) 3 + 4 = 7",
        "- 3 + 4 = 7",
        "* 3 + 4 = 7",
        "so 3+4=7.",
        r"\[ 9 \times 2 = 18 \]",
        "$3 × 4 = 12$",
        "1,000 + 5 = 1,005",
        "3 x 4 = 12",
        "7 / 2 = 3.5",
        r"\(\frac{1}{2} + 1 = \frac{3}{2}\)",
        "<answer>3 + 4 = 7</answer>",
    ],
)
def test_true_equations_are_found_however_they_are_written(text):
    assert verdicts(text) == ["valid"]


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 8",
        "- 3 + 4 = 2",
        "3 * 4 = 12 = 5 + 6",
        "1,000 + 5 = 105",
        "7 / 2 = 3",
        "1 / 3 = 0.5",
        "2^3 + 1 = 4",
        "5 * 2 = 11%",
    ],
)
def test_false_equations_are_invalid(text):
    assert verdicts(text) == ["invalid"]


@pytest.mark.parametrize(
    "text",
    [
        "x + 3 = 5",
        "2x + 3 = 5",
        "6 = 2 x + 4",
        "n = 3 + 4",
        "3 = 8",
        "3 + 4",
        "half of 20 + 4 = 14",
        "the sum of 3 + 3 = 9",
        "2 + 3 = 4!",
        "sqrt 16 + 3 = 20",
        "1 / 3 = 0.33",
        "2 / 3 = 0.67",
        "x - 3 + 4 = 9",
        "3 + 4 = 5 y",
        "3 + = 7",
        "= 7",
        "3 + 4 =",
        "step 2 - 3 + 4 = 7",
        "5.3 times 2 + 2 = 9",
        "a_1 + 3 = 4",
        "1/0 = 5",
        "- 3 + 4 = 1",
    ],
)
def test_what_may_be_a_piece_of_something_else_is_not_judged(text):
    assert set(verdicts(text)) <= {"unchecked"}


def test_a_line_with_several_equations_is_cut_into_its_sentences():
    text = "Try 3 + 4 = 7. Then 7 * 2 = 15. No good.\n\n  Next line, 1 + 1 = 2. Fine.  \n"
    assert [(step.text, step.verdict) for step in equation_steps(text)] == [
        ("Try 3 + 4 = 7.", "valid"),
        ("Then 7 * 2 = 15.", "invalid"),
        ("No good.", "unchecked"),
        ("Next line, 1 + 1 = 2. Fine.", "valid"),
    ]


@pytest.mark.parametrize(
    "text", ["1" * 300_000, "1=" * 150_000, "(" * 300_000, " x" * 150_000, "1,000" * 60_000, "\\frac{" * 50_000]
)
def test_a_very_long_line_takes_linear_time(text):
    assert len(equation_steps(text)) == 1
