"""Several runs of one recipe that differ in their seed only: how far they lie apart, and two recipes by their runs."""

from __future__ import annotations

import statistics
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from wrongcot_train.statistics.intervals import Interval


class Spread(NamedTuple):
    """Scores of the runs of one recipe, on the same items.

    Attributes:
        mean: of the scores.
        deviation: standard deviation of one run (n - 1 in its denominator); None of a single run.
        runs: how many.
    """

    mean: float
    deviation: float | None
    runs: int


def spread(scores: Sequence[float]) -> Spread:
    """Mean and sample standard deviation of the scores of some runs.

    Raises:
        ValueError: no runs.

    Source: `statistics.stdev`.
    """
    if not scores:
        raise ValueError("no runs")
    return Spread(statistics.fmean(scores), statistics.stdev(scores) if len(scores) > 1 else None, len(scores))


def welch(a: Sequence[float], b: Sequence[float], confidence: float = 0.95) -> tuple[float, Interval] | None:
    """Welch's t test of the mean scores of two recipes: p value, and the interval of B's mean less A's, over runs.

    It asks whether other seeds would give the same *on these items*; what other items would give is not in it. With
    two or three runs a side the interval is wide, and rightly so.

    Returns:
        None where nothing is known of the spread: a side of one run, or runs that all score the same.

    Raises:
        ValueError: confidence outside (0, 1).

    Source: Welch (1947), Biometrika 34, 28-35, as in `scipy.stats.ttest_ind(equal_var=False)`.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"no interval at confidence {confidence}")
    if min(len(a), len(b)) < 2 or (min(a) == max(a) and min(b) == max(b)):
        return None
    from scipy.stats import ttest_ind

    with warnings.catch_warnings():  # one side may score the same in all its runs, of which scipy warns
        warnings.simplefilter("ignore", RuntimeWarning)
        found = ttest_ind(b, a, equal_var=False)
        low, high = found.confidence_interval(confidence)
    return float(found.pvalue), Interval(float(low), float(high))
