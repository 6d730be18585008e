"""What a program needs from the other blocks of its reply: helpers and imports that are shown apart from it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from wrongcot_data.graders.syntax import syntax_tree

MAX_BLOCKS = 50
"""Other blocks that are read, from the last."""
MAX_CHARACTERS = 100_000
"""Of all of them."""

_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_Binding = ast.Import | ast.ImportFrom | ast.Assign | ast.AnnAssign | _Definition


def support_of(program: str, others: Sequence[str]) -> str:
    """The definitions, imports and constants of other blocks that give a meaning to names which a program leaves open.

    The last block that binds a name wins. Nothing else of a block is taken: examples of use are not run.

    Returns:
        Their source; empty where nothing is needed, or the program is no Python.
    """
    body = _parsed(program) if others else []
    wanted = _loaded(body) - _bound(body) - frozenset(dir(builtins))
    if not wanted or any(map(_is_of_the_future, body)):  # nothing may stand before that
        return ""
    parsed = [one for text in _within(others) for one in _parsed(text)]
    statements = [one for one in parsed if isinstance(one, _Binding) and not _is_of_the_future(one)]
    taken: dict[int, ast.stmt] = {}
    while wanted:
        name = wanted.pop()
        at = next((at for at in reversed(range(len(statements))) if name in _bound([statements[at]])), None)
        if at is not None and at not in taken:
            taken[at] = statements[at]
            wanted |= _loaded([statements[at]]) - _bound([statements[at]]) - _bound(body)
    return "\n".join(ast.unparse(taken[at]) for at in sorted(taken))


def _within(others: Sequence[str]) -> list[str]:
    """The last blocks, as many as may be read, in their order."""
    read: list[str] = []
    left = MAX_CHARACTERS
    for text in reversed(others[-MAX_BLOCKS:]):
        left -= len(text)
        if left < 0:
            break
        read.append(text)
    return read[::-1]


def _parsed(text: str) -> list[ast.stmt]:
    try:
        return syntax_tree(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _is_of_the_future(one: ast.stmt) -> bool:
    return isinstance(one, ast.ImportFrom) and one.module == "__future__"


def _loaded(body: Sequence[ast.stmt]) -> set[str]:
    return {node.id for node in _nodes(body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}


def _bound(body: Sequence[ast.stmt]) -> frozenset[str]:
    """All names that are given a meaning anywhere in it."""
    found: set[str] = set()
    for node in _nodes(body):
        match node:
            case ast.Name(ctx=ast.Store(), id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.alias(name=name, asname=alias):
                found.add(alias or name.split(".")[0])
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                found.add(name)
    return frozenset(found)


def _nodes(body: Sequence[ast.stmt]) -> Iterator[ast.AST]:
    return (node for one in body for node in ast.walk(one))
