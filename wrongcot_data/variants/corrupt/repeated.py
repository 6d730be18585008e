"""Repeated step: once more what was said just now, as if its numbers were still there."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place
from wrongcot_data.variants.corrupt.structure import separator


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """The step a second time, directly behind itself."""
    step = place.step
    yield Edit((Change(step.end, step.end, separator(place) + step.text),))


OPERATOR = Operator("repeated", "structure", propose, "a step a second time")
