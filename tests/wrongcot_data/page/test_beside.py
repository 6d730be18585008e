"""Which trace stands beside which: the one a reader would look for."""

from __future__ import annotations

import pytest

from wrongcot_data.page.beside import counterparts
from wrongcot_data.page.traces import Shown


def trace(role: str, name: str, parent: str = "", level: int = 0) -> Shown:
    return Shown(
        id=f"{role}-{level}/{name}",
        problem_id="p",
        variant=role,
        role=role,
        level=level,
        grade="",
        reason="",
        told="",
        answer="",
        pieces=[],
        cut=0,
        about=[],
        name=name,
        parent=parent,
        parent_text="",
    )


TRACES = (
    trace("wrong", "s1", "s1"),
    trace("right", "s2", "s2"),
    trace("right", "s3", "s3"),
    trace("reference", "p:reference"),
    trace("paraphrase", "s2", "s2"),
    trace("paraphrase", "p:reference", "p:reference"),
    *(trace("corrupt", parent, parent, level) for level in (0, 25, 75) for parent in ("s2", "s3")),
    trace("paraphrase_samples", "r1", "s3"),
    trace("samples", "s2"),
    trace("samples", "s9"),
)


@pytest.mark.parametrize(
    ("of", "beside"),
    [
        ("wrong-0/s1", "right-0/s2"),
        ("right-0/s2", "wrong-0/s1"),
        ("reference-0/p:reference", "paraphrase-0/p:reference"),
        ("paraphrase-0/s2", "right-0/s2"),
        ("paraphrase-0/p:reference", "reference-0/p:reference"),
        ("corrupt-75/s3", "corrupt-0/s3"),
        ("corrupt-25/s2", "corrupt-0/s2"),
        ("corrupt-0/s3", "corrupt-75/s3"),
        ("paraphrase_samples-0/r1", "right-0/s3"),
        ("samples-0/s9", "right-0/s2"),
        ("samples-0/s2", "right-0/s3"),  # the other right trace is this very reply
    ],
)
def test_the_counterpart_is_the_one_a_reader_would_look_for(of: str, beside: str):
    names = [one.id for one in TRACES]
    assert names[counterparts(TRACES)[names.index(of)]] == beside


def test_where_there_is_none_the_next_best_is_taken():
    assert counterparts([trace("wrong", "s1", "s1"), trace("reference", "p:reference")]) == [1, 0]
    chain = [trace("right", "s1", "s1"), trace("corrupt", "s1", "s1", 0), trace("corrupt", "s1", "s1", 50)]
    assert counterparts(chain) == [2, 2, 1]
    assert counterparts([chain[0], chain[2]]) == [1, 0]


def test_a_trace_that_is_alone_has_none():
    assert counterparts([trace("wrong", "s1", "s1")]) == [-1]
    assert counterparts([]) == []


def test_a_row_of_a_mix_does_not_stand_beside_its_own_copy():
    mixed, wrong = trace("wrong", "s1", "s1"), trace("wrong", "s1", "s1")
    assert counterparts([mixed, wrong]) == [-1, -1]
