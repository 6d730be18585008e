"""Boundary: one too far or too short, in a comparison, a range or an index."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.comparison import swapped
from wrongcot_data.variants.corrupt.programs.statements import Statement, statement_of

_NEXT = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Comparisons with and without equality; bounds of ranges and slices, and indices, one more or less."""
    statement = statement_of(place)
    if not statement:
        return
    yield from swapped(statement, _NEXT, rng)
    bounds = list(_bounds(statement))
    rng.shuffle(bounds)
    for bound in bounds:
        start, end = statement.span(bound)
        by = rng.choice(("+ 1", "- 1"))
        plain = isinstance(bound, ast.Name | ast.Constant | ast.Call | ast.Subscript | ast.Attribute)
        text = statement.text(bound)
        yield Edit((statement.change(start, end, f"{text} {by}" if plain else f"({text}) {by}"),))


def _bounds(statement: Statement) -> Iterator[ast.expr]:
    for node in statement.nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
            yield from node.args[:2]
        elif isinstance(node, ast.Slice):
            yield from (bound for bound in (node.lower, node.upper) if bound is not None)
        elif isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice | ast.Tuple):
            yield node.slice


OPERATOR = Operator("boundary", "program", propose, "a bound or an index off by one")
