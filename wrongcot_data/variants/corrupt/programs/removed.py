"""Removed statement: `pass` in its place, so that the program keeps its shape."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import statement_of


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """A simple statement without effect; a head stays, since what it holds would hang in the air."""
    statement = statement_of(place)
    if statement and statement.is_simple:
        yield Edit((statement.change(0, len(statement.source), "pass"),))


OPERATOR = Operator("removed", "program", propose, "a statement taken out", is_last=True)
