"""Distributions: exact for small numbers, within 0.8 % for large ones, whatever the order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.measure.distribution import QUANTILES, Distribution

numbers = st.lists(st.integers(0, 10**9), min_size=1)


def of(values: list[int]) -> Distribution:
    distribution = Distribution()
    for value in values:
        distribution.add(value)
    return distribution


@given(numbers)
def test_a_quantile_is_within_0_8_percent_of_the_number_at_its_rank(values: list[int]):
    found = of(values).summary()
    assert found is not None
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert found["mean"] == round(sum(values) / len(values), 1)
    for name, percent in QUANTILES.items():
        exact = sorted(values)[-(-len(values) * percent // 100) - 1]
        assert abs(found[name] - exact) <= 0.008 * exact


@given(st.lists(st.integers(0, 127), min_size=1))
def test_small_numbers_are_kept_exactly(values: list[int]):
    assert of(values).quantile(50) == sorted(values)[(len(values) + 1) // 2 - 1]


@given(numbers, st.randoms())
def test_the_order_makes_no_difference(values: list[int], rng: random.Random):
    shuffled = rng.sample(values, len(values))
    assert of(shuffled) == of(values)


def test_no_number_has_no_summary():
    assert of([]).summary() is None


def test_memory_does_not_grow_with_how_many_numbers_there_are():
    assert len(of(list(range(100_000))).buckets) < 1000
