"""A statement of a program as a tree, with the places of its nodes in the whole text."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.variants.corrupt.base import Change, Place

_CONTINUED = ("elif", "else", "except", "finally", "case")


@dataclass(frozen=True, slots=True)
class Statement:
    """A simple statement, or the head of one that holds others.

    Attributes:
        source: its text; `offset` is where it begins in the whole text.
        tree: of it alone; a head is read as if it held `pass`.
        is_simple: whether it holds no others.
    """

    source: str
    offset: int
    tree: ast.stmt
    is_simple: bool

    def nodes(self) -> Iterator[ast.AST]:
        """Every node of it that has a place."""
        yield from ast.walk(self.tree)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Where an expression stands in the statement's own text."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.lineno, node.col_offset), self._at(node.end_lineno, node.end_col_offset)

    def text(self, node: ast.expr) -> str:
        """An expression as it is written."""
        start, end = self.span(node)
        return self.source[start:end]

    def change(self, start: int, end: int, text: str) -> Change:
        """A change of the statement's own text, as one of the whole text."""
        return Change(self.offset + start, self.offset + end, text)

    def _at(self, line: int, column: int) -> int:
        at = 0
        for _ in range(line - 1):
            at = self.source.index("\n", at) + 1
        return at + column


def statement_of(place: Place) -> Statement | None:
    """The statement that a step is; None for prose, definitions, imports, docstrings, `else:` and what is not ASCII.

    A `while` and what it holds is left alone: changed, it mostly runs for ever, and running out of time is no proof
    that another machine would give.
    """
    text, offset = place.step.text, place.step.start
    if not text.isascii() or "\r" in text or "\f" in text:
        return None
    if text.startswith("elif"):
        text, offset = text[2:], offset + 2
    if text.startswith(_CONTINUED) or _is_in_while(place):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        for body, is_simple in (("", True), (" pass", False)):
            try:
                tree = syntax_tree(text + body)
            except (SyntaxError, ValueError, RecursionError, MemoryError):
                continue
            if len(tree.body) != 1 or not _is_worth(tree.body[0]):
                return None
            return Statement(text, offset, tree.body[0], is_simple)
    return None


def _is_in_while(place: Place) -> bool:
    """Whether a step is a `while` or within one, by how far it and those before it are indented."""
    depth = _depth(place.text, place.step.start) + 1
    for step in reversed(place.steps[: place.number + 1]):
        here = _depth(place.text, step.start)
        if here < depth:
            depth = here
            if step.text.startswith("while"):
                return True
    return False


def _depth(text: str, start: int) -> int:
    return start - text.rfind("\n", 0, start) - 1


def _is_worth(tree: ast.stmt) -> bool:
    if isinstance(tree, ast.Expr) and isinstance(tree.value, ast.Constant):
        return False
    return not isinstance(
        tree,
        ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass | ast.Global,
    )
