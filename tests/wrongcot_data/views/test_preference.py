"""`preference`: first with first, second with second, and every trace that finds no partner is accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.views.account import Account
from wrongcot_data.views.preference import NO_RIGHT, NO_WRONG, cut

Read = Callable[[str, Sequence[str]], Iterator[dict[str, Any]]]


def trace(problem: int, number: int, variant: str) -> dict[str, Any]:
    name = f"{variant}-{problem}-{number}"
    return {
        "problem_id": f"p{problem}",
        "task": "countdown",
        "prompt": [{"role": "user", "content": f"problem {problem}"}],
        "completion": [{"role": "assistant", "content": name}],
        "answer": f"answer of {name}",
        "reference_answer": "1",
        "parent_id": name,
    }


def reader(right: Sequence[int], wrong: Sequence[int]) -> Read:
    """As many right and wrong traces of problem 0, 1, ... as the lists say."""
    counts = {"right": right, "wrong": wrong}

    def read(variant: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        for problem, count in enumerate(counts[variant]):
            for number in range(count):
                row = trace(problem, number, variant)
                yield {name: row[name] for name in columns}

    return read


def pairs(right: Sequence[int], wrong: Sequence[int]) -> tuple[list[dict[str, Any]], Account]:
    account = Account()
    return list(cut(reader(right, wrong), ["wrong", "right"], account)), account


def test_the_first_right_trace_meets_the_first_wrong_one_and_the_second_the_second():
    rows, account = pairs([2, 0, 1], [3, 2, 1])
    assert [(row["pair"], row["chosen_id"], row["rejected_id"]) for row in rows] == [
        (0, "right-0-0", "wrong-0-0"),
        (1, "right-0-1", "wrong-0-1"),
        (0, "right-2-0", "wrong-2-0"),
    ]
    assert account.to_json() == {"asked": 6, "kept": 3, "left_out": {NO_RIGHT: 3}}


def test_a_row_says_where_both_sides_come_from():
    ((row,), _) = pairs([1], [1])
    assert row["prompt"] == [{"role": "user", "content": "problem 0"}]
    assert row["chosen"] == [{"role": "assistant", "content": "right-0-0"}]
    assert row["rejected"] == [{"role": "assistant", "content": "wrong-0-0"}]
    assert (row["chosen_answer"], row["rejected_answer"]) == ("answer of right-0-0", "answer of wrong-0-0")
    assert row["problem_id"] == "p0"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=6))
def test_the_account_balances_and_no_trace_is_in_two_pairs(counts: list[tuple[int, int]]):
    rows, account = pairs([right for right, _ in counts], [wrong for _, wrong in counts])
    assert account.kept == len(rows) == sum(min(both) for both in counts)
    assert account.asked == account.kept + account.left_out.total() == sum(max(both) for both in counts)
    assert account.left_out[NO_WRONG] == sum(max(0, right - wrong) for right, wrong in counts)
    for side in ("chosen_id", "rejected_id"):
        assert all(count == 1 for count in Counter(row[side] for row in rows).values())


def test_variants_in_another_order_are_refused_not_mispaired():
    read = reader([1, 1], [1, 1])

    def shuffled(variant: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        rows = list(read(variant, columns))
        yield from reversed(rows) if variant == "wrong" else rows

    with pytest.raises(ValueError, match="right has p0 where wrong has p1"):
        list(cut(shuffled, ["wrong", "right"], Account()))
