"""Constant: another number, the other truth value, no text where there was one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import statement_of


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Each constant replaced by one near it."""
    statement = statement_of(place)
    if not statement:
        return
    constants = [node for node in statement.nodes() if isinstance(node, ast.Constant)]
    rng.shuffle(constants)
    for node in constants:
        other = _other(node.value, rng)
        start, end = statement.span(node)
        if other is not None and start < end:
            yield Edit((statement.change(start, end, other),))


def _other(value: object, rng: Random) -> str | None:
    if isinstance(value, bool):
        return str(not value)
    if isinstance(value, int):
        return str(value + rng.choice((1, -1)) if value > 1 else 1 - value)
    if isinstance(value, float):
        return repr(value + 1)
    if isinstance(value, str):
        return "''" if value else "' '"
    return None


OPERATOR = Operator("constant", "program", propose, "another number, truth value or text")
