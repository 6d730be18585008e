"""What two unequal sides of an equation may mean, so that it is not false: each such meaning a function, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.steps.doubt import rest_of_sentence, speaks_of_rounding
from wrongcot_data.steps.expressions import Expression
from wrongcot_data.steps.units import are_factors, is_made_of, is_measure, mixes_units
from wrongcot_data.steps.values import Node, Range, adds, is_compound, is_fraction, numbers_of, places_of, value_of
from wrongcot_data.steps.words import is_unit

NEAR = Fraction(1, 10)
"""How far apart, of the larger one, two values are that are still called about equal."""

_UNDER_HALF = Fraction(499_999, 10**6)
"""What a whole number may have lost: a half is rounded up, and `7 / 2 = 3` is false."""

_FLOAT_PLACES = 9
"""Decimals behind which the digits are those of a machine's number: `26.666666666666668`."""

_CENT = Fraction(1, 100)
_UNIT_WORD = re.compile(r"(?<![\\A-Za-z])(?!mbox|text)[A-Za-z]{2,}")
_UNIT_SIGN = re.compile(r"[$%¢]|\bcents?\b|\b(?:thousand|million|k)\b")
_PREFIXES = (100, 1000, 10**6)
_DIVIDED = re.compile(r"÷|\\div|divided")
_LEFT_OVER = re.compile(r"\b(?:left|full)\b")
_NOUN = re.compile(r"(?:\s|\\text\{|\\[ ,;])*([A-Za-z]+)")
_PERCENT = (Fraction(1), Fraction(1, 100), Fraction(100))
"""What a side with a percent sign may be worth: `0.2 * 100 = 20%`."""

_UNIT_LENGTH = 12
"""Characters behind an equation in which its unit is looked for."""

_COUNTED = re.compile(r"[0-9] ([A-Za-z]{3,})")
_ROUNDED = re.compile(r"(?:≈|\\approx|\babout)\s*\$?([0-9]+\.[0-9]+)")
_LOOK_BACK = 500
_GLUED = re.compile(r"[0-9][/–-][0-9]|frac")
_OTHER_PERCENT = re.compile(r"[0-9][0-9.,]*\s?\\?%")


@dataclass(frozen=True, slots=True)
class Link:
    """Two sides with a relation (`=`, `≈` or `is`) between them; `text[start:end]`."""

    left: Expression
    relation: str
    right: Expression
    start: int
    end: int


