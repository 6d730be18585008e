"""Steps: a trace cut into pieces with exact offsets, and what can be checked of each piece.

The machinery that no task owns. A task chooses a way to cut and a way to check; Countdown takes both as they are.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from wrongcot_data.records import Step, StepVerdict
from wrongcot_data.steps.equations import Equation, find_equations

FALSE_EQUATION = "false equation"
"""Kind of a step that is invalid because an equation in it does not hold."""

Checked = tuple[Equation, str]
"""An equation, and the kind of what is wrong with it; empty where it holds."""

_LINE = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(r"(?<=[.!?;])[ \t]+(?=\S)")
_ENUMERATOR = re.compile(r"\s*(?:[A-Za-z]+ )?[0-9]{1,3}[.)]\s*\Z")


def split_lines(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Offsets of the lines of `text[start:end]` that are not blank, without the white space around them."""
    for line in _LINE.finditer(text, start, len(text) if end is None else end):
        yield from _trimmed(text, *line.span())


def split_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of one line. The `1.` of a list belongs to what follows it."""
    begin = start
    for gap in _SENTENCE_END.finditer(text, start, end):
        if not _ENUMERATOR.match(text[begin : gap.start()]):
            yield from _trimmed(text, begin, gap.start())
            begin = gap.end()
    yield from _trimmed(text, begin, end)


def equation_steps(text: str, start: int = 0, end: int | None = None) -> list[Step]:
    """Cut a trace, or `text[start:end]` of it, into steps and check the equations in them exactly. Never raises.

    `valid`: a step has equations and all that can be checked hold; `invalid`: one is false; `unchecked`: there is none
    that can be checked. What is false, and what would be right, is what `equations.false_equations` says of the trace.
    """
    checked = [
        (equation, FALSE_EQUATION if equation.verdict == "invalid" else "")
        for equation in find_equations(text, start, end)
        if equation.verdict != "unchecked"
    ]
    return cut(text, checked, start, end)


def cut(text: str, checked: Iterable[Checked], start: int = 0, end: int | None = None) -> list[Step]:
    """Cut a trace, or `text[start:end]` of it, into steps that say what was found in them.

    A step is a line that is not blank; a line with equations in two or more of its sentences is cut into its
    sentences. An equation over several lines belongs to the one it ends in.

    Args:
        checked: equations in order, each with the kind of what is wrong with it, empty where it holds.
    """
    waiting = deque(checked)
    steps: list[Step] = []
    for line in split_lines(text, start, end):
        within = []
        while waiting and waiting[0][0].end <= line[1]:
            within.append(waiting.popleft())
        spans = list(split_sentences(text, *line)) if len(within) > 1 else []
        parts = [[found for found in within if first < found[0].end <= last] for first, last in spans]
        if sum(map(bool, parts)) > 1:
            steps.extend(_step(text, span, part) for span, part in zip(spans, parts, strict=True))
        else:
            steps.append(_step(text, line, within))
    return steps


def _step(text: str, span: tuple[int, int], within: Sequence[Checked]) -> Step:
    """One step with the verdict of its equations."""
    start, end = span
    kind = next((kind for _, kind in within if kind), "")
    verdict: StepVerdict = "invalid" if kind else "valid" if within else "unchecked"
    return Step(start, end, text[start:end], verdict, kind)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space around it; nothing where nothing is left."""
    piece = text[start:end]
    inner = piece.strip()
    if inner:
        begin = start + len(piece) - len(piece.lstrip())
        yield begin, begin + len(inner)
