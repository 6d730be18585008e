"""Equations that hold in an arithmetic that the text speaks of: remainders, digits, other bases, a clock.

A line that speaks of remainders is not judged at all. What an earlier line says (`The units digits are:`) counts only
where the equation holds by it, so that a trace about remainders may still have a false sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

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
_CLOCK = re.compile(r"\bclock\b|\b12.hour\b|o['’]clock|\b[ap]\.?m\b", re.IGNORECASE)

_BASES = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "twelve": 12}
_BASES |= {"binary": 2, "ternary": 3, "octal": 8, "hexadecimal": 16}
_BASE = re.compile(
    rf"(?:\bbase[\s$-]{{1,3}}|[0-9]_\{{?)([0-9]{{1,2}}\b|{'|'.join(_BASES)})|\b(binary|ternary|octal|hexadecimal)\b",
    re.IGNORECASE,
)
_CARRIES = re.compile(r"\bcarr(?:y|ies|ied|ying)\b", re.IGNORECASE)
_CARRIED = range(2, 10)
"""Bases of a sum with a carry, where none is named."""


def is_modular(line: str) -> bool:
    """Whether a line speaks of remainders, congruences or other bases, where `=` means something else."""
    return _MODULAR.search(line) is not None


def holds_otherwise(text: str, start: int, end: int, sides: Sequence[Node]) -> bool:
    """Whether the sides of `text[start:end]` are equal to a modulus, or in a base, that is spoken of near it."""
    context = text[max(0, start - _LOOK_BACK) : end + _LOOK_AHEAD]
    if any(_hold(sides, modulus) for modulus in _moduli(context)):
        return True
    bases = set(_bases(context))
    if _CARRIES.search(text, end, end + _LOOK_AHEAD):
        bases.update(_CARRIED)
    return any(_hold_in_base(sides, base) for base in bases)


def _moduli(context: str) -> Iterator[int]:
    yield from {int(found[1]) for found in _MODULUS.finditer(context)}
    for pattern, modulus in ((_DIGIT, 10), (_TWO_DIGITS, 100), (_CLOCK, 12)):
        if pattern.search(context):
            yield modulus


def _bases(context: str) -> Iterator[int]:
    for found in _BASE.finditer(context):
        name = (found[1] or found[2]).lower()
        yield _BASES.get(name) or int(name)


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
