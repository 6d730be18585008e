"""Whether two sides of an equation are equal, where that can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.records import StepVerdict
from wrongcot_data.steps.expressions import Expression
from wrongcot_data.steps.values import Node, NoValueError, Range, is_compound, places_of, value_of
from wrongcot_data.steps.words import may_convert, speaks_of_rounding

NEAR = Fraction(1, 10)
"""How far apart, of the larger one, two values are that are still called about equal."""

_FACTORS = frozenset(
    {
        2,
        3,
        4,
        5,
        7,
        8,
        10,
        12,
        16,
        20,
        24,
        25,
        30,
        32,
        36,
        52,
        60,
        100,
        144,
        168,
        365,
        366,
        1000,
        1024,
        1440,
        1760,
        3600,
        5280,
    }
    | {10_000, 100_000, 10**6, 10**9, 86_400}
)
"""How many of one unit another one is, in whatever is measured."""

_UNDER_HALF = Fraction(499_999, 10**6)
"""What a whole number may have lost: a half is rounded up, and `7 / 2 = 3` is false."""

_FLOAT_PLACES = 9
"""Decimals behind which the digits are those of a machine's number: `26.666666666666668`."""

_UNIT_WORD = re.compile(r"(?<![\\A-Za-z])(?!mbox|text)[A-Za-z]{2,}")
_UNIT_SIGN = re.compile(r"[$%¢]|\bcents?\b|\b(?:thousand|million|k)\b")
_PREFIXES = (100, 1000, 10**6)
_WITH_REMAINDER = re.compile(r"÷|\\div|divided")
_PERCENT = (Fraction(1), Fraction(1, 100), Fraction(100))
"""What a side with a percent sign may be worth: `0.2 * 100 = 20%`."""

_UNIT_LENGTH = 12
"""Characters behind an equation in which its unit is looked for."""


@dataclass(frozen=True, slots=True)
class Link:
    """Two sides with a relation (`=`, `≈` or `is`) between them; `text[start:end]`."""

    left: Expression
    relation: str
    right: Expression
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a link; `value` and `claimed` are those of `Equation`."""

    verdict: StepVerdict
    compound: bool
    value: Value | None = None
    claimed: Value | None = None


def judge(text: str, chain: Sequence[Link]) -> list[Judged]:
    """Whether the links of a chain hold. In a running total none is `valid`: its signs of equality are no equations."""
    judged = [_judge(text, link) for link in chain]
    running = {number for number, link in enumerate(chain) if judged[number].verdict == "invalid" and _runs_on(link)}
    return [
        Judged("unchecked", compound=True) if number in running or (running and one.verdict == "valid") else one
        for number, one in enumerate(judged)
    ]


def _judge(text: str, link: Link) -> Judged:
    compound = is_compound(link.left.node) or is_compound(link.right.node)
    unchecked = Judged("unchecked", compound)
    if not compound or (link.relation == "is" and is_compound(link.right.node)):
        return unchecked
    try:
        left, right = value_of(link.left.node), value_of(link.right.node)
        if left == right:
            return Judged(
                "unchecked" if link.relation == "≈" else "valid", compound, _plain(left.low), _plain(left.low)
            )
        percent = "%" in text[link.start : link.end + 5]
        if link.left.ambiguous or link.right.ambiguous or _are_ratios(link):
            return unchecked
        if _may_hold(link, left.low, right.low, percent=percent):
            return unchecked
        if (
            _is_divided(text, link, left.low, right.low)
            or _is_rounded(text, link, left.low, right.low)
            or _converts(text, link, left.low, right.low)
        ):
            return unchecked
    except NoValueError:
        return unchecked
    value, claimed = (left.low, right.low) if is_compound(link.left.node) else (right.low, left.low)
    return Judged("invalid", compound, _plain(value), _plain(claimed))


def _plain(value: Value) -> Value:
    """A value as an `int` where it is one."""
    return value.numerator if value.denominator == 1 else value


def _may_hold(link: Link, left: Value, right: Value, *, percent: bool) -> bool:
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
        for scale in (_PERCENT if percent else _PERCENT[:1])
    )


def _are_ratios(link: Link) -> bool:
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


def _is_rounded(text: str, link: Link, left: Value, right: Value) -> bool:
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
    if ratio in _PREFIXES and _UNIT_SIGN.search(text, max(0, link.start - 1), link.end + _UNIT_LENGTH):
        return True
    if not may_convert(text[max(0, link.start - 1) : link.end + _UNIT_LENGTH]):
        return False
    if any(_adds(side.node) for side in (link.left, link.right)) and "%" not in text[link.start : link.end + 1]:
        return True
    return ratio in _FACTORS


def _is_quotient(node: Node) -> bool:
    return node.kind == "row" and node.operators == ("+", "/")


def _is_divided(text: str, link: Link, left: Value, right: Value) -> bool:
    """Whether a quotient may be one without its remainder: `17 ÷ 5` is `3`, and what is left is said elsewhere."""
    return (
        _is_quotient(link.left.node)
        and right == floor(left)
        and _WITH_REMAINDER.search(text, link.start, link.end) is not None
    )


def _adds(node: Node) -> bool:
    return node.kind == "row" and any(operator in ("+", "-") for operator in node.operators[1:])


def _runs_on(link: Link) -> bool:
    """Whether the right side takes up the value of the left one and goes on from it: `5 + 3 = 8 + 2`."""
    node = link.right.node
    if node.kind != "row" or len(node.parts) < 2 or node.operators[0] != "+":
        return False
    try:
        return value_of(node.parts[0]) == value_of(link.left.node)
    except NoValueError:
        return False
