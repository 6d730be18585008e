"""How sure a score is, and a difference between scores. One rule: what an interval is *over* is always said.

Over items: would other problems of this kind give the same? Over runs: would other training seeds? Neither answers
the other. Intervals and tests come from scipy wherever it has them; what it lacks is here, with its source.

Scores and differences are shares (0.03 is 3 points of a hundred); p values are two-sided.
"""

from wrongcot_train.statistics.intervals import Interval, bootstrap_mean, score_difference, wilson, wilson_items
from wrongcot_train.statistics.paired import Flips, flip_odds, holm, mcnemar, sign_flip, smallest_detectable
from wrongcot_train.statistics.runs import Spread, spread, welch

__all__ = [
    "Flips",
    "Interval",
    "Spread",
    "bootstrap_mean",
    "flip_odds",
    "holm",
    "mcnemar",
    "score_difference",
    "sign_flip",
    "smallest_detectable",
    "spread",
    "welch",
    "wilson",
    "wilson_items",
]
