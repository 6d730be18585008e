"""Distributions of whole numbers in memory that does not grow with how many there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXACT_BITS = 7
"""A number is kept to its first seven binary digits: exact below 128, within 0.8 % above."""

QUANTILES = {"p5": 5, "p25": 25, "median": 50, "p75": 75, "p95": 95}
"""Name to percent."""


@dataclass(slots=True)
class Distribution:
    """Counts, sum and extremes of numbers that are not negative; the same whatever order they came in.

    Attributes:
        buckets: how many numbers share their first `EXACT_BITS` digits, by the smallest number that has them.
    """

    count: int = 0
    total: int = 0
    least: int = 0
    most: int = 0
    buckets: Counter[int] = field(default_factory=Counter)

    def add(self, value: int) -> None:
        """Take in one number."""
        self.least = min(self.least, value) if self.count else value
        self.most = max(self.most, value)
        self.count += 1
        self.total += value
        shift = _shift(value)
        self.buckets[value >> shift << shift] += 1

    def quantile(self, percent: int) -> int:
        """The smallest number that at least so many percent do not exceed, within 0.8 %; 0 where there is none."""
        wanted = -(-self.count * percent // 100)
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                middle = bucket + (1 << _shift(bucket) >> 1)
                return min(max(middle, self.least), self.most)
        return 0

    def summary(self) -> dict[str, float] | None:
        """`mean`, `min`, `max` (exact) and the quantiles; None where there is no number."""
        if not self.count:
            return None
        quantiles = {name: self.quantile(percent) for name, percent in QUANTILES.items()}
        return {"mean": round(self.total / self.count, 1), "min": self.least, **quantiles, "max": self.most}


def _shift(value: int) -> int:
    return max(0, value.bit_length() - EXACT_BITS)
