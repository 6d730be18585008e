"""The program in a reply: fenced, between marks, or raw with prose around it. Linear in the length, never raises."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wrongcot_data.graders.support import support_of
from wrongcot_data.graders.syntax import syntax_tree

MAX_PROGRAM = 100_000
"""Characters of a program; a longer one is not read."""

How = Literal["fenced", "marked", "raw"]

_FENCE = re.compile(r"^([ \t]*)(```+|~~~+)[ \t]*([A-Za-z0-9_+.-]*)[^\n]*$", re.MULTILINE)
_MARKS = re.compile(r"\[BEGIN\]\n?(.*?)(\[DONE\]|\Z)|<code>\n?(.*?)(</code>|\Z)", re.DOTALL)
_PYTHON = re.compile(r"|(?:i?python|py)[0-9.]*|pycon|sage|code|tool_code", re.IGNORECASE)
_DEFINES = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)|^[ \t]*(\w+)[ \t]*=[ \t]*lambda\b", re.MULTILINE
)
_BEGINS = re.compile(
    r"^[ \t]*(?:(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(|class[ \t]+\w+[ \t]*[(:]|\w+[ \t]*=[ \t]*lambda\b|@\w"
    r"|try[ \t]*:[ \t]*$|import[ \t]+[\w.]+[ \t]*(?:$|[,;#\r]|as[ \t])|from[ \t]+[\w.]+[ \t]+import[ \t])",
    re.MULTILINE,
)
_TOP_LEVEL = re.compile(r"^(?=[^\s#)\]}])", re.MULTILINE)
_ABOVE = re.compile(r"^(?=[^\s)\]}])", re.MULTILINE)
_TURN_ENDS = re.compile(r"<\|(?:im_end|endoftext|end_of_text|eot_id|eom_id|end|im_start)\|>|<end_of_turn>|<eos>")
_TRIALS = 40
"""Beginnings and ends that are tried for a raw program with prose around it; most need two."""
MAX_ABOVE = 10_000
"""Characters above the first definition of a raw program that may belong to it."""
_MAX_PARTS = 20
"""Raw programs that are looked for in one reply."""
_WORDS = (ast.Name, ast.Attribute, ast.Tuple, ast.List, ast.Set, ast.UnaryOp, ast.BinOp, ast.BoolOp, ast.Compare)
_WORDS_BETWEEN = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


@dataclass(frozen=True, slots=True)
class Program:
    """A program: `text == reply[start:end]`, how it was marked, and whether a mark says that it ended there.

    Attributes:
        support: definitions and imports from other blocks of the reply that it needs; they run first.
    """

    text: str
    start: int
    end: int
    how: How
    closed: bool = False
    support: str = ""

    @property
    def source(self) -> str:
        """What is run."""
        return "\n".join([*([self.support] if self.support else []), dedented(self.text)])


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
    blocks, from the first line that begins a definition or an import, as far as it parses, and the same again below;
    last a block that defines nothing. What follows the end of the turn is no part of the reply.

    Args:
        wanted: names that the tests call.
    """
    turn = _TURN_ENDS.search(completion)
    if turn is not None and completion[: turn.start()].strip():
        completion = completion[: turn.start()]
    blocks = list(_fenced(completion))
    fenced = [span for span in blocks if span.python and completion[span.start : span.end].strip()]
    marked = list(_marked(completion)) if not fenced else []
    spans = fenced or marked
    how: How = "fenced" if fenced else "marked"
    span = _chosen(completion, spans, wanted)
    if span is not None:
        return _program(completion, span, how, spans)
    raw = list(_raws(completion, blocks))
    if raw:
        return _program(completion, _chosen(completion, raw, wanted) or raw[0], "raw", raw)
    return _program(completion, spans[-1], how, spans) if spans else None


