"""Which traces count as different."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.pool.distinct import distinct, same_trace, wording
from wrongcot_data.records import Grade, Sample, Verdict

SHORT = "12 + 30 = 42, and 42 * 2 = 84. <answer>(12 + 30) * 2</answer>"
LONG = " ".join(f"First {n} and {n + 1} make {2 * n + 1} of them, which we keep." for n in range(30))


def sample(attempt: int, text: str, grade: Grade = "wrong") -> Sample:
    return Sample("r", attempt, "p", text, "stop", 0, 0, 0, "e", "", Verdict(grade, "x"), "g")


def same(one: str, other: str) -> bool:
    return same_trace(wording(one), wording(other))


def test_white_space_case_and_dressing_make_no_new_trace():
    assert same("1 + 2\n= 3 ", "1 + 2 = 3")
    assert same("So **the answer** is $3$", "so the answer is 3")
    assert same(r"it is \boxed{3} then", "it is 3 then")
    assert same("", "  ")


def test_another_number_or_operator_in_a_short_trace_makes_another():
    assert not same("1 + 2 = 3", "1 + 2 = 4")
    assert not same("8 - 2", "8 * 2")
    assert not same(SHORT, SHORT.replace("42", "43"))
    assert not same("", "3")
    assert not same("(1 + 2) * 3", "1 + (2 * 3)")
    assert not same("return a & b", "return a | b")
    assert not same("return a ** b", "return (a, b)")
    assert not same("return 2**a + 4**b", "return 2 a + 4 b")
    assert not same("x = .5", "x = 5")
    assert not same("$x^{2+1}$", "$x^2+1$")


def test_one_word_in_a_long_trace_makes_no_other_and_many_do():
    assert same(LONG, LONG.replace("First 7 ", "Then 7 "))
    assert not same(LONG, LONG.replace("First", "Next"))


@given(st.text(), st.text())
def test_sameness_is_symmetric_and_holds_of_a_text_with_itself(one: str, other: str):
    assert same(one, one)
    assert same(one, other) == same(other, one)


def test_the_first_of_each_trace_is_kept_in_order_and_only_of_the_grade():
    samples = [
        sample(0, SHORT),
        sample(1, SHORT.replace(",", " ,").upper()),
        sample(2, LONG, "correct"),
        sample(3, LONG),
        sample(4, LONG.replace("keep", "hold", 1)),
    ]
    assert [one.attempt for one in distinct(samples, "wrong")] == [0, 3]
