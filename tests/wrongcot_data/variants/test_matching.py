"""Matched and mixed sets: what they have alike, and that nothing else decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.variants.matching import Entry, Index, matched, mixed

ENTRIES = st.lists(st.builds(Entry, st.sampled_from("abcdefghij"), st.integers(1, 60)), max_size=25)
INDEX = st.dictionaries(st.sampled_from(["reference", "right", "wrong"]), ENTRIES, min_size=1)
SEED = st.integers(0, 99)


def problems(entries: Sequence[Entry], numbers: Sequence[int]) -> Counter[str]:
    return Counter(entries[number].problem_id for number in numbers)


@given(INDEX, SEED)
def test_the_same_problems_each_with_as_many_rows(index: Index, seed: int):
    chosen = matched(index, "problems", seed)
    counts = [problems(index[name], numbers) for name, numbers in chosen.items()]
    assert all(count == counts[0] for count in counts)
    for problem in "abcdefghij":  # and none of them is lost without need
        everywhere = min(problems(entries, range(len(entries)))[problem] for entries in index.values())
        assert counts[0][problem] == everywhere


@given(INDEX, SEED)
def test_the_same_number_of_rows(index: Index, seed: int):
    fewest = min(len(entries) for entries in index.values())
    assert {len(numbers) for numbers in matched(index, "size", seed).values()} == {fewest}


@given(INDEX, SEED)
def test_the_same_number_of_tokens_up_to_the_shortest_row_left_out(index: Index, seed: int):
    budget = min(sum(entry.tokens for entry in entries) for entries in index.values())
    for name, numbers in matched(index, "tokens", seed).items():
        entries = index[name]
        total = sum(entries[number].tokens for number in numbers)
        assert total <= budget
        left = [entry.tokens for number, entry in enumerate(entries) if number not in numbers]
        assert all(total + tokens > budget for tokens in left)


@given(INDEX, SEED, st.sampled_from(["none", "problems", "size", "tokens"]))
def test_rows_stay_in_order_and_are_taken_once(index: Index, seed: int, match):
    for name, numbers in matched(index, match, seed).items():
        assert numbers == sorted(set(numbers))
        assert set(numbers) <= set(range(len(index[name])))


@given(INDEX, SEED)
def test_matching_what_is_matched_changes_nothing(index: Index, seed: int):
    once = matched(index, "size", seed)
    cut = {name: [index[name][number] for number in numbers] for name, numbers in once.items()}
    assert matched(cut, "size", seed) == {name: list(range(len(entries))) for name, entries in cut.items()}


@given(ENTRIES, ENTRIES, SEED, st.floats(0.01, 0.99))
def test_a_mix_has_its_shares_of_problems_and_each_problem_from_one_part(right, wrong, seed: int, share: float):
    index = {"right": right, "wrong": wrong}
    rows = mixed(index, {"wrong": share, "right": 1 - share}, seed)
    parts: dict[str, set[str]] = {"right": set(), "wrong": set()}
    for name, number in rows:
        parts[name].add(index[name][number].problem_id)
    both = {entry.problem_id for entry in right} & {entry.problem_id for entry in wrong}
    assert not parts["right"] & parts["wrong"]
    assert parts["right"] | parts["wrong"] == both
    assert abs(len(parts["wrong"]) - share * len(both)) < 1
    assert len(rows) == len(set(rows))


@given(ENTRIES, ENTRIES, SEED, st.floats(0.01, 0.99), st.floats(0.01, 0.99))
def test_mixes_of_two_are_nested(right, wrong, seed: int, one: float, other: float):
    index = {"right": right, "wrong": wrong}
    less, more = (
        {number for name, number in mixed(index, {"wrong": share, "right": 1 - share}, seed) if name == "wrong"}
        for share in sorted((one, other))
    )
    assert less <= more


@pytest.mark.parametrize("weights", [{"right": 1.0, "wrong": 3.0}, {"wrong": 0.75, "right": 0.25}])
def test_shares_are_relative_and_their_order_does_not_matter(weights: dict[str, float]):
    index = {name: [Entry(str(n)) for n in range(8)] for name in ("right", "wrong")}
    assert Counter(name for name, _ in mixed(index, weights, 1)) == {"wrong": 6, "right": 2}


def test_a_mix_has_nothing_where_a_part_has_nothing():
    assert mixed({"right": [Entry("a")], "wrong": []}, {"right": 0.5, "wrong": 0.5}, 0) == []
    assert matched({}, "problems", 0) == matched({}, "size", 0) == {}
