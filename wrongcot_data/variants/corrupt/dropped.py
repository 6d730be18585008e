"""Dropped step: what it came to is not there for those that need it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """The step without a trace, with the white space up to the next one."""
    step, behind = place.step, place.steps[place.number + 1 :]
    before = place.steps[: place.number]
    if behind:
        yield Edit((Change(step.start, behind[0].start, ""),))
    elif before:
        yield Edit((Change(before[-1].end, step.end, ""),))


OPERATOR = Operator("dropped", "structure", propose, "a step taken out of a search")
