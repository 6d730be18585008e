"""Confidence intervals over items: of one score, and of the difference of two on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

BATCH = 1_000_000
"""Numbers drawn at once by the bootstrap: 16 MB, whatever the number of items."""


class Interval(NamedTuple):
    """A confidence interval; of a share both ends are in [0, 1], of a difference of shares in [-1, 1]."""

    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion, without continuity correction.

    It stays inside [0, 1] and keeps close to its nominal coverage for the few items and the proportions near 0 that
    weak students have, where the usual plus-or-minus interval collapses to a point.

    Args:
        successes: items counted, 0 to n.
        n: items asked; with 0 nothing is known and the interval is (0, 1).
        confidence: nominal coverage, between 0 and 1.

    Raises:
        ValueError: counts or confidence outside these ranges.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212, as in `scipy.stats.binomtest(...).proportion_ci("wilson")`.
    """
    if not 0 <= successes <= n or not 0 < confidence < 1:
        raise ValueError(f"no proportion: {successes} of {n} at confidence {confidence}")
    if n == 0:
        return Interval(0.0, 1.0)
    from scipy.stats import binomtest

    found = binomtest(successes, n).proportion_ci(confidence_level=confidence, method="wilson")
    return Interval(float(found.low), float(found.high))


def bootstrap_mean(
    values: Sequence[float], confidence: float = 0.95, *, resamples: int = 9999, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of a mean over items.

    Items are drawn anew with replacement. An item's value is what B made of it less what A made of it, so the pairing
    is kept. Where few items differ it is too narrow, and where none does it is a point: see `score_difference`.

    Args:
        values: one an item, such as B's share of right replies less A's; at least one.
        confidence: nominal coverage, between 0 and 1.
        resamples: how often; 9,999 leave the ends to about a fiftieth of the interval's width.
        seed: of the draws; the same seed gives the same interval, and its mirror image for the negated values.

    Raises:
        ValueError: no values, or confidence outside its range.

    Source: Efron (1979), Ann. Stat. 7, 1-26, as in `scipy.stats.bootstrap(method="percentile")`.
    """
    if not values or not 0 < confidence < 1:
        raise ValueError(f"no interval of {len(values)} values at confidence {confidence}")
    if min(values) == max(values):  # scipy wants values that vary
        return Interval(float(values[0]), float(values[0]))
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.asarray(values, dtype=float),),
        np.mean,
        confidence_level=confidence,
        n_resamples=resamples,
        batch=max(1, BATCH // len(values)),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def score_difference(gained: int, lost: int, n: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval of the difference of two paired proportions, (gained - lost) / n.

    It holds the differences that a score test does not refuse, with the variance as it would be *under* each of them.
    So it keeps its coverage where few items differ, and where none does it still has a width.

    Args:
        gained: items right in the second only.
        lost: items right in the first only.
        n: all items; at least 1.
        confidence: nominal coverage, between 0 and 1.

    Raises:
        ValueError: counts or confidence outside these ranges.

    Source: Tango (1998), Statistics in Medicine 17, 891-908. Neither scipy nor statsmodels has it.
    """
    if gained < 0 or lost < 0 or n < 1 or gained + lost > n or not 0 < confidence < 1:
        raise ValueError(f"no paired difference: {gained} gained, {lost} lost of {n} at confidence {confidence}")
    from scipy.optimize import brentq
    from scipy.stats import norm

    z = float(norm.ppf((1 + confidence) / 2))
    seen = (gained - lost) / n

    def score(difference: float) -> float:
        # q: the likeliest share of lost items, were this the true difference
        b = (2 * n - gained + lost) * difference - gained - lost
        root = sqrt(max(0.0, b * b + 8 * n * lost * difference * (1 - difference)))
        q = (root - b) / (4 * n)
        variance = n * (2 * q + difference * (1 - difference))
        above = gained - lost - n * difference
        if variance <= 0:
            return inf if above > 0 else -inf if above < 0 else 0.0
        return above / sqrt(variance)

    nearly = 1 - 1e-12  # at 1 itself the variance is nothing
    low = brentq(lambda d: score(d) - z, -nearly, seen) if score(-nearly) > z and seen > -nearly else -1.0
    high = brentq(lambda d: score(d) + z, seen, nearly) if score(nearly) < -z and seen < nearly else 1.0
    return Interval(float(low), float(high))
