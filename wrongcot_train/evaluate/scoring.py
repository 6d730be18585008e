"""Accuracies with their intervals over items, for one reply an item or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wrongcot_data.records import GRADES
from wrongcot_train.statistics import wilson_items

ANSWERED = frozenset({"correct", "wrong", "disputed"})
"""Grades of a reply that has an answer."""

RATES = ("no_answer", "truncated", "disputed")
"""Grades whose share of the replies is told with its interval: what an accuracy alone hides."""


def share(parts: Sequence[float], wholes: Sequence[float]) -> dict[str, Any]:
    """A share of the replies with its 95 % interval over items; `value` is None where there is nothing to share.

    Args:
        parts: of each item.
        wholes: of each item.
    """
    value, interval = wilson_items(parts, wholes)
    total = sum(wholes)
    return {"value": value if total else None, "low": interval.low, "high": interval.high, "n": total}


def accuracy(right: Sequence[int], replies: Sequence[int]) -> dict[str, Any]:
    """The share of right replies; `correct` is how many are right.

    Args:
        right: right replies of each item.
        replies: of each item, those that count.
    """
    found = share(right, replies)
    return {**found, "correct": sum(right)}


def score_items(items: Sequence[Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Accuracies with their 95 % intervals over items, and how many replies have each grade.

    `strict` is over all replies: no answer is no right answer. `answered` is over the replies that have an answer,
    which is how the paper's released code counts; a student that rarely finishes looks better by it than it is.

    Args:
        items: of each its graded replies, as many of one item as of another.
    """
    right = [sum(bool(reply["correct"]) for reply in item) for item in items]
    answered = [sum(reply["grade"] in ANSWERED for reply in item) for item in items]
    replies = [len(item) for item in items]
    counts = {grade: sum(reply["grade"] == grade for item in items for reply in item) for grade in GRADES}
    of_grade = {grade: [sum(reply["grade"] == grade for reply in item) for item in items] for grade in RATES}
    return {
        "strict": accuracy(right, replies),
        "answered": accuracy(right, answered),
        "grades": counts,
        "rates": {grade: {**share(parts, replies), "count": sum(parts)} for grade, parts in of_grade.items()},
        "n": len(items),
        "tokens": sum(reply["n_tokens"] for item in items for reply in item),
    }
