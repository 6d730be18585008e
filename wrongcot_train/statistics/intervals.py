"""Confidence intervals over items: of one score, and of the difference of two on the same items."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, nan, sqrt
from typing import NamedTuple

BATCH = 1_000_000
"""Numbers drawn at once by the bootstrap: 16 MB, whatever the number of items."""

FEW_ITEMS = 15
"""Of a rare kind, from which on their spread is worth something: below, 84 % of intervals would hold the truth."""


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


def wilson_items(parts: Sequence[float], wholes: Sequence[float], confidence: float = 0.95) -> tuple[float, Interval]:
    """Wilson's score interval over items of a share that each item has several replies to.

    Replies to one item are alike, so as many items with several replies each say less than as many single replies. How
    much less is seen in how far the items lie apart: the interval is Wilson's for the number of *independent* replies
    whose share would vary as this one does. With one reply an item that is the number of items, and this is `wilson`.

    Where fewer than `FEW_ITEMS` have anything, or fewer than that lack anything, too little is seen of how far they lie
    apart, and the number is at most that of the items. It never is more than that of the replies.

    Args:
        parts: of each item, such as its right replies; 0 to its whole.
        wholes: of each item, such as its replies, or those of them that have an answer; 0 for an item that has none.
        confidence: nominal coverage, between 0 and 1.

    Returns:
        the share, sum of parts over sum of wholes, and its interval; with no replies at all (nan, (0, 1)).

    Raises:
        ValueError: parts that are no parts of their wholes, or confidence outside its range.

    Source: the effective number of Kish (1965), Survey Sampling, with the variance of a ratio by linearisation, in
        Wilson's interval as in Franco, Little, Louis and Slud (2019), J. Surv. Stat. Methodol. 7, 334-364.
    """
    pairs = [(part, whole) for part, whole in zip(parts, wholes, strict=True) if whole]
    if not 0 < confidence < 1 or not all(0 <= part <= whole for part, whole in pairs):
        raise ValueError(f"no share: {list(parts)} of {list(wholes)} at confidence {confidence}")
    if not pairs:
        return nan, Interval(0.0, 1.0)
    from scipy.stats import norm

    total = sum(whole for _, whole in pairs)
    share = sum(part for part, _ in pairs) / total
    variance = sum((part - share * whole) ** 2 for part, whole in pairs) / total**2
    few = min(sum(part > 0 for part, _ in pairs), sum(part < whole for part, whole in pairs)) < FEW_ITEMS
    most = len(pairs) if few else total
    n = min(most, share * (1 - share) / variance) if variance > 0 else most
    z = float(norm.ppf((1 + confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return share, Interval(max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half)))


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


def score_difference(gained: float, lost: float, n: int, confidence: float = 0.95) -> Interval:
    """Tango's score interval of the difference of two paired proportions, (gained - lost) / n.

    It holds the differences that a score test does not refuse, with the variance as it would be *under* each of them.
    So it keeps its coverage where few items differ, and where none does it still has a width.

    Args:
        gained: items right in the second only. Where an item has several replies and moves by a share, the sum of these
            shares: a part of an item counts like so many whole ones, which vary more, so the interval errs on the wide
            side.
        lost: items right in the first only, likewise.
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
