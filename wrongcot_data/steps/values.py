"""Trees of expressions, and their exact value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Literal, NamedTuple

from wrongcot_data.graders.arithmetic import Value, divide

MAX_BITS = 4_000
"""Bits of a power, and the largest exponent; what is larger has no value here."""

MAX_FACTORIAL = 60

_REPEATING = (3, 6, 7, 9)
"""Denominators whose fractions are often written with two decimals: `0.33`, `0.67`, `0.14`."""

_HALF_CENT = Fraction(1, 200)

NodeKind = Literal["number", "row", "percent", "power", "factorial", "root", "binomial", "mixed"]


class Node(NamedTuple):
    """A tree of an expression: a number as written, or an operation on other nodes (a row: operators between them)."""

    kind: NodeKind
    parts: tuple[Node, ...] = ()
    number: str = ""
    operators: tuple[str, ...] = ()


class Range(NamedTuple):
    """An exact value, or the two ends between which it lies."""

    low: Value
    high: Value


class NoValueError(Exception):
    """An expression has no value here: a division by zero, an irrational root, a power that is too large."""


def is_compound(node: Node) -> bool:
    """Whether something is to be computed: more than a number, its sign and a percent sign."""
    if node.kind == "row":
        return len(node.parts) > 1 or is_compound(node.parts[0])
    return node.kind not in ("number", "percent", "mixed") or (node.kind == "percent" and is_compound(node.parts[0]))


def is_fraction(node: Node) -> bool:
    """Whether an expression is one number over another, as in `3/4`."""
    return node.kind == "row" and node.operators == ("+", "/") and all(part.kind == "number" for part in node.parts)


def adds(node: Node) -> bool:
    """Whether an expression is a sum or a difference."""
    return node.kind == "row" and any(operator in ("+", "-") for operator in node.operators[1:])


def numbers_of(node: Node) -> Iterator[str]:
    """The numbers in an expression, as they are written."""
    if node.kind == "number":
        yield node.number
    for part in node.parts:
        yield from numbers_of(part)


def value_of(node: Node, *, slack: int = 0, tight: bool = False) -> Range:
    """The exact value of an expression.

    Args:
        slack: decimals of so many places or more stand for all that they may be rounded from; two-place ones of
            thirds, sixths, sevenths and ninths do so with 3; 0 is none.
        tight: read `a / b * c` as `a / (b * c)`.

    Raises:
        NoValueError: it has none here.
    """
    if node.kind == "number":
        return _number_range(node.number, slack=slack)
    parts = [value_of(part, slack=slack, tight=tight) for part in node.parts]
    if node.kind == "row":
        return _row_value(parts, node.operators, tight=tight)
    if node.kind == "percent":
        return _divide(parts[0], Range(100, 100))
    if node.kind == "mixed":
        return Range(parts[0].low + parts[1].low, parts[0].high + parts[1].high)
    exact = [part.low for part in parts if part.low == part.high]
    if len(exact) < len(parts):
        raise NoValueError
    value = _function(node.kind, exact)
    return Range(value, value)


def places_of(node: Node) -> int:
    """Decimals of a bare number as it is written; of anything else, the most of its numbers."""
    if node.kind == "number":
        return len(node.number.partition(".")[2])
    return max((places_of(part) + (2 if node.kind == "percent" else 0) for part in node.parts), default=0)


def _number_range(digits: str, *, slack: int) -> Range:
    whole, _, decimals = digits.partition(".")
    if not decimals:
        return Range(int(whole), int(whole))
    value = Fraction(digits)
    exact: Value = value.numerator if value.denominator == 1 else value
    if slack and (len(decimals) >= slack or (len(decimals) == 2 and _is_repeating(value))):
        unit = Fraction(1, 10 ** len(decimals))
        return Range(exact - unit, exact + unit)
    return Range(exact, exact)


def _is_repeating(value: Fraction) -> bool:
    """Whether two decimals are those of a third, a sixth, a seventh or a ninth."""
    for divisor in _REPEATING:
        if (value * divisor).denominator == 1:
            continue
        for near in (floor(value * divisor), ceil(value * divisor)):
            if -_HALF_CENT <= Fraction(near, divisor) - value < 2 * _HALF_CENT:  # rounded, or cut
                return True
    return False


def _row_value(parts: Sequence[Range], operators: Sequence[str], *, tight: bool) -> Range:
    """The sum of the terms of a row, each computed from the left."""
    total = Range(0, 0)
    term: Range | None = None
    divisor: Range | None = None
    for part, operator in zip(parts, operators, strict=True):
        if operator.endswith("-"):
            part = Range(-part.high, -part.low)  # noqa: PLW2901  # the sign belongs to the operand
        if term is None or operator in ("+", "-"):
            total = _closed(total, term, divisor)
            term, divisor = part, None
        elif operator[0] == "/":
            term, divisor = _closed(Range(0, 0), term, divisor), part
        elif tight and divisor is not None:
            divisor = _times(divisor, part)
        else:
            term, divisor = _times(_closed(Range(0, 0), term, divisor), part), None
    return _closed(total, term, divisor)


def _closed(total: Range, term: Range | None, divisor: Range | None) -> Range:
    """A sum with one term more, divided first by what it is to be divided by."""
    if term is None:
        return total
    if divisor is not None:
        term = _divide(term, divisor)
    return Range(total.low + term.low, total.high + term.high)


def _times(left: Range, right: Range) -> Range:
    if left.low == left.high and right.low == right.high:
        product = left.low * right.low
        return Range(product, product)
    ends = [one * other for one in left for other in right]
    return Range(min(ends), max(ends))


def _divide(left: Range, right: Range) -> Range:
    if right.low <= 0 <= right.high:
        raise NoValueError
    if left.low == left.high and right.low == right.high:
        quotient = divide(left.low, right.low)
        return Range(quotient, quotient)
    ends = [divide(one, other) for one in left for other in right]
    return Range(min(ends), max(ends))


def _function(kind: NodeKind, values: Sequence[Value]) -> Value:
    """Power, factorial, root and binomial of exact values.

    Raises:
        NoValueError: there is no exact value, or it is too large.
    """
    if kind == "root":
        value = Fraction(values[0])
        if value < 0:
            raise NoValueError
        root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
        if root * root != value:
            raise NoValueError
        return divide(root.numerator, root.denominator)
    if any(Fraction(value).denominator != 1 for value in values[-1:]):
        raise NoValueError
    if kind == "power":
        base, exponent = Fraction(values[0]), int(values[1])
        size = max(abs(base.numerator).bit_length(), base.denominator.bit_length())
        if size * abs(exponent) > MAX_BITS or (base == 0 and exponent <= 0):
            raise NoValueError
        power = base**exponent
        return divide(power.numerator, power.denominator)
    if any(Fraction(value).denominator != 1 or not 0 <= value <= MAX_FACTORIAL for value in values):
        raise NoValueError
    if kind == "binomial":
        return math.comb(int(values[0]), int(values[1]))
    return math.factorial(int(values[0]))
