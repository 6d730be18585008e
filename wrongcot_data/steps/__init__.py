"""Steps: a trace cut into pieces with exact offsets, and what can be checked of each piece.

The machinery that no task owns. A task chooses a way to cut and a way to check; Countdown takes both as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from wrongcot_data.records import Step
from wrongcot_data.steps.equations import find_equations

FALSE_EQUATION = "false equation"
"""Kind of a step that is invalid because an equation in it does not hold."""

_LINE = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(r"(?<=[.!?;])[ \t]+(?=\S)")
_ENUMERATOR = re.compile(r"\s*(?:[A-Za-z]+ )?[0-9]{1,3}[.)]\s*\Z")


def split_lines(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of the lines that are not blank, without the white space around them."""
    for line in _LINE.finditer(text):
        yield from _trimmed(text, *line.span())


def split_sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of one line. The `1.` of a list belongs to what follows it."""
    begin = start
    for gap in _SENTENCE_END.finditer(text, start, end):
        if not _ENUMERATOR.match(text[begin : gap.start()]):
            yield from _trimmed(text, begin, gap.start())
            begin = gap.end()
    yield from _trimmed(text, begin, end)


def equation_steps(text: str) -> list[Step]:
    """Cut a trace into steps and check the equations in them exactly. Never raises.

    A step is a line that is not blank; a line with equations in two or more of its sentences is cut into its
    sentences. `valid`: it has equations and all that can be checked hold; `invalid`: one is false; `unchecked`: there
    is none that can be checked.
    """
    steps = []
    for start, end in split_lines(text):
        step = _checked(text, start, end)
        if step.verdict != "unchecked":
            sentences = [_checked(text, *span) for span in split_sentences(text, start, end)]
            if sum(sentence.verdict != "unchecked" for sentence in sentences) > 1:
                steps.extend(sentences)
                continue
        steps.append(step)
    return steps


def _checked(text: str, start: int, end: int) -> Step:
    """One step with the verdict of its equations."""
    piece = text[start:end]
    verdicts = {equation.verdict for equation in find_equations(piece)}
    if "invalid" in verdicts:
        return Step(start, end, piece, "invalid", FALSE_EQUATION)
    return Step(start, end, piece, "valid" if "valid" in verdicts else "unchecked")


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The span without the white space around it; nothing where nothing is left."""
    piece = text[start:end]
    inner = piece.strip()
    if inner:
        begin = start + len(piece) - len(piece.lstrip())
        yield begin, begin + len(inner)
