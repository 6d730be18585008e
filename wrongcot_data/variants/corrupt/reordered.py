"""Reordered steps: a step before the one that makes its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """The step and the next one the other way round."""
    behind = place.steps[place.number + 1 :]
    if behind:
        step, other = place.step, behind[0]
        between = place.text[step.end : other.start]
        yield Edit((Change(step.start, other.end, other.text + between + step.text),))


OPERATOR = Operator("reordered", "structure", propose, "a step before the one that it needs")
