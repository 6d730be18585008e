"""How sure a score is. Intervals come from scipy; this module fixes which ones, and what they are of."""

from __future__ import annotations

from typing import NamedTuple


class Interval(NamedTuple):
    """A confidence interval of a proportion; both ends are in [0, 1]."""

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
