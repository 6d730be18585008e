"""Equations that hold in an arithmetic that the text speaks of: remainders, digits, other bases, a clock.

A line that speaks of remainders is not judged at all. What an earlier line says (`The units digits are:`) counts only
where the equation holds by it, so that a trace about remainders may still have a false sum.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from wrongcot_data.steps.values import Node, NoValueError, value_of

_MODULAR = re.compile(
    r"(?i:\\[pb]?mod|≡|\\equiv|\bmod(?:ulo|ular)?\b|\b(?:units?|ones|last) digit|\bparity\b|\bremainder"
    r"|\bbase[ -](?:[0-9]|two|ten))|\b[Rr](?:em)?\.?\s?[0-9]"
)
_LOOK_BACK = 1000
_LOOK_AHEAD = 100

_MODULUS = re.compile(
    r"(?:\\[pb]?mod|\bmod(?:ulo)?\b|\bremainders?\b[^.\n]{0,60}?\bby\b|\bZ\}?_|\bZ\s?/)[\s{($\\]{0,5}([1-9][0-9]{0,5})",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\b(?:units?|ones|last|final|rightmost) digit", re.IGNORECASE)
_TWO_DIGITS = re.compile(r"\b(?:last|final) two digits", re.IGNORECASE)
_CLOCK = re.compile(r"\bclock\b|\b12.hour\b|o['’]clock|[0-9]\s?[ap]\.?m\b", re.IGNORECASE)

_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "twelve": 12}
_BASES |= {"binary": 2, "ternary": 3, "octal": 8, "hexadecimal": 16}
_BASE = re.compile(
    rf"(?:\bbase[\s$-]{{1,3}}|[0-9]_\{{?)([0-9]{{1,2}}\b|{'|'.join(_BASES)})|\b(binary|ternary|octal|hexadecimal)\b",
    re.IGNORECASE,
)
_CARRIES = re.compile(r"\bcarr(?:y|ies|ied|ying)\b", re.IGNORECASE)
_CARRIED = range(2, 10)
"""Bases of a sum with a carry, where none is named."""


class Cue(NamedTuple):
    """A place where a text speaks of a modulus or a base, or of a carry, which may be in any small base."""

    place: int
    kind: Literal["modulus", "base", "carry"]
    number: int


def is_modular(line: str) -> bool:
    """Whether a line speaks of remainders, congruences or other bases, where `=` means something else."""
    return _MODULAR.search(line) is not None


def find_cues(text: str, start: int, end: int) -> list[Cue]:
    """What `text[start:end]` says of other arithmetic, in order; found once, since every false equation asks for it."""
    found = [Cue(match.start(), "modulus", int(match[1])) for match in _MODULUS.finditer(text, start, end)]
    for pattern, modulus in ((_DIGIT, 10), (_TWO_DIGITS, 100), (_CLOCK, 12)):
        found += [Cue(match.start(), "modulus", modulus) for match in pattern.finditer(text, start, end)]
    for match in _BASE.finditer(text, start, end):
        name = (match[1] or match[2]).lower()
        found.append(Cue(match.start(), "base", _BASES.get(name) or int(name)))
    for match in _CARRIES.finditer(text, start, end):
        found += [Cue(match.start(), "carry", base) for base in _CARRIED]
    return sorted(found)


def holds_otherwise(cues: Sequence[Cue], start: int, end: int, sides: Sequence[Node]) -> bool:
    """Whether the sides of an equation from `start` to `end` are equal to a modulus, or in a base, spoken of near."""
    near = cues[bisect_left(cues, start - _LOOK_BACK, key=_place) : bisect_left(cues, end + _LOOK_AHEAD, key=_place)]
    readings = {(cue.kind, cue.number) for cue in near if cue.kind != "carry" or cue.place >= end}
    return any(_hold(sides, number) if kind == "modulus" else _hold_in_base(sides, number) for kind, number in readings)


def _place(cue: Cue) -> int:
    return cue.place


def _hold(sides: Sequence[Node], modulus: int) -> bool:
    """Whether each side is congruent to the next; never where one has no value."""
    try:
        values = [value_of(side).low for side in sides]
    except NoValueError:
        return False
    return all((one - other) % modulus == 0 for one, other in pairwise(values))


def _hold_in_base(sides: Sequence[Node], base: int) -> bool:
    try:
        values = [value_of(_in_base(side, base)).low for side in sides]
    except (NoValueError, ValueError):
        return False
    return all(one == other for one, other in pairwise(values))


def _in_base(node: Node, base: int) -> Node:
    """A tree with its numbers read in another base.

    Raises:
        ValueError: a number has a digit that the base does not have, or there is no such base.
    """
    if node.kind == "number":
        return Node("number", number=str(int(node.number, base)))
    return node._replace(parts=tuple(_in_base(part, base) for part in node.parts))