def may_mean_the_same(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether sides of unequal value may mean the same to their writer."""
    if link.left.ambiguous or link.right.ambiguous:
        return True
    return any(meaning(text, link, left, right) for meaning in _MEANINGS)


def _with_unit(text: str, link: Link) -> str:
    """An equation with its unit behind it; what belongs to another number, or to the next sentence, is none."""
    behind = rest_of_sentence(text, link.end, _UNIT_LENGTH)
    return text[max(0, link.start - 1) : link.end] + _OTHER_PERCENT.sub("", behind)


def _holds_if_rounded(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether the sides are equal if decimals may be rounded ones, or `a / b * c` is read as `a / (b * c)`."""
    if value_of(link.left.node, tight=True) == value_of(link.right.node, tight=True):
        return True
    both = is_compound(link.left.node) and is_compound(link.right.node)  # one is the other, rewritten and rounded
    one = value_of(link.left.node, slack=1 if both else 3)
    other = value_of(link.right.node, slack=1 if both else 3)
    return any(
        _overlap(
            _widened(one, link.left.node, right * scale),
            _scaled(_widened(other, link.right.node, Fraction(left) / scale), scale),
        )
        for scale in (_PERCENT if "%" in _with_unit(text, link) else _PERCENT[:1])
    )


def _are_ratios(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether both sides are rows of numbers with hyphens: a `6-8-10 = 3-4-5` triangle."""
    return all(side.node.kind == "row" and side.node.operators[1:] == ("-", "-") for side in (link.left, link.right))


def _scaled(values: Range, scale: Value) -> Range:
    return Range(values.low * scale, values.high * scale)


def _widened(values: Range, node: Node, other: Value) -> Range:
    """What a bare decimal, or a whole number beside one that is not, may be rounded or cut from."""
    if is_compound(node):
        return values
    places = places_of(node)
    exact = value_of(node).low
    if Fraction(other * 10**places).denominator == 1:
        return values  # the other one needs no rounding
    unit = Fraction(1, 10**places) if places < _FLOAT_PLACES else abs(exact) / 10**_FLOAT_PLACES
    return Range(min(values.low, exact - unit / 2), max(values.high, exact + (unit if places else _UNDER_HALF)))


def _overlap(one: Range, other: Range) -> bool:
    return one.low <= other.high and other.low <= one.high


def _is_called_rounded(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether one side is called a rounded value of the other one, and is near it."""
    apart, size = abs(Fraction(left) - right), max(abs(Fraction(left)), abs(Fraction(right)))
    if apart > NEAR * size and apart >= 1:
        return False
    if link.relation == "≈":
        return True
    for side, other in ((link.left.node, right), (link.right.node, left)):
        exact = not is_compound(side) and Fraction(other * 10 ** places_of(side)).denominator == 1
        if exact and (places_of(side) or value_of(side).low % 10):
            return False  # nothing was to be rounded
    return speaks_of_rounding(text, link.start, link.end)


def _converts(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether the sides may be the same in two units."""
    if right == 1 and _is_quotient(link.left.node) and _UNIT_WORD.search(text, link.start, link.end):
        return True  # 12 inches over 1 foot
    if not left or not right:
        return False
    apart = abs(Fraction(left) / Fraction(right))
    ratio = apart if apart > 1 else 1 / apart
    said = _with_unit(text, link)
    unit = _NOUN.match(text, link.end)
    if (ratio in _PREFIXES and _UNIT_SIGN.search(said)) or (unit and is_made_of(unit[1], Fraction(left) / right)):
        return True
    added = any(adds(side.node) for side in (link.left, link.right)) and "%" not in said
    return mixes_units(said) and (added or are_factors(ratio))


def _is_share(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether one side is a share and the other what it amounts to: `1/3 = 4 slices`, `60% = 30 students`.

    A division (`4 / 8 = 5`) is none, nor is a fraction that is turned over (`4/8 = 2`).
    """
    if "percent" not in (link.left.node.kind, link.right.node.kind) and not _GLUED.search(text, link.start, link.end):
        return False
    if _is_part(link.left.node):
        turned = link.left.node.kind == "row" and left * right == 1 and link.left.node.parts[0].number != "1"
        return right > 1 and not turned
    return _is_part(link.right.node) and left > 1 and not is_compound(link.left.node)


def _is_part(node: Node) -> bool:
    """Whether an expression is a bare percentage, or a fraction of two bare numbers, of one whole at most."""
    if node.kind == "percent":
        return not is_compound(node)
    return is_fraction(node) and value_of(node).low <= 1


def _counts_whole_things(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether a quotient is one of whole things or cents, or one whose remainder is said elsewhere."""
    if not _is_quotient(link.left.node) or is_compound(link.right.node):
        return False
    if "$" in text[link.start - 1 : link.end] and places_of(link.right.node) == 2:
        return abs(Fraction(left) - right) < _CENT
    behind = rest_of_sentence(text, link.end, _UNIT_LENGTH * 2)
    if right == floor(left) and (_DIVIDED.search(text, link.start, link.end) or _LEFT_OVER.search(behind)):
        return True
    noun = _NOUN.match(behind)
    counted = noun is not None and is_unit(noun[1]) and not is_measure(noun[1])
    return counted and right in (floor(left), ceil(left))  # 130 / 40 = 4 buses


def _counts_range(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether a difference is a range beside how many numbers are in it: `10-99 = 90`, `10-99 = 90 * 2 = 180`."""
    node = link.left.node
    if node.kind != "row" or node.operators != ("+", "-") or any(part.kind != "number" for part in node.parts):
        return False
    first = link.right.node.parts[0] if link.right.node.operators[1:] == ("*",) else link.right.node
    return left < 0 and value_of(first).low == 1 - left and _GLUED.search(text, link.start, link.end) is not None


def _defines_operation(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether a problem's own operation is worked out: `4 * 5 = 3(4) - 5` where `a * b = 3a - b`."""
    node = link.left.node
    if node.kind != "row" or node.operators != ("+", "*") or any(part.kind != "number" for part in node.parts):
        return False
    terms = link.right.node
    works_out = adds(terms) or "/" in terms.operators or "power" in {part.kind for part in terms.parts}
    return works_out and {part.number for part in node.parts} <= set(numbers_of(terms))


def _adds_unlike_things(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether things of several kinds make an amount of something else: `2 burgers + 1 soda = $12`."""
    sides = text[link.start : link.end].rpartition("=")
    nouns = {noun.removesuffix("s") for noun in _COUNTED.findall(sides[0])}
    unit = _NOUN.match(text, link.end)
    other = "$" in sides[2] or (unit is not None and unit[1].removesuffix("s") not in nouns)
    return adds(link.left.node) and len(nouns) > 1 and "$" not in sides[0] and other


def _averages(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether as many terms as the number behind their stroke are averaged: `70 + 80 + 90 / 3 = 80`."""
    node = link.left.node
    if node.kind != "row" or node.operators[-1] != "/" or set(node.operators[:-1]) != {"+"}:
        return False
    terms = Node("row", node.parts[:-1], operators=node.operators[:-1])
    return value_of(node.parts[-1]).low == len(terms.parts) and value_of(terms).low == right * len(terms.parts)


def _uses_rounded_number(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether a side holds if a number in it, which was called rounded before, is not taken as exact."""
    rounded = set(_ROUNDED.findall(text, max(0, link.start - _LOOK_BACK), link.start))
    if rounded.isdisjoint(numbers_of(link.left.node)):
        return False
    return _overlap(value_of(link.left.node, slack=1), Range(right, right))


def _is_quotient(node: Node) -> bool:
    return node.kind == "row" and node.operators == ("+", "/")


_MEANINGS: tuple[Callable[[str, Link, Value, Value], bool], ...] = (
    _are_ratios,
    _holds_if_rounded,
    _is_called_rounded,
    _counts_whole_things,
    _converts,
    _is_share,
    _counts_range,
    _defines_operation,
    _adds_unlike_things,
    _averages,
    _uses_rounded_number,
)
