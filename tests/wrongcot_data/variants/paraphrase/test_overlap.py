"""The overlap score: ROUGE-L F1 as its paper defines it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.variants.paraphrase.overlap import common_subsequence, overlap

WORDS = st.lists(st.sampled_from("abcd"), max_size=25)


def by_table(one: list[str], other: list[str]) -> int:
    """The textbook's longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = row[:]
        for place, another in enumerate(other, start=1):
            row[place] = before[place - 1] + 1 if word == another else max(before[place], row[place - 1])
    return row[-1]


@given(WORDS, WORDS)
def test_the_common_subsequence_is_that_of_the_textbook(one: list[str], other: list[str]):
    assert common_subsequence(one, other) == by_table(one, other)


@given(st.text(), st.text(), st.booleans())
def test_the_score_is_symmetric_and_between_0_and_1(one: str, other: str, program: bool):
    score = overlap(one, other, program=program)
    assert 0 <= score <= 1
    assert score == overlap(other, one, program=program)


def test_the_papers_example():
    """Lin 2004, section 3.1: of four words three, or two, are shared in their order."""
    assert overlap("police killed the gunman", "police kill the gunman") == 0.75
    assert overlap("police killed the gunman", "the gunman kill police") == 0.5


def test_case_and_signs_count_in_programs_only():
    assert overlap("Take it, now.", "take it now") == 1
    assert overlap("i = I + 1", "i = i + 1", program=True) == 0.8
    assert overlap("f( x )\n", "f(x)", program=True) == 1


def test_a_text_without_words_shares_nothing():
    assert overlap("", "") == 0
    assert overlap("...", "a") == 0
