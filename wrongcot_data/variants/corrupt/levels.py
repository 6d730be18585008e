"""Levels: which element of a chain is the one of a percentage.

A level of p percent asks for p percent of the checkable steps, rounded to the nearest whole number (halves up), and for
at least one step where p is not 0: a trace of three checkable steps has one of them wrong at 25, two at 50 and at 75,
three at 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

LEVELS = (0, 25, 50, 75, 100)
"""The levels that are built unless the spec says otherwise."""


class Counted(Protocol):
    """Something with steps that can be checked, some of them wrong."""

    @property
    def wrong(self) -> int:
        """How many are wrong."""
        ...

    @property
    def checkable(self) -> int:
        """How many can be checked."""
        ...


def wanted(level: int, checkable: int) -> int:
    """How many of so many checkable steps are wrong at a level."""
    return max(1, (level * checkable + 50) // 100) if level else 0


def at_level(chain: Sequence[Counted], level: int) -> int | None:
    """The number of the first element of a chain that is at a level; None where none is."""
    places = (place for place, one in enumerate(chain) if one.wrong == wanted(level, one.checkable))
    return next(places, None)
