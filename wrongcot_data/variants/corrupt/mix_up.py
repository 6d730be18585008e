"""Mix-up: the value of another step taken for the one that is meant, or a result in another unit."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.numerals import anatomies, numbers_in

_UNITS = tuple(map(Fraction, (60, 100, 1000, 12, 7, 24, 10)))
"""Seconds and minutes, cents, metres and grams, dozens and months, weeks, days, and a zero too many."""


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Operands replaced by what steps before came to; results multiplied or divided by what units differ by."""
    found = anatomies(place)
    earlier = sorted({one.value for step in place.steps[: place.number] for one in numbers_in(step.text)[-1:]})
    variables = [(one, value) for parts in found for one in parts.operands for value in earlier if value != one.value]
    units = [(one.result, one.result.value * by) for one in found if one.result for by in _UNITS]
    units += [(one.result, one.result.value / by) for one in found if one.result for by in _UNITS]
    rng.shuffle(variables)
    rng.shuffle(units)
    ways = [(variables, "variable"), (units, "unit")]
    rng.shuffle(ways)
    for pairs, kind in ways:
        for numeral, value in pairs[:4]:
            change = numeral.rewritten(value)
            if change and value > 0:
                yield Edit((change,), kind)


OPERATOR = Operator("mix-up", "equation", propose, "another step's value, or another unit")
