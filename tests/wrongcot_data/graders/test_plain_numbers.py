"""Plain numbers: every way people write them, read exactly; what is more than a number is not read."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.plain_numbers import only_number, read_number, read_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18.00", 18), ("1,000", 1000), (r"1\,000\,000", 10**6), ("1{,}000", 1000), (r"4,\!989,\!600", 4989600),
        ("1 000 000", 10**6), ("-7", -7), ("−7", -7), (".5", Fraction(1, 2)), ("3.", 3), ("1/2", Fraction(1, 2)),
        (r"\frac{1}{2}", Fraction(1, 2)), (r"\dfrac12", Fraction(1, 2)), (r"-\frac 32", Fraction(-3, 2)),
        (r"\frac{-33}{2}", Fraction(-33, 2)), (r"2\frac12", Fraction(5, 2)), ("2 1/2", Fraction(5, 2)),
        (r"-2\frac{1}{2}", Fraction(-5, 2)), ("1.5e3", 1500), (r"1.5 \times 10^3", 1500),
        (r"2 \times 10^{-3}", Fraction(1, 500)), (r"0.\overline{3}", Fraction(1, 3)),
        (r"0.1\overline{6}", Fraction(1, 6)), ("$18", 18), (r"\$15.17", Fraction(1517, 100)), ("5 dollars", 5),
        (r"5\text{ cm}", 5), (r"864 \mbox{ inches}^2", 864), (r"90^\circ", 90), (r"50\%", 50), ("50%", 50),
        ("3 million", 3 * 10**6), ("2 dozen eggs", 24), (r"\(7\)", 7), ("$$7$$", 7), (r"\approx 8.24 \text{ mph}", Fraction("8.24")),
        (r"50 \, cm^2", 50), ("50 in^2", 50), ("50cm", 50), ("5 m/s", 5), ("144 m^3", 144), (r"\text{50 dollars}", 50),
        (r"\text{50 cm}^2", 50), (r"\text{\$32,348}", 32348), ("3.2 x 10^5", 320000),
    ],
)  # fmt: skip
def test_a_number_is_read_exactly(text, value):
    assert read_number(text) == value


@pytest.mark.parametrize(
    "text",
    ["", ".", "x", "2x", "1,00", "1/0", r"\frac{1}{0}", r"4\sqrt{2}", r"4\sqrt(2)", "5 sqrt", "3 log x", "4 pi", "2 or 3",
     r"12\text{ and }13", r"2\text{ or }3", "1, 2", "(1)", "12:00", "40_9", "2^3", "1e9999", "9" * 201, "٣", r"2\text{ million}",
     "0.333...", r"2\text{ pi}", "3 less than x"],
)  # fmt: skip
def test_what_is_more_than_a_number_is_not_read(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("5 square feet", r"5\text{ ft}^2", True), ("5 ft^2", "5 square feet", True), ("5 ft^2", "5 ft^3", False), ("5 dollars", r"\$5", True), (r"90^\circ", r"90\text{ degrees}", True),
        ("1 hour", "1 hours", True), ("6 hours", "6 minutes", False), (r"80\text{ cents}", "$80", False),
        ("5 cm", "5 square cm", False), ("50%", "50 percent", True),
    ],
)  # fmt: skip
def test_units_have_one_spelling(one, other, same):
    left, right = read_quantity(one), read_quantity(other)
    assert left.unit
    assert right.unit
    assert (left.unit == right.unit) is same


@pytest.mark.parametrize(
    ("text", "value"),
    [("Janet makes **$18** per day", 18), ("$18/day", 18), ("9 * 2 = 18", 18), (r"9 \times 2 = 18", 18),
     ("3 dozen eggs", 36), ("45/3", 15),
     # what makes another number of the one that is there
     ("3x", None), ("x + 3", None), (r"\sqrt{3}", None), (r"3\pi", None), ("3!", None), ("3^2", None), ("x > 3", None),
     ("3½", None), ("3 and a half hours", None), ("3 hours and a half", None), ("at least 3", None), ("twice 3", None),
     ("minus 3", None), ("3k", None), (r"3\text{ dozen}", None), ("2+2", None), ("2*2", None), ("8-4", None),
     ("10% = 0.1", None), ("150 minutes = 2.5 hours", None),
     ("x = 18 eggs a day", 18), ("about $1,234.50 per year", Fraction(2469, 2)), ("1/2 of 36 = 18", 18),
     ("3 million people", 3 * 10**6), ("18 dollars and 50 cents", None), ("none", None)],
)  # fmt: skip
def test_the_one_number_of_a_phrase(text, value):
    assert only_number(text) == value


@given(st.fractions(max_denominator=10**6), st.sampled_from(["{}/{}", r"\frac{{{}}}{{{}}}", r"$\dfrac{{{}}}{{{}}}$"]))
def test_every_fraction_is_read_back(value, form):
    assert read_number(form.format(value.numerator, value.denominator)) == value


@given(st.integers(), st.sampled_from(["{}", "{:,}", "{}.00", "${:,}", "{:,} apples"]))
def test_every_integer_is_read_back(value, form):
    assert read_number(form.format(value)) == value


@given(st.text())
def test_reading_never_raises(text):
    read_number(text)
    only_number(text)
