"""Solutions in a canonical form: one for all the ways of writing the same sum or product.

`a - (b - c)`, `a + c - b` and `(c - b) + a` are one solution; so are `a / (b / c)` and `a * c / b`. A form is a number,
a sum (terms added, terms taken away) or a product (factors, divisors); no sum stands directly in a sum and no product
in a product, and the parts are sorted.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Literal, NamedTuple

from wrongcot_data.graders.arithmetic import Value, divide

Operator = Literal["+", "-", "*", "/"]


class Form(NamedTuple):
    """A number, a sum or a product.

    Attributes:
        kind: `number`, `sum` or `product`.
        up: terms added, or factors; never empty in a sum or product, so no sign is ever needed in front.
        down: terms taken away, or divisors.
        number: the number itself; 0 in a sum or product.
    """

    kind: Literal["number", "sum", "product"]
    up: tuple[Form, ...] = ()
    down: tuple[Form, ...] = ()
    number: int = 0


class Move(NamedTuple):
    """One operation of a search: `left operator right` makes `result`."""

    left: Value
    operator: Operator
    right: Value
    result: Value


def leaf(number: int) -> Form:
    """A number as a form."""
    return Form("number", number=number)


def join(operator: Operator, left: Form, right: Form) -> Form:
    """The canonical form of `left operator right`."""
    kind: Literal["sum", "product"] = "sum" if operator in {"+", "-"} else "product"
    up, down = (left.up, left.down) if left.kind == kind else ((left,), ())
    right_up, right_down = (right.up, right.down) if right.kind == kind else ((right,), ())
    if operator in {"-", "/"}:
        right_up, right_down = right_down, right_up
    return Form(kind, tuple(sorted(up + right_up)), tuple(sorted(down + right_down)))


def expression(form: Form) -> str:
    """The form as text with no bracket that could be left out."""
    if form.kind == "number":
        return str(form.number)
    plus, minus = (" + ", " - ") if form.kind == "sum" else (" * ", " / ")
    text = plus.join(_operand(part, form) for part in form.up)
    return text + "".join(minus + _operand(part, form) for part in form.down)


def _operand(part: Form, outer: Form) -> str:
    """A part as it stands within its sum or product: a sum in a product needs brackets, nothing else does."""
    return f"({expression(part)})" if part.kind == "sum" and outer.kind == "product" else expression(part)


def moves(form: Form) -> list[Move]:
    """The operations that make the form, in the order in which a person would do them.

    What is added or multiplied comes before what is taken away or divided by: so all results are positive integers
    where any order of doing it has that.
    """
    done: list[Move] = []
    _do(form, done)
    return done


def _do(form: Form, done: list[Move]) -> Value:
    """Add the moves that make a form to `done`; return its value."""
    if form.kind == "number":
        return form.number
    plus, minus = OPERATORS_OF[form.kind]
    values = [(plus, _do(part, done)) for part in form.up] + [(minus, _do(part, done)) for part in form.down]
    total = values[0][1]
    for operator, value in values[1:]:
        result = apply(operator, total, value)
        done.append(Move(total, operator, value, result))
        total = result
    return total


OPERATORS_OF: dict[str, tuple[Operator, Operator]] = {"sum": ("+", "-"), "product": ("*", "/")}

_APPLY: dict[Operator, Callable[[Value, Value], Value]] = {
    "+": lambda left, right: whole(left + right),
    "-": lambda left, right: whole(left - right),
    "*": lambda left, right: whole(left * right),
    "/": divide,
}


def apply(operator: Operator, left: Value, right: Value) -> Value:
    """Compute exactly.

    Raises:
        ZeroDivisionError: division by 0.
    """
    return _APPLY[operator](left, right)


def whole(value: Value) -> Value:
    """The same value, as an `int` where it is whole."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def shuffled(form: Form, rng: Random) -> Form:
    """The same solution with its terms and factors in another order, for text that varies; no longer canonical."""
    up = [shuffled(part, rng) for part in form.up]
    down = [shuffled(part, rng) for part in form.down]
    rng.shuffle(up)
    rng.shuffle(down)
    return form._replace(up=tuple(up), down=tuple(down))
