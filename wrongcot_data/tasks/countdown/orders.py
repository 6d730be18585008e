"""The orders in which one solution can be done: `11 * 90 / 30` begins with `11 * 90` or with `90 / 30`.

A search that finds a solution finds it in any of them, so a trace that always did what is added or multiplied first
would show only some of the first moves that lead to the target, and call none of the others right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import Literal, NamedTuple

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.tasks.countdown.forms import OPERATORS_OF, Form, Move, Operator, apply, expression, moves, shuffled

_TRIES = 20


class Worked(NamedTuple):
    """A solution in one order, and the expression that says it with no bracket that could be left out."""

    moves: Sequence[Move]
    expression: str


class _Part(NamedTuple):
    """A part of a sum or product that is worked out; `up` where it is added or multiplied."""

    value: Value
    text: str
    kind: Literal["number", "sum", "product"]
    up: bool


def worked(form: Form, rng: Random) -> Worked:
    """The solution in an order drawn from `rng` in which every result is a positive integer.

    Where there is none (a solution by zero or fractions), or none was drawn: what is added or multiplied first.
    """
    for _ in range(_TRIES):
        done: list[Move] = []
        part = _drawn(form, True, done, rng)
        if part is not None:
            return Worked(done, part.text)
    form = shuffled(form, rng)
    return Worked(moves(form), expression(form))


def _drawn(form: Form, up: bool, done: list[Move], rng: Random) -> _Part | None:
    """Work a form out by moves that are added to `done`; None where what was drawn led out of the positive integers."""
    if form.kind == "number":
        return _Part(form.number, str(form.number), "number", up)
    parts = [
        part
        for inner, is_up in [*((one, True) for one in form.up), *((one, False) for one in form.down)]
        if (part := _drawn(inner, is_up, done, rng)) is not None
    ]
    if len(parts) < len(form.up) + len(form.down):
        return None
    while len(parts) > 1:
        pairs = [pair for pair in combinations(parts, 2) if _operation(form.kind, *pair) is not None]
        if not pairs:
            return None
        pair = rng.choice(pairs)
        parts.remove(pair[0])
        parts.remove(pair[1])
        parts.append(_joined(form.kind, *pair, done, rng))
    (last,) = parts
    return last._replace(up=up) if last.up else None


def _operation(kind: str, one: _Part, other: _Part) -> tuple[Operator, _Part, _Part] | None:
    """What the two parts make of each other: operator, left and right; None where it is no positive integer."""
    plus, minus = OPERATORS_OF[kind]
    if one.up == other.up:
        return plus, one, other
    large, small = (one, other) if one.value >= other.value else (other, one)
    fits = large.value > small.value if kind == "sum" else small.value > 0 and large.value % small.value == 0
    return (minus, large, small) if fits else None


def _joined(kind: Literal["sum", "product"], one: _Part, other: _Part, done: list[Move], rng: Random) -> _Part:
    found = _operation(kind, one, other)
    assert found is not None, "only pairs that fit are joined"
    operator, left, right = found
    if operator in {"+", "*"} and rng.random() < 0.5:
        left, right = right, left
    value = apply(operator, left.value, right.value)
    done.append(Move(left.value, operator, right.value, value))
    return _Part(value, f"{_beside(left, operator)} {operator} {_beside(right, operator, True)}", kind, left.up)


def _beside(part: _Part, operator: Operator, is_right: bool = False) -> str:
    """The text of a part beside an operator, in brackets where it would mean something else without."""
    looser = part.kind == "sum" and operator in {"*", "/"}
    undone = is_right and (part.kind, operator) in {("sum", "-"), ("product", "/")}
    return f"({part.text})" if looser or undone else part.text
