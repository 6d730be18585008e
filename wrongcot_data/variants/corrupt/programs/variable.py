"""Wrong variable: another name of the program where one is read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from random import Random

from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import statement_of


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Each variable that the statement reads, replaced by others that the program has given a value before it."""
    statement = statement_of(place)
    if not statement:
        return
    known = sorted(_names(place))
    read = [
        node
        for node in statement.nodes()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in known
    ]
    pairs = [(node, other) for node in read for other in known if other != node.id]
    rng.shuffle(pairs)
    for node, other in pairs:
        start, end = statement.span(node)
        yield Edit((statement.change(start, end, other),))


def _names(place: Place) -> set[str]:
    """Parameters and variables up to the statement; a definition's head is read for its parameters."""
    names: set[str] = set()
    for step in place.steps[: place.number]:
        for body in ("", " pass"):
            try:
                tree = syntax_tree(step.text + body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            names |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
            names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            break
    return names


OPERATOR = Operator("variable", "program", propose, "another variable of the program")
