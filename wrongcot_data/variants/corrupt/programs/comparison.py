"""Comparison: the opposite one, or one that looks the other way."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from random import Random

from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import Statement, statement_of

OTHERS: Mapping[str, str] = {
    "<": ">",
    ">": "<",
    "<=": ">=",
    ">=": "<=",
    "==": "!=",
    "!=": "==",
    "in": "not in",
    "not in": "in",
    "is": "is not",
    "is not": "is",
}
_SIGN = re.compile(r"<=|>=|==|!=|<|>|\bnot\s+in\b|\bin\b|\bis\s+not\b|\bis\b")


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Each sign of comparison replaced by its opposite."""
    statement = statement_of(place)
    if statement:
        yield from swapped(statement, OTHERS, rng)


def swapped(statement: Statement, others: Mapping[str, str], rng: Random) -> Iterator[Edit]:
    """The signs of a statement's comparisons, each replaced as a table says; those that it lacks stay."""
    signs = [
        (found.start(), found.end(), others[" ".join(found[0].split())])
        for node in statement.nodes()
        if isinstance(node, ast.Compare)
        for left, right in zip([node.left, *node.comparators], node.comparators, strict=False)
        if (found := _SIGN.search(statement.source, statement.span(left)[1], statement.span(right)[0]))
        and " ".join(found[0].split()) in others
    ]
    rng.shuffle(signs)
    for start, end, other in signs:
        yield Edit((statement.change(start, end, other),))


OPERATOR = Operator("comparison", "program", propose, "the opposite comparison")
