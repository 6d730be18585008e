"""Steps of a reply that holds a program: its statements, and the lines of prose around them."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

from wrongcot_data.records import Step
from wrongcot_data.steps import equation_steps, split_lines

SYNTAX_ERROR = "syntax error"
"""Kind of a step that is invalid because the program it belongs to does not parse, and it is the line that is named."""

MAX_PROGRAM = 100_000
"""Characters of a program that is parsed; a longer one is cut into its lines."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
_FENCE = re.compile(r"(?:`{3,}|~{3,})[ \t]*[\w+-]*")
_REST_OF_LINE = re.compile(r"[^\r\n]+")
_BLANKS = " \t\f;"

_BLOCKS = ("body", "handlers", "cases", "orelse", "finalbody")


def reply_steps(text: str, program_span: tuple[int, int] | None) -> list[Step]:
    """Cut a reply into steps: lines of prose with their equations checked, and the statements of the program in it.

    The lines of a fence around the program are no steps. Never raises.

    Args:
        text: the reply; offsets of the steps count in it.
        program_span: where the program is; None for a reply without one.
    """
    if program_span is None:
        return _prose_steps(text, 0, len(text))
    start, end = program_span
    return [*_prose_steps(text, 0, start), *program_steps(text, start, end), *_prose_steps(text, end, len(text))]


def program_steps(text: str, start: int = 0, end: int | None = None) -> list[Step]:
    """Cut the Python program `text[start:end]` into its statements. Never raises; nothing is executed.

    A simple statement is one step; of a compound one, such as `def` or `if`, each header (`else:` too) is a step, and
    so is each statement of its body. Comments are no steps, except at the end of a header's line. All are
    `unchecked`. Of a program that does not parse the steps are the lines that are not blank, and the line of the
    syntax error is `invalid`. A program that is too long or too deeply nested to be parsed is cut into lines.
    """
    end = len(text) if end is None else end
    source = text[start:end]
    try:
        if len(source) > MAX_PROGRAM:
            raise ValueError("too long to parse")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes such as "\d", which say nothing about the trace
            module = ast.parse(source)
        spans = list(_Spans(source).of_block(module.body, 0))
    except SyntaxError as error:
        return _broken(text, start, end, error.lineno)
    except (RecursionError, MemoryError, ValueError):
        return [_unchecked(text, *span) for span in split_lines(text, start, end)]
    return [_unchecked(text, start + first, start + last) for first, last in spans]


class _Spans:
    """Turns the positions of a syntax tree (line, column in UTF-8 bytes) into offsets of characters."""

    def __init__(self, source: str) -> None:
        self._source = source
        data = source.encode()
        self._starts = [0, *(newline.end() for newline in re.finditer(_NEWLINE.pattern.encode(), data))]
        self._chars: Sequence[int] = ()
        """How many characters begin before each byte; empty where every character is one byte."""
        if len(data) > len(source):
            self._chars = list(accumulate((byte & 0xC0 != 0x80 for byte in data), initial=0))

    def of_block(self, block: list[ast.stmt], after: int) -> Iterator[tuple[int, int]]:
        """Spans of the statements of a block, headers of blocks within it among them; `after` is where it may begin."""
        for statement in block:
            yield from self.of_node(statement, max(after, self.start(statement)))
            after = self.end(statement)

    def of_node(self, node: ast.stmt | ast.excepthandler | ast.match_case, begin: int) -> Iterator[tuple[int, int]]:
        """Spans of one statement that begins at `begin`, or of an `except` or `case` with its block."""
        blocks = [block for name in _BLOCKS if (block := getattr(node, name, None))]
        if not blocks:
            yield begin, self.end(node)
            return
        for block in blocks:
            for part in block if not isinstance(block[0], ast.stmt) else [block]:
                if isinstance(part, list):
                    yield from self._header(begin, self.start(part[0]))
                    yield from self.of_block(part, begin)
                    begin = self.end(part[-1])
                else:
                    case = self.start(part)
                    yield from self._header(begin, case)
                    yield from self.of_node(part, case)
                    begin = self.end(part)

    def start(self, node: ast.stmt | ast.excepthandler | ast.match_case) -> int:
        """Where a statement begins, with its decorators."""
        if isinstance(node, ast.match_case):
            return self._source.rindex("case", 0, self._offset(node.pattern.lineno, node.pattern.col_offset))
        decorators = getattr(node, "decorator_list", None)
        if decorators:
            return self._source.rindex("@", 0, self._offset(decorators[0].lineno, decorators[0].col_offset))
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: ast.stmt | ast.excepthandler | ast.match_case) -> int:
        """Where a statement ends."""
        if isinstance(node, ast.match_case):
            return self.end(node.body[-1])
        return self._offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def _header(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """What is written between two blocks, such as `else:`, without comments around it; nothing if that is all."""
        lines = []
        for line in _REST_OF_LINE.finditer(self._source, begin, end):
            text = line[0].lstrip(_BLANKS)
            if text and not text.startswith("#"):
                lines.append((line.end() - len(text), line.start() + len(line[0].rstrip())))
        if lines:
            yield lines[0][0], lines[-1][1]

    def _offset(self, line: int, column: int) -> int:
        """The offset of a line (from 1) and a column in bytes."""
        place = self._starts[line - 1] + column
        return self._chars[place] if self._chars else place


class _Line(NamedTuple):
    start: int
    end: int


def _broken(text: str, start: int, end: int, number: int | None) -> list[Step]:
    """The lines of a program that does not parse; the one at or before line `number` (from 1) is invalid."""
    lines = [_Line(*span) for span in split_lines(text, start, end)]
    starts = _line_starts(text[start:end])
    if number is None:  # a zero byte: the only error that names no line
        limit = max(text.find("\0", start, end), start)
    else:
        limit = start + (starts[number] - 1 if 0 < number < len(starts) else end - start)
    blamed = max(bisect_right([line.start for line in lines], limit) - 1, 0)
    steps = [_unchecked(text, *line) for line in lines]
    steps[blamed : blamed + 1] = [
        Step(step.start, step.end, step.text, "invalid", SYNTAX_ERROR) for step in steps[blamed : blamed + 1]
    ]
    return steps


def _prose_steps(text: str, start: int, end: int) -> list[Step]:
    """The lines around a program, without those of a fence."""
    return [step for step in equation_steps(text, start, end) if not _FENCE.fullmatch(step.text)]


def _line_starts(source: str) -> list[int]:
    """Where the lines of a program begin, as Python's own reader counts them."""
    return [0, *(newline.end() for newline in _NEWLINE.finditer(source))]


def _unchecked(text: str, start: int, end: int) -> Step:
    """A step of which nothing is said."""
    return Step(start, end, text[start:end], "unchecked")
