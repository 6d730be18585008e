from __future__ import annotations

from collections.abc import Callable
from math import isnan

import numpy as np
import pytest

from wrongcot_train.statistics import wilson, wilson_items
from wrongcot_train.statistics.intervals import FEW_ITEMS


@pytest.mark.parametrize(("right", "n"), [(0, 10), (1, 24), (12, 24), (207, 300), (10, 10)])
def test_one_reply_an_item_gives_wilsons_interval(right: int, n: int) -> None:
    share, interval = wilson_items([1] * right + [0] * (n - right), [1] * n)
    assert share == right / n
    assert interval == pytest.approx(wilson(right, n), abs=1e-12)


def test_items_without_a_whole_have_no_say() -> None:
    assert wilson_items([1, 0, 0, 0], [1, 1, 0, 0]) == wilson_items([1, 0], [1, 1])


def test_replies_that_are_all_alike_within_an_item_say_no_more_than_one() -> None:
    once, often = wilson_items([1] * 40 + [0] * 60, [1] * 100), wilson_items([8] * 40 + [0] * 60, [8] * 100)
    assert often[0] == once[0]
    assert often[1] == pytest.approx(once[1], abs=1e-12)


def test_replies_that_are_independent_say_as_much_as_items() -> None:
    rng = np.random.default_rng(0)
    right = rng.binomial(8, 0.4, size=400)
    low, high = wilson_items(right.tolist(), [8] * 400)[1]
    as_items = wilson(int(right.sum()), 3200)
    assert high - low == pytest.approx(as_items.high - as_items.low, rel=0.15)


@pytest.mark.parametrize("rare", range(FEW_ITEMS))
def test_few_items_that_differ_are_never_taken_for_more_than_the_items(rare: int) -> None:
    low, high = wilson_items([1] * rare + [0] * (100 - rare), [16] * 100)[1]
    narrowest = wilson(0, 100)
    assert high - low >= (narrowest.high - narrowest.low) / 2
    assert high > rare / 1600


def test_nothing_at_all_says_that_nothing_is_known() -> None:
    share, interval = wilson_items([0, 0], [0, 0])
    assert isnan(share)
    assert interval == (0.0, 1.0)


def test_parts_that_are_no_parts_are_refused() -> None:
    for parts, wholes in [([3], [2]), ([-1], [2])]:
        with pytest.raises(ValueError, match="no share"):
            wilson_items(parts, wholes)
    with pytest.raises(ValueError, match="zip"):
        wilson_items([1], [1, 1])


DRAWS = 3000


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 3), (8, 8)])
def test_covers_the_truth_about_95_times_in_100(a: float, b: float, k: int) -> None:
    from wrongcot_train.evaluate.samples import pass_at

    n, samples = 120, 8
    table = [samples * pass_at(samples, right, k) for right in range(samples + 1)]
    truth = 1 - np.prod([(b + place) / (a + b + place) for place in range(k)])
    rng = np.random.default_rng(11)
    right = rng.binomial(samples, rng.beta(a, b, size=(DRAWS, n)))
    held = covered(lambda row: [table[count] for count in row], right, samples, float(truth))
    assert held == pytest.approx(0.95, abs=0.015)


def covered(values: Callable[[list[int]], list[float]], draws: np.ndarray, whole: int, truth: float) -> float:
    intervals = (wilson_items(values(row), [whole] * len(row))[1] for row in draws.tolist())
    return sum(low <= truth <= high for low, high in intervals) / len(draws)


def test_covers_the_share_of_answered_replies() -> None:
    n, samples, rng = 120, 8, np.random.default_rng(5)
    right_rate, answer_rate = rng.beta(1, 2, size=(DRAWS, n)), rng.beta(3, 1, size=(DRAWS, n))
    answered = rng.binomial(samples, answer_rate)
    right = rng.binomial(answered, right_rate)
    intervals = [wilson_items(r, w)[1] for r, w in zip(right.tolist(), answered.tolist(), strict=True)]
    assert sum(low <= 1 / 3 <= high for low, high in intervals) / DRAWS == pytest.approx(0.95, abs=0.015)
