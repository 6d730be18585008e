from __future__ import annotations

from math import sqrt

import pytest
from scipy.stats import binom

from wrongcot_train.statistics import wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (1, 24), (12, 24), (207, 300), (10, 10)])
def test_wilson_is_the_textbook_formula(successes: int, n: int) -> None:
    z, share = 1.959963984540054, successes / n
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    assert wilson(successes, n) == pytest.approx((max(centre - half, 0), min(centre + half, 1)), abs=1e-12)


def test_wilson_of_nothing_says_that_nothing_is_known() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_wilson_refuses_counts_that_are_no_share() -> None:
    for successes, n, confidence in [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)]:
        with pytest.raises(ValueError, match="no proportion"):
            wilson(successes, n, confidence)


@pytest.mark.parametrize("n", [24, 100])
def test_wilson_covers_the_truth_about_95_times_in_100(n: int) -> None:
    intervals = [wilson(successes, n) for successes in range(n + 1)]
    shares = [step / 200 for step in range(1, 200)]
    coverage = [
        sum(binom.pmf(k, n, share) for k, (low, high) in enumerate(intervals) if low <= share <= high)
        for share in shares
    ]
    assert sum(coverage) / len(coverage) == pytest.approx(0.95, abs=0.015)
