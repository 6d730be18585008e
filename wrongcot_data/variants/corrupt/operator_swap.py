"""Operator swap: the right numbers put together by the wrong operation; the result stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

from wrongcot_data.steps.tokens import Token
from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place
from wrongcot_data.variants.corrupt.numerals import anatomies

_OTHERS = {"+": "-*", "-": "+/", "*": "+/", "/": "*-"}
_OPERAND = re.compile(r"[\s$&]*[0-9(.\\]")
_NOTATIONS = (
    {"+": "+", "-": "-", "*": r"\times", "/": r"\div"},
    {"+": "+", "-": "-", "*": r"\cdot", "/": r"\div"},
    {"+": "+", "-": "-", "*": "×", "/": "÷"},
    {"+": "+", "-": "-", "*": "*", "/": "/"},
)


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """The signs of the step's equations, each replaced by another one in the notation of its trace."""
    signs = [sign for one in anatomies(place) for sign in one.operators if _is_between(place.text, sign)]
    rng.shuffle(signs)
    for sign in signs:
        notation = _notation(place.text)
        others = list(_OTHERS[sign.value])
        rng.shuffle(others)
        for other in others:
            glued = notation[other].startswith("\\") and place.text[sign.end : sign.end + 1].isalpha()
            yield Edit((Change(sign.start, sign.end, notation[other] + " " * glued),), f"{sign.value} to {other}")


def _is_between(text: str, sign: Token) -> bool:
    """Whether a sign stands before an operand, and is not the stroke of a unit: `400 feet/gallon`."""
    return sign.value in _OTHERS and _OPERAND.match(text, sign.end) is not None


def _notation(text: str) -> dict[str, str]:
    """How a trace writes its operations."""
    return next((one for one in _NOTATIONS if one["*"] in text or one["/"] in text), _NOTATIONS[-1])


OPERATOR = Operator("operator-swap", "equation", propose, "another operation on the same numbers")
