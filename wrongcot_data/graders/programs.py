"""The program in a reply: fenced, between marks, or raw with prose around it. Linear in the length, never raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from textwrap import dedent
from typing import Literal

from wrongcot_data.graders.syntax import syntax_tree

MAX_PROGRAM = 100_000
"""Characters of a program; a longer one is not read."""

How = Literal["fenced", "marked", "raw"]

_FENCE = re.compile(r"^([ \t]*)(```+|~~~+)[ \t]*([A-Za-z0-9_+.-]*)[^\n]*$", re.MULTILINE)
_MARKS = re.compile(r"\[BEGIN\]\n?(.*?)(\[DONE\]|\Z)|<code>\n?(.*?)(</code>|\Z)", re.DOTALL)
_PYTHON = re.compile(r"|(?:i?python|py)[0-9.]*|pycon|sage", re.IGNORECASE)
_DEFINES = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*=[ \t]*lambda\b", re.MULTILINE
)
_BEGINS = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*[(:]|\w+[ \t]*=[ \t]*lambda\b|@\w"
    r"|import[ \t]+[\w.]+[ \t]*(?:$|[,;#\r]|as[ \t])|from[ \t]+[\w.]+[ \t]+import[ \t])",
    re.MULTILINE,
)
_ABOVE = re.compile(r"[ \t]*(?:#|[A-Za-z_]\w*[ \t]*=[^=])")
_TOP_LEVEL = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)
_TRIALS = 40
"""Ends that are tried for a raw program with prose after it; most need two."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program: `text == reply[start:end]`, how it was marked, and whether a mark says that it ended there."""

    text: str
    start: int
    end: int
    how: How
    closed: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    closed: bool
    python: bool = True


def find_program(completion: str, wanted: Collection[str] = ()) -> Program | None:
    """The program of a reply; None where there is none.

    The last fenced block of Python that defines a wanted name wins, else the last that defines anything: replies show
    tests and examples of use after the program, and better versions after worse ones. A block that is never closed
    goes to the end. Next comes what stands between `[BEGIN]` and `[DONE]` or in `<code>`, then raw text outside of all
    blocks, from the first line that begins a definition or an import, as far as it parses; last a block that defines
    nothing.

    Args:
        wanted: names that the tests call.
    """
    blocks = list(_fenced(completion))
    fenced = [span for span in blocks if span.python and completion[span.start : span.end].strip()]
    marked = list(_marked(completion)) if not fenced else []
    spans = fenced or marked
    how: How = "fenced" if fenced else "marked"
    span = _chosen(completion, spans, wanted)
    if span is not None:
        return _program(completion, span, how)
    begin = _BEGINS.search(completion)
    if begin is not None and not any(block.start <= begin.start() < block.end for block in blocks):
        most = min((block.start for block in blocks if block.start > begin.end()), default=len(completion))
        return _program(completion, _raw(completion, begin.start(), most), "raw")
    return _program(completion, spans[-1], how) if spans else None


def _chosen(completion: str, spans: list[_Span], wanted: Collection[str]) -> _Span | None:
    """The last span that defines a wanted name, else the last that defines any."""
    defining: _Span | None = None
    for span in reversed(spans):
        names = {match[1] or match[2] for match in _DEFINES.finditer(completion, span.start, span.end)}
        if not names.isdisjoint(wanted):
            return span
        if names and defining is None:
            defining = span
    return defining


def _program(completion: str, span: _Span, how: How) -> Program | None:
    text = completion[span.start : span.end]
    if not text.strip():
        return None
    # the blanks before the first line stay where the whole block is indented; dedenting is the grader's business
    start = span.start + len(text) - len(text.lstrip("\n\r"))
    end = span.end - len(text) + len(text.rstrip())
    return Program(completion[start:end], start, end, how, span.closed)


def _fenced(completion: str) -> Iterator[_Span]:
    """The insides of all fenced blocks."""
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(completion):
        if opened is None:
            opened = fence
            continue
        closes = fence[2][0] == opened[2][0] and len(fence[2]) >= len(opened[2]) and not fence[3]
        if closes and len(fence[1]) <= len(opened[1]) + 3:  # deeper ones are in a docstring
            yield _Span(min(opened.end() + 1, fence.start()), fence.start(), True, bool(_PYTHON.fullmatch(opened[3])))
            opened = None
    if opened is not None:
        start = min(opened.end() + 1, len(completion))
        end = completion.find(opened[2], start)  # behind the last line: `    return x```
        closed = end >= 0
        yield _Span(start, end if closed else len(completion), closed, bool(_PYTHON.fullmatch(opened[3])))


def _marked(completion: str) -> Iterator[_Span]:
    for match in _MARKS.finditer(completion):
        inside = 1 if match[1] is not None else 3
        if match[inside].strip():
            yield _Span(*match.span(inside), closed=bool(match[inside + 1]))


def _raw_start(completion: str, begin: int) -> int:
    """Where a raw program begins: with the constants and remarks right above its first definition or import."""
    start = begin
    for line in reversed(completion[max(0, begin - MAX_PROGRAM) : begin].splitlines(keepends=True)):
        if line.strip() and not _ABOVE.match(line):
            break
        start -= len(line)
    return start


def _raw(completion: str, begin: int, most: int) -> _Span:
    """The raw program around its first definition or import: all above if that is code too, all below that parses."""
    above = _raw_start(completion, begin)
    for first in dict.fromkeys((0, above, begin)):
        # an evenly indented text; else a first line that alone is indented, as of a reply that begins with a blank
        if most - first <= MAX_PROGRAM and _failing_line(dedent(completion[first:most])) == 0:
            return _Span(first, most, closed=False)
        start = most - len(completion[first:most].lstrip())
        end = _raw_end(completion, start, most)
        if end > begin:
            return _Span(start, end, closed=False)
    return _Span(begin, most, closed=False)


def _raw_end(completion: str, start: int, most: int) -> int:
    """Where the whole statements from `start` on end; 0 where none parses."""
    if most - start > MAX_PROGRAM:
        return 0
    tops = [match.start() - start for match in _TOP_LEVEL.finditer(completion, start, most)]
    text = completion[start:most]
    for _ in range(_TRIALS):
        line = _failing_line(text)
        if line == 0:
            return start + len(text)
        # all that stands above the line that does not parse, or a statement less where that was tried
        reach = sum(len(one) + 1 for one in text.split("\n")[: line - 1]) if line > 0 else len(text)
        ends = [top for top in tops if 0 < top <= reach and top < len(text)]
        if not ends:
            break
        text = text[: ends[-1]]
    return 0


def _failing_line(source: str) -> int:
    """The line, from 1, where this is no Python, or only happens to be: `python`, `Solution: this`, `Done`.

    Returns:
        0 where all of it is code; -1 where the line is not known.
    """
    try:
        body = syntax_tree(source).body
    except SyntaxError as error:
        return error.lineno or -1
    except (ValueError, RecursionError, MemoryError):
        return -1
    return next((one.lineno for one in body if _is_words(one)), 0)


def _is_words(one: ast.stmt) -> bool:
    if isinstance(one, ast.AnnAssign):
        return one.value is None
    return isinstance(one, ast.Expr) and isinstance(one.value, ast.Name | ast.Attribute | ast.Tuple | ast.Compare)
