r"""Equations in running text, found and checked exactly.

An equation is two or more expressions with `=` between them (`3 + 4 = 7`, `3 * 4 = 12 = 6 + 6`), at least one of them
more than a bare number. A false verdict is worse than none, so whatever may be only a piece of something else is left
unchecked: a side that does not parse, a letter or an operator that touches it (`2x + 3 = 7`), a word before it that
takes its first number (`half of 20 + 4 = 14`), a decimal that may be a rounded one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from wrongcot_data.graders.arithmetic import Evaluation, evaluate, normalise
from wrongcot_data.records import StepVerdict

MAX_EQUATION = 1_000
"""Characters of an equation that is checked; a longer run of arithmetic is left alone."""

_RUN = re.compile(
    r"""(?:
        [0-9+\-*/=\ \t{}×·∗⋅÷∕−–]
      | (?<!\\)[()\[\]]                     # but not the delimiters \( \[
      | (?<=[0-9])\.(?=[0-9])               # a decimal point, not a full stop
      | (?<=[0-9]),(?=[0-9]{3}(?![0-9]))    # a thousands separator
      | (?<=[0-9)\s])x(?=[\s0-9(])          # times
      | \\(?:times|cdot|div|left|right|[dt]?frac)(?![A-Za-z])
      | \\[,;!]
    )+""",
    re.VERBOSE,
)
_BULLET = re.compile(r"[ \t]*(?:[-+*–]|[0-9]{1,2}\)|\([0-9]{1,2}\))[ \t]+")
_GLUED_BEFORE = re.compile(r"[\w.,^%!√\\]\Z")
_GLUED_AFTER = re.compile(r"[\w^%!√²³]|\\(?![\])])|[.,]\w|\s+[A-Za-z]\b")
_TAKES_OPERAND = re.compile(
    r"(?:\b(?:of|times|plus|minus|twice|half|double|triple|root|sqrt|log|power|step|option|attempt|case)"
    r"|(?<![A-Za-z'])[A-Za-z]|[\^%!√≈≠≤≥]|(?<![a-z])[<>])\s*\Z",
    re.IGNORECASE,
)
_LOOK_BACK = 16
_OPERATORS = "+-*/×·∗⋅÷∕−–"
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3})")
_DECIMALS = re.compile(r"\.([0-9]+)")


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation: `text == source[start:end]`, and whether it holds."""

    start: int
    end: int
    text: str
    verdict: StepVerdict


def find_equations(text: str) -> Iterator[Equation]:
    """All equations of a text in order, each with its verdict. Never raises; time linear in the length."""
    for run in _RUN.finditer(text):
        found = run[0]
        if "=" not in found or len(found) > MAX_EQUATION:
            continue
        start, end = run.span()
        bullet = _BULLET.match(found) if start == 0 or text[start - 1] == "\n" else None
        found = found[bullet.end() :] if bullet else found
        found = found.strip()
        start = text.index(found, start + (bullet.end() if bullet else 0), end)
        end = start + len(found)
        sides = [normalise(_THOUSANDS.sub("", side))[0] for side in found.split("=")]
        if all(sides) and not _is_a_piece(text, start, end):
            yield Equation(start, end, found, _check(sides))


def _is_a_piece(text: str, start: int, end: int) -> bool:
    """Whether what stands beside an equation may belong to its first or its last operand."""
    before = text[max(0, start - _LOOK_BACK) : start]
    return (
        _GLUED_AFTER.match(text, end) is not None
        or _GLUED_BEFORE.search(before) is not None
        or _TAKES_OPERAND.search(before) is not None
        or (text[start] in _OPERATORS and before.rstrip()[-1:].isalnum())
    )


def _check(sides: Sequence[str]) -> StepVerdict:
    """Whether all sides are equal, where that can be told."""
    read: list[Evaluation] = [evaluate(side, decimals=True) for side in sides]
    if any(side.fault for side in read) or not any(side.compound for side in read):
        return "unchecked"
    values = [side.value for side in read]
    apart = max(values) - min(values)
    if apart == 0:
        return "valid"
    places = [len(digits) for side in sides for digits in _DECIMALS.findall(side)]
    rounded = bool(places) and apart < Fraction(1, 10 ** min(places))
    return "unchecked" if rounded else "invalid"
