"""Arithmetic: another operation on the same values; `and` for `or`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import Statement, statement_of

_OTHERS = {
    "+": "-",
    "-": "+",
    "*": "+",
    "/": "*",
    "//": "*",
    "%": "//",
    "**": "*",
    "<<": ">>",
    ">>": "<<",
    "&": "|",
    "|": "&",
    "^": "|",
    "and": "or",
    "or": "and",
}
_SIGN = re.compile(r"\*\*|//|<<|>>|[-+*/%&|^]|\band\b|\bor\b")


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Each operation between two values, replaced by another one."""
    statement = statement_of(place)
    if not statement:
        return
    signs = [found for start, end in _gaps(statement) if (found := _SIGN.search(statement.source, start, end))]
    rng.shuffle(signs)
    for found in signs:
        yield Edit(
            (statement.change(found.start(), found.end(), _OTHERS[found[0]]),), f"{found[0]} to {_OTHERS[found[0]]}"
        )


def _gaps(statement: Statement) -> Iterator[tuple[int, int]]:
    """What stands between the operands of each operation."""
    for node in statement.nodes():
        if isinstance(node, ast.BinOp):
            yield statement.span(node.left)[1], statement.span(node.right)[0]
        elif isinstance(node, ast.AugAssign):
            yield statement.span(node.target)[1], statement.span(node.value)[0]
        elif isinstance(node, ast.BoolOp):
            for left, right in zip(node.values, node.values[1:], strict=False):
                yield statement.span(left)[1], statement.span(right)[0]


OPERATOR = Operator("arithmetic", "program", propose, "another operation on the same values")
