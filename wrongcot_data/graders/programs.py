"""The program in a reply: fenced, between marks, or raw with prose around it. Linear in the length, never raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_PROGRAM = 100_000
"""Characters of a program; a longer one is not read."""

_FENCE = re.compile(r"^[ \t]{0,3}(```+|~~~+)[ \t]*([A-Za-z0-9_+.-]*)[^\n]*$", re.MULTILINE)
_MARKS = re.compile(r"\[BEGIN\]\n?(.*?)(?:\[DONE\]|\Z)|<code>\n?(.*?)(?:</code>|\Z)", re.DOTALL)
_PYTHON = frozenset({"", "python", "py", "python3", "python2", "py3", "pycon"})
_DEFINES = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+\w|^\w+[ \t]*=[ \t]*lambda\b", re.MULTILINE)
_BEGINS = re.compile(
    r"^(?:(?:async[ \t]+def|def|class)[ \t]+\w|@\w|import[ \t]+\w|from[ \t]+[\w.]+[ \t]+import[ \t]"
    r"|\w+[ \t]*=[ \t]*lambda\b)",
    re.MULTILINE,
)
_ABOVE = re.compile(r"#|[A-Za-z_]\w*[ \t]*=[^=]")
_TOP_LEVEL = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)
_TRIALS = 40
"""Ends that are tried for a raw program with prose after it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program: `text == reply[start:end]`, and how it was marked."""

    text: str
    start: int
    end: int
    how: Literal["fenced", "marked", "raw"]


def find_program(completion: str) -> Program | None:
    """The program of a reply; None where there is none.

    The last fenced block of Python that defines something wins, or the last one of Python if none does: replies show
    examples of use after the program, and better versions after worse ones. A block that is never closed goes to the
    end. Without a fence, what stands between `[BEGIN]` and `[DONE]` or in `<code>`; else the text from the first line
    that begins a definition or an import, as far as it parses.
    """
    spans = list(_fenced(completion))
    how: Literal["fenced", "marked", "raw"] = "fenced"
    if not spans:
        how = "marked"
        spans = [match.span(1 if match[1] is not None else 2) for match in _MARKS.finditer(completion)]
    if spans:
        defining = [span for span in spans if _DEFINES.search(completion, *span)]
        return _program(completion, *(defining or spans)[-1], how)
    begin = _BEGINS.search(completion)
    if begin is None:
        return None
    start = _raw_start(completion, begin.start())
    return _program(completion, start, _raw_end(completion, start), "raw")


def _program(completion: str, start: int, end: int, how: Literal["fenced", "marked", "raw"]) -> Program | None:
    text = completion[start:end]
    stripped = text.strip("\n \t\r")
    if not stripped:
        return None
    # the blanks before the first line stay where the whole block is indented; dedenting is the grader's business
    start += len(text) - len(text.lstrip("\n\r"))
    end -= len(text) - len(text.rstrip())
    return Program(completion[start:end], start, end, how)


def _fenced(completion: str) -> Iterator[tuple[int, int]]:
    """The insides of the fenced blocks that may be Python."""
    opened: re.Match[str] | None = None
    for fence in _FENCE.finditer(completion):
        if opened is None:
            opened = fence
        elif fence[1][0] == opened[1][0] and len(fence[1]) >= len(opened[1]) and not fence[2]:
            if opened[2].lower() in _PYTHON:
                yield min(opened.end() + 1, fence.start()), fence.start()
            opened = None
    if opened is not None and opened[2].lower() in _PYTHON:
        yield min(opened.end() + 1, len(completion)), len(completion)


def _raw_start(completion: str, begin: int) -> int:
    """Where a raw program begins: with the constants and remarks right above its first definition or import."""
    start = begin
    for line in reversed(completion[max(0, begin - MAX_PROGRAM) : begin].splitlines(keepends=True)):
        if line.strip() and not _ABOVE.match(line):
            break
        start -= len(line)
    return start


def _raw_end(completion: str, start: int) -> int:
    """Where a raw program ends: the longest of the last few stretches of whole statements that parses."""
    if len(completion) - start > MAX_PROGRAM:
        return len(completion)
    if parses(completion[start:]):
        return len(completion)
    tops = [match.start() for match in _TOP_LEVEL.finditer(completion, start)]
    for end in reversed(tops[1:][-_TRIALS:]):
        if parses(completion[start:end]):
            return end
    return len(completion)


def parses(source: str) -> bool:
    """Whether this is Python. The text of a long or deep one is not looked at."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