def dedented(text: str) -> str:
    """A program without the indentation of its first line; what is indented less, as in a text of many lines, stays."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    margin = first[: len(first) - len(first.lstrip())]
    return "\n".join(line.removeprefix(margin) for line in text.split("\n")) if margin else text


def _chosen(completion: str, spans: Sequence[_Span], wanted: Collection[str]) -> _Span | None:
    """The last span that defines a wanted name and is no stub, else the last that defines any."""
    names = "|".join(sorted(map(re.escape, wanted)))
    binds = re.compile(rf"^[ \t]*({names})[ \t]*(?::[^=\n]*)?=[^=]", re.MULTILINE) if wanted else None
    defining: _Span | None = None
    stub: _Span | None = None
    for span in reversed(spans):
        defined = {match[1] or match[2] for match in _DEFINES.finditer(completion, span.start, span.end)}
        if not defined.isdisjoint(wanted) or (binds and binds.search(completion, span.start, span.end)):
            if not _is_stub(completion[span.start : span.end], wanted):
                return span
            stub = stub or span
        elif defined and defining is None:
            defining = span
    return stub or defining


def _is_stub(text: str, wanted: Collection[str]) -> bool:
    """Whether it only shows how a wanted function is called: `def f(x): ...`, or not even dots."""
    if len(text) > MAX_PROGRAM:
        return False
    for more in ("", "\n    ..."):
        try:
            body = syntax_tree(dedented(text).rstrip() + more).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        found = [one for one in body if isinstance(one, ast.FunctionDef) and one.name in wanted]
        return bool(found) and all(_does_nothing(part) for one in found for part in one.body)
    return False


def _does_nothing(one: ast.stmt) -> bool:
    return isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))


def _program(completion: str, span: _Span, how: How, others: Sequence[_Span]) -> Program | None:
    text = completion[span.start : span.end]
    if not text.strip():
        return None
    # the blanks before the first line stay where the whole block is indented; dedenting is done where it is run
    start = span.start + len(text) - len(text.lstrip("\n\r"))
    end = span.end - len(text) + len(text.rstrip())
    chosen = completion[start:end]
    support = support_of(dedented(chosen), [dedented(completion[one.start : one.end]) for one in others if one != span])
    return Program(chosen, start, end, how, span.closed, support)


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


def _raws(completion: str, blocks: Sequence[_Span]) -> Iterator[_Span]:
    """The raw programs outside of all blocks, with prose between them."""
    above = 0
    for count in range(_MAX_PARTS):
        begin = _BEGINS.search(completion, above)
        if begin is None or any(block.start <= begin.start() < block.end for block in blocks):
            return
        most = min((block.start for block in blocks if block.start > begin.end()), default=len(completion))
        span = _raw(completion, above, begin.start(), most)
        if span is None and count:  # a line of prose that begins as a definition does
            above = begin.end()
            continue
        yield span or _Span(begin.start(), most, closed=False)
        if span is None:
            return
        above = span.end


def _raw_start(completion: str, least: int, begin: int) -> int:
    """Where a raw program begins: with the earliest line above its first definition or import that is code."""
    least = max(least, begin - MAX_ABOVE)
    lines = [match.start() for match in _ABOVE.finditer(completion, least, begin)]
    codes = (at for at in lines[-_TRIALS:] if _failing_line(completion[at:begin]) == 0)
    return next(codes, begin)


def _raw(completion: str, least: int, begin: int, most: int) -> _Span | None:
    """The raw program around a definition or import: all above if that is code too, all below that parses.

    Args:
        least: where what is above may begin.

    Returns:
        None where nothing parses.
    """
    above = _raw_start(completion, least, begin)
    for first in dict.fromkeys((least, above, begin)):
        # an evenly indented text; else a first line that alone is indented, as of a reply that begins with a blank
        if most - first <= MAX_PROGRAM and _failing_line(dedented(completion[first:most])) == 0:
            return _Span(first, most, closed=False)
        start = most - len(completion[first:most].lstrip())
        end = _raw_end(completion, start, most)
        if end > begin:
            return _Span(start, end, closed=False)
    return None


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
    if not isinstance(one, ast.Expr):
        return False
    if isinstance(one.value, ast.Name | ast.Attribute | ast.Tuple | ast.Compare):
        return True
    return all(isinstance(part, _WORDS + _WORDS_BETWEEN) for part in ast.walk(one.value))  # `[DONE]`, `not bad`
