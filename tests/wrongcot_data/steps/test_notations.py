"""Equations in the notations of real traces: true ones are never called false, plain false ones always are."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.steps import equation_steps
from wrongcot_data.steps.equations import false_equations, find_equations

WHOLE = st.integers(1, 9_999)

FRAMES = (
    "{e}", "So {e}.", "Then {e}, and on.", "- {e}", r"\[ {e} \]", r"\({e}\)", "${e}$", "Total = {e}", "The cost is {e}",
    "**{e}**", "Step 3: {e}", "({e})",
)  # fmt: skip
SIGNS = {"+": ("+",), "-": ("-", "−"), "*": ("*", "×", r"\times", r"\cdot", "x"), "/": ("/", "÷", r"\div")}
NUMBERS = (str, "{:,}".format, "${:,}".format, r"\${}".format, "{} apples".format, r"{}\text{{ cm}}".format)


def computed(left, operator, right):
    values = {"+": left + right, "-": left - right, "*": left * right, "/": Fraction(left, right)}
    return Fraction(values[operator])


@st.composite
def written(draw, *, offs=(0,)):
    """An equation of two numbers, its value moved by `off`, in some notation; and the right value."""
    left, right, operator = draw(WHOLE), draw(WHOLE), draw(st.sampled_from("+-*/"))
    if operator == "/":
        left *= right
    value = computed(left, operator, right)
    sign, number = draw(st.sampled_from(SIGNS[operator])), draw(st.sampled_from(NUMBERS))
    claimed = int(value) + draw(st.sampled_from(offs))
    text = f"{number(left)} {sign} {number(right)} = {number(claimed) if claimed >= 0 else claimed}"
    return draw(st.sampled_from(FRAMES)).format(e=text), value


@given(written())
def test_a_true_equation_is_valid_however_it_is_written(case):
    text, _ = case
    assert [step.verdict for step in equation_steps(text)] == ["valid"]


@given(written(offs=(1, -1, 2, -3, 11)))
def test_a_false_equation_is_found_with_its_right_value(case):
    text, value = case
    assert [equation.value for equation in false_equations(text)] == [value]


@given(st.integers(1, 400), st.integers(1, 60), st.integers(0, 6), st.booleans())
def test_a_quotient_that_is_rounded_or_cut_is_never_false(left, right, places, cut):
    scaled = Fraction(left * 10**places, right)
    shown = Fraction(int(scaled) if cut and places else int(scaled + Fraction(1, 2)), 10**places)
    assert not false_equations(f"{left} / {right} = {float(shown):.{places}f}")


@pytest.mark.parametrize(
    "text",
    [
        "20% of 50 = 10", "50 * 20% = 10", "100% - 20% = 80%", r"20\% \text{ of } 50 = 10", "1/2 of 10 = 5",
        "half of 20 = 10", "2 1/2 + 1 = 3.5", r"2\frac{1}{2} + 1 = 3.5", r"\frac12 + \dfrac{1}{2} = 1",
        r"\tfrac{3}{4} \cdot 8 = 6", "2^3 = 8", "2^{10} = 1024", "2**3 = 8", "5² = 25",
        r"\left( 3 + 4 \right) \times 2 = 14", "2(3) + 1 = 7", "(2)(3) = 6", "4! = 24", r"\binom{5}{2} = 10",
        r"\sqrt{16} + 1 = 5", "1{,}000 + 1 = 1,001", r"1\,000 + 1 = 1001", "16 eggs - 3 eggs = 13 eggs",
        "$3/hour * 8 hours = $24", "33 classes * 15 students/class = 495 students",
        "16 - 3 - 4 = <<16-3-4=9>>9 eggs", "$105 (lost income) - $90 (accountant's fee) = $15", "3 times 4 is 12.",
        "7 plus 2 equals 9", "3 * 4 = 12 so 12 + 5 = 17", "a + b = 3 + 4 = 7", "60 ml x 8 laps = 480 ml of water",
        "-3 + 10 = 7", r"\text{Total} = 3 \times 4 = \boxed{12}", "3 + 4 = 5 + 2 = 7",
    ],
)  # fmt: skip
def test_a_true_equation_of_real_traces_is_valid(text):
    assert [step.verdict for step in equation_steps(text)] == ["valid"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("20% of 50 = 11", 10), ("10/3 = 3.5", Fraction(10, 3)),
        (r"\frac{1}{2} + \frac{1}{3} = \frac{2}{5}", Fraction(5, 6)),
        ("33 classes * 15 students/class = 496 students", 495), ("5 apples + 3 apples = 9 apples", 8),
        ("2^{10} = 1000", 1024), ("16 - 3 - 4 = <<16-3-4=9>>8 eggs", 9), (r"x &= 3 \cdot 5 = 16 \\", 15),
        ("3 times 4 is 13.", 12), ("4.20 + 9.45 + 1.35 = 14.99 (round to cents)", 15),
        ("He has 2*8 = 24 hours left", 16), ("1.25 * 3 = 3.74", Fraction(15, 4)),
    ],
)  # fmt: skip
def test_a_false_equation_of_real_traces_is_found(text, value):
    assert [equation.value for equation in false_equations(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "17 = 2 (mod 5)", r"17 \equiv 3 * 4 = 2 \pmod 5", "40_9 + 1 = 38", "8:30 + 2 = 10:40", "2 : 3 + 1 = 4 : 9",
        "17 / 5 = 3 R 2", "17/5 = 3 remainder 2", "17 ÷ 5 = 3", "3/3 - 2/3 = 1/3 of $150", "3*4 = 13? No.",
        "if 2 + 2 = 5, then",
        "3 + 4 ≠ 8 = 8", "Is 3 + 4 = 8?", "3 + 4 = 8 is wrong", "f(3) + 4 = 9", "sin 30 + 1 = 2",
        "let x = 3 + 4 = 8", "5 + 3 = 8 + 2 = 10", "10/3 = 3.33", "100 / 3 = 33", "3.33 * 3 = 10",
        "3 hours + 30 minutes = 3.5 hours", "3 * 25 = $0.75", "60 / 3/4 = 80", "120 / 2 * 3 = 20", "200 - 20% = 160",
        "1 + 2 + ... + 10 = 55", r"0.\overline{3} + 1 = 2", "14, 400 / 80 = 180", "0900 - 0130 = 0730",
        "8 batches = 5.5 * 4 + 1", ".5*100 = 50%", "30/40 * 100 = 75%", r"2 \cdot 66/BC = 33/5",
        r"\frac{1}{2}ab = 6", "10^{100} is 1 followed by zeros", r"10 + 3 \approx 12", "5 dozen + 1 = 61",
        "200 minutes = 3 hours and 20 minutes", "a * b = ab + 1, so 2 * 3 = 7", "5 more than 3 * 4 = 17",
        "from 3 to 4 + 5 = 12", "3 - 4 - 5 = 6 - 8 - 10",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_never_false(text):
    assert not false_equations(text)


def test_an_equation_over_several_lines_is_false_in_the_line_with_the_false_side():
    text = "x &= 3 \\cdot 4 + 2 \\\\\n&= 12 + 2 \\\\\n&= 15"
    assert [step.verdict for step in equation_steps(text)] == ["unchecked", "valid", "invalid"]
    (false,) = false_equations(text)
    assert (false.text, false.value, false.claimed) == (text[text.index("12") :], 14, 15)


def test_a_formula_that_is_broken_over_lines_is_not_judged_by_its_pieces():
    assert not false_equations("There are $7 \\cdot 6 \\cdot\n5 \\cdot 4 = 840$ ways.")
    assert not false_equations("The rest is $1 - \\frac{1}{2} -\n\\frac{1}{5} = \\frac{3}{10}$.")


ALPHABET = "0123456789+-*/=().,$%^!{}[]<>&\\ \n×÷ab of times is \\frac\\text half x"


@given(
    st.one_of(st.text(), st.text(ALPHABET), st.lists(st.sampled_from(ALPHABET.split(" ")), max_size=60).map(" ".join))
)
def test_nothing_raises_and_offsets_are_exact(text):
    for equation in find_equations(text):
        assert equation.text == text[equation.start : equation.end]
        assert (equation.value is None) == (equation.verdict == "unchecked")
    end = 0
    for step in equation_steps(text):
        assert end <= step.start < step.end
        assert step.text == text[step.start : step.end]
        end = step.end


@pytest.mark.parametrize(
    "text",
    ["9" + "!" * 15_000 + " = 3", "-" * 15_000 + "3 = 3", "(" * 10_000 + "1+1=2" + ")" * 9_000, "2(3)" * 4_000 + "=1",
     "2^" * 9_000 + "=1", "<<1=1" * 3_000, "1+1=2" + "\n" * 500_000 + "+", "half of " * 2_000 + "3 = 4",
     "half of -3 = 2",
     "a * " * 100_000, "9^9^9 = 1", "9^99999999 = 1", "99! = 1", "3 = " + "1" * 15_000, "1+1=" * 4_000,
     "word " * 1_000_000 + "="],
)  # fmt: skip
def test_hostile_text_neither_raises_nor_hangs(text):
    assert equation_steps(text)


def test_a_running_total_is_neither_true_nor_false():
    assert [step.verdict for step in equation_steps("She has 5 + 3 = 8 + 2 = 10 apples.")] == ["unchecked"]
    assert [step.verdict for step in equation_steps("She has 5 + 3 = 8 + 2 = 11 apples.")] == ["invalid"]
