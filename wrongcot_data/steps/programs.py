"""Steps of a reply that holds a program: prose as lines with their equations checked, the program by its statements."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.records import Step
from wrongcot_data.steps import equation_steps, split_lines

SYNTAX_ERROR = "syntax error"
"""Kind of the line at which a program stops being one."""

MAX_PROGRAM = 100_000
"""Characters of a program that is read as one; a longer one is cut into lines."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


def reply_steps(text: str, program: tuple[int, int] | None) -> list[Step]:
    """Cut a reply into steps around the span of its program, if it has one. Never raises."""
    if program is None:
        return equation_steps(text)
    start, end = program
    after = [
        Step(step.start + end, step.end + end, step.text, step.verdict, step.kind)
        for step in equation_steps(text[end:])
    ]
    return [*equation_steps(text[:start]), *program_steps(text, start, end), *after]


def program_steps(text: str, start: int = 0, end: int | None = None) -> list[Step]:
    """The statements of the program `text[start:end]`, offsets counted in `text`. Never raises.

    A statement that holds others (a definition, a loop, a condition) is its head, then its statements, and `else:` by
    itself; all are `unchecked`, since what a statement is worth only shows when the whole program runs. A text that is
    no program is cut into lines, of which the one with the syntax error is `invalid`.
    """
    end = len(text) if end is None else end
    source = text[start:end]
    starts = [0, *(mark.end() for mark in re.finditer("\n", source))]
    broken_at = -1
    if len(source) <= MAX_PROGRAM and "\f" not in source and "\r" not in source:  # Python counts lines by those too
        try:
            tree = syntax_tree(_NOT_ASCII.sub("x", source))  # the tree's offsets count bytes: so they are characters
            spans = (span for statement in tree.body for span in _spans(statement, source, starts))
            return [_step(text, start + a, start + b, "") for a, b in spans]
        except SyntaxError as error:
            broken_at = (error.lineno or 0) - 1
        except (ValueError, RecursionError, MemoryError):
            pass
    broken = starts[broken_at] if 0 <= broken_at < len(starts) else -1
    return [
        _step(text, start + a, start + b, SYNTAX_ERROR if source.rfind("\n", 0, a) + 1 == broken else "")
        for a, b in split_lines(source)
    ]


def _step(text: str, start: int, end: int, kind: str) -> Step:
    piece = text[start:end].strip()
    start += text[start:end].index(piece)
    return Step(start, start + len(piece), piece, "invalid" if kind else "unchecked", kind)


def _spans(statement: ast.stmt, source: str, starts: list[int]) -> Iterator[tuple[int, int]]:
    """The span of a statement; of one that holds others, those of its head, of each within, of `else:` and the like."""
    begin, end = _span(statement, starts)
    inner = list(_statements_in(statement))
    if not inner or inner[0].lineno == statement.lineno:
        yield begin, end
        return
    at = begin
    for one in inner:
        first, last = _span(one, starts)
        if source[at:first].strip():
            yield at, first
        yield from _spans(one, source, starts)
        at = last


def _span(statement: ast.stmt, starts: list[int]) -> tuple[int, int]:
    assert statement.end_lineno is not None
    assert statement.end_col_offset is not None
    begin = starts[statement.lineno - 1] + statement.col_offset
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    if decorators:
        begin = starts[decorators[0].lineno - 1] + decorators[0].col_offset - 1  # with its `@`
    return begin, starts[statement.end_lineno - 1] + statement.end_col_offset


def _statements_in(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements that one holds, in order; those of an `except` or a `case` are in a node between."""
    for block in _BLOCKS:
        for one in getattr(statement, block, []):
            yield from [one] if isinstance(one, ast.stmt) else one.body
