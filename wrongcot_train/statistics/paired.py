"""Two students on the same items: tests, the effect of what flipped, and what so many items can show at all."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from typing import NamedTuple

from wrongcot_train.statistics.intervals import Interval

RESAMPLES = 9999
"""Sign patterns drawn where there are too many to try all: the smallest p value is then 0.0002."""


class Flips(NamedTuple):
    """Items by who has them right.

    Attributes:
        both: right in A and in B.
        gained: right in B only.
        lost: right in A only.
        neither: right in none.
    """

    both: int
    gained: int
    lost: int
    neither: int


def mcnemar(gained: int, lost: int) -> float:
    """Exact two-sided McNemar test: are items as likely to flip one way as the other?

    Items that did not flip have no say. With fewer than six flips no difference can reach 0.05.

    Raises:
        ValueError: a negative count.

    Source: McNemar (1947), Psychometrika 12, 153-157, in its exact form: `scipy.stats.binomtest(gained, flips, 1/2)`.
    """
    if gained < 0 or lost < 0:
        raise ValueError(f"no flips: {gained} gained, {lost} lost")
    if gained + lost == 0:
        return 1.0
    from scipy.stats import binomtest

    return float(binomtest(gained, gained + lost, 0.5).pvalue)


def sign_flip(differences: Sequence[float], *, resamples: int = RESAMPLES, seed: int = 0) -> float:
    """Paired permutation test of a mean difference: what if each item's two sides had been swapped at random?

    For the sides of several runs each, where an item's difference is no longer -1, 0 or 1; where it is, this is the
    exact McNemar test again. Exact for up to 13 items that differ, by random sign patterns beyond.

    Args:
        differences: one an item, in [-1, 1].
        resamples: sign patterns drawn.
        seed: of these patterns.

    Source: Fisher (1935), The Design of Experiments, section 21, as in
        `scipy.stats.permutation_test(permutation_type="samples")`.
    """
    moved = [value for value in differences if value]
    if len(moved) < 2:
        return 1.0  # both signs of one item are as far from zero; scipy wants two items
    import numpy as np
    from scipy.stats import permutation_test

    found = permutation_test(
        (np.asarray(moved, dtype=float),),
        np.sum,
        permutation_type="samples",
        n_resamples=resamples,
        batch=1000,
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def flip_odds(gained: int, lost: int, confidence: float = 0.95) -> tuple[float | None, Interval]:
    """Odds that an item which flipped was gained: gained / lost, with an exact interval. 1 is no difference.

    The value is None where nothing flipped, and infinite where nothing was lost; the interval is then (0, inf), and
    open above.

    Args:
        gained: items right in the second only.
        lost: items right in the first only.
        confidence: least coverage, between 0 and 1.

    Raises:
        ValueError: a negative count, or confidence outside its range.

    Source: the conditional odds ratio of matched pairs (Breslow and Day 1980, Statistical Methods in Cancer Research 1,
        section 5.2), from the Clopper-Pearson interval of the share gained, `binomtest(...).proportion_ci("exact")`.
    """
    if gained < 0 or lost < 0 or not 0 < confidence < 1:
        raise ValueError(f"no odds: {gained} gained, {lost} lost at confidence {confidence}")
    if gained + lost == 0:
        return None, Interval(0.0, inf)
    from scipy.stats import binomtest

    share = binomtest(gained, gained + lost).proportion_ci(confidence_level=confidence, method="exact")
    low, high = (end / (1 - end) if end < 1 else inf for end in (float(share.low), float(share.high)))
    return (gained / lost if lost else inf), Interval(low, high)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given: below 0.05 each of them holds at 5 % for all tests together.

    Raises:
        ValueError: a p value outside [0, 1].

    Source: Holm (1979), Scand. J. Stat. 6, 65-70. scipy has none (`false_discovery_control` is about another error).
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise ValueError(f"no p values: {list(p_values)}")
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def smallest_detectable(n: int, moved: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """The smallest true difference that a paired test of this many items finds this often.

    Args:
        n: items, at least 4: fewer find nothing at all.
        moved: mean of the squared differences of an item; of single runs the share of items that flip. A larger
            difference needs more flips than that, and is reckoned with as many as it needs.
        alpha: two-sided level of the test.
        power: how often the difference is to be found.

    Returns:
        a share: 0.04 is four points.

    Raises:
        ValueError: no such n, moved, alpha or power.

    Source: Connor (1987), Biometrics 43, 207-211, equation 3.2, solved for the difference by `scipy.optimize.brentq`.
    """
    if n < 4 or not 0 <= moved <= 1 or not 0 < alpha < power < 1:
        raise ValueError(f"no difference can be detected: {n} items, {moved} moved, alpha {alpha}, power {power}")
    from scipy.optimize import brentq
    from scipy.stats import norm

    z_test, z_power = float(norm.ppf(1 - alpha / 2)), float(norm.ppf(power))

    def room(difference: float) -> float:
        flips = max(moved, difference)
        return difference * sqrt(n) - z_test * sqrt(flips) - z_power * sqrt(flips - difference * difference)

    return float(brentq(room, 1e-9, 1.0))
