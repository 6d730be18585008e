r"""LaTeX expressions, read by a grammar of our own and computed to thousands of digits at a point, within bounds.

    sum     = ["+" | "-"] product { ("+" | "-") product }
    product = power { ["*" | "/" | "\cdot" | "\times" | "\div"] power }      factors may stand side by side
    power   = atom [ "!" ] [ "^" group ]
    atom    = number | letter | "(" sum ")" | "|" sum "|" | "\frac" group group | "\sqrt" ["[" sum "]"] group
            | "\binom" group group | function [ "^" group ] power | "\pi" | "{" sum "}"

Letters are variables, but for `e` and `i`. `\log` is of base 10 unless it has another below it. All values are finite.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from functools import lru_cache

import mpmath

MAX_LENGTH = 1_000
MAX_DEPTH = 40
MAX_POWER = 10_000
MAX_FACTORIAL = 500
MAX_DIGITS = 2_000
"""Digits before or after the point of any value that is compared."""

PRECISION = 2_500
"""Digits that are computed: `2^{2008}` and `2^{2008} - 2` differ in their 605th."""

_TOKEN = re.compile(r"[0-9]+(?:\.[0-9]+)?|\.[0-9]+|\\[A-Za-z]+|\\[{}|]|[A-Za-z]|\S")
_CONTEXT = mpmath.mp.clone()
_CONTEXT.dps = PRECISION

_LEAST = _CONTEXT.mpf(10) ** -(PRECISION - 100)
"""What is nearer to 0 than this is 0: 100 digits are left for what subtraction cancels."""

_FUNCTIONS: dict[str, Callable[[mpmath.mpc], mpmath.mpc]] = {
    "\\sin": _CONTEXT.sin, "\\cos": _CONTEXT.cos, "\\tan": _CONTEXT.tan, "\\cot": _CONTEXT.cot,
    "\\sec": _CONTEXT.sec, "\\csc": _CONTEXT.csc, "\\arcsin": _CONTEXT.asin, "\\arccos": _CONTEXT.acos,
    "\\arctan": _CONTEXT.atan, "\\ln": _CONTEXT.log, "\\exp": _CONTEXT.exp,
}  # fmt: skip
_GREEK = frozenset({"\\alpha", "\\beta", "\\gamma", "\\theta", "\\phi", "\\lambda", "\\omega", "\\mu", "\\varphi"})

_BEGINS_FACTOR = frozenset({"(", "{", "\\frac", "\\binom", "\\sqrt", "\\pi", "\\log"}) | _GREEK | frozenset(_FUNCTIONS)


class Unreadable(Exception):
    """It is no expression of ours, or has no finite value."""


class TooLarge(Unreadable):
    """It is too long or deep, or its value or one on the way to it too large: neither we nor others should try it."""


@lru_cache(maxsize=2**10)
def value_at(text: str, point: int) -> mpmath.mpc:
    """The value of an expression where each variable has a random value, the same one each time for a point.

    Args:
        point: the variables are positive at points from 0 on, negative below.

    Raises:
        Unreadable: it is no expression, or has no finite value there.
        TooLarge: it is beyond the bounds.
    """
    if len(text) > MAX_LENGTH:
        raise TooLarge
    reader = _Reader(_TOKEN.findall(text), point)
    try:
        value = reader.sum(0)
    except (ZeroDivisionError, ValueError, OverflowError, RecursionError, mpmath.libmp.NoConvergence):
        raise Unreadable from None
    if reader.peek() or not _CONTEXT.isfinite(value):
        raise Unreadable
    size = max(abs(value.real), abs(value.imag))
    if size and not _CONTEXT.mpf(10) ** -MAX_DIGITS < size < _CONTEXT.mpf(10) ** MAX_DIGITS and size > _LEAST:
        raise TooLarge
    return value


def near(a: mpmath.mpc, b: mpmath.mpc) -> bool:
    """Whether two values that were computed by different ways are the same, but for the last digits."""
    return bool(abs(a - b) <= _LEAST * max(1, abs(a), abs(b)))


class _Reader:
    """Reads tokens from the left and computes as it goes."""

    def __init__(self, tokens: list[str], point: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._point = point

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token != wanted):
            raise Unreadable
        self._at += 1
        return token

    def sum(self, depth: int) -> mpmath.mpc:
        if depth > MAX_DEPTH:
            raise TooLarge
        sign = -1 if self.peek() in ("+", "-") and self.take() == "-" else 1
        total = sign * self.product(depth)
        while self.peek() in ("+", "-"):
            sign = -1 if self.take() == "-" else 1
            total += sign * self.product(depth)
        return total

    def product(self, depth: int) -> mpmath.mpc:
        value = self.power(depth)
        while True:
            token = self.peek()
            if token in ("*", "\\cdot", "\\times"):
                self.take()
                value *= self.power(depth)
            elif token in ("/", "\\div"):
                self.take()
                value /= self.power(depth)
            elif token and (token[0].isalnum() or token in _BEGINS_FACTOR):
                value *= self.power(depth)
            else:
                return value

    def power(self, depth: int) -> mpmath.mpc:
        base = self.atom(depth)
        while self.peek() == "!":
            self.take()
            if base.real > MAX_FACTORIAL:
                raise TooLarge
            if base != int(base.real) or base.real < 0:
                raise Unreadable
            base = _CONTEXT.factorial(base)
        if self.peek() != "^":
            return base
        self.take()
        exponent = self.group(depth)
        if abs(exponent) > MAX_POWER or abs(base) > _CONTEXT.mpf(10) ** MAX_POWER:
            raise TooLarge
        return _CONTEXT.power(base, exponent)

    def group(self, depth: int) -> mpmath.mpc:
        """What an exponent, a root or a part of a fraction holds: braces, or one token."""
        if self.peek() == "{":
            self.take()
            value = self.sum(depth + 1)
            self.take("}")
            return value
        token = self.peek()
        if token.isdigit() and len(token) > 1:  # \frac12 is one half, 2^10 is 2^1 times 0
            self._tokens[self._at : self._at + 1] = [token[0], token[1:]]
        if token == "-":
            self.take()
            return -self.group(depth)
        return self.atom(depth)

    def atom(self, depth: int) -> mpmath.mpc:
        token = self.take()
        if token[0].isdigit() or token[0] == ".":
            return _CONTEXT.mpc(token)
        if token in ("(", "{", "["):
            value = self.sum(depth + 1)
            self.take({"(": ")", "{": "}", "[": "]"}[token])
            return value
        if token == "|":
            value = self.sum(depth + 1)
            self.take("|")
            return _CONTEXT.mpc(abs(value))
        if token == "\\frac":
            above = self.group(depth + 1)
            return above / self.group(depth + 1)
        if token == "\\binom":
            return self._choices(self.group(depth + 1), self.group(depth + 1))
        if token == "\\sqrt":
            return self._root(depth)
        if token in _FUNCTIONS or token == "\\log":
            return self._function(token, depth)
        return self._name(token)

    def _choices(self, of: mpmath.mpc, number: mpmath.mpc) -> mpmath.mpc:
        if not 0 <= number.real <= of.real <= MAX_FACTORIAL or of != int(of.real) or number != int(number.real):
            raise Unreadable
        return _CONTEXT.mpc(math.comb(int(of.real), int(number.real)))

    def _root(self, depth: int) -> mpmath.mpc:
        degree = _CONTEXT.mpc(2)
        if self.peek() == "[":
            self.take()
            degree = self.sum(depth + 1)
            self.take("]")
        inside = self.group(depth + 1)
        if inside.imag == 0 and inside.real < 0 and degree.real % 2 == 1:
            return -_CONTEXT.root(-inside, int(degree.real))
        return _CONTEXT.power(inside, 1 / degree)

    def _function(self, name: str, depth: int) -> mpmath.mpc:
        base, exponent = _CONTEXT.mpf(10), None
        while self.peek() in ("^", "_"):
            if self.take() == "_":
                base = self.group(depth)
            else:
                exponent = self.group(depth)
        inside = self.power(depth + 1)
        value = _CONTEXT.log(inside) / _CONTEXT.log(base) if name == "\\log" else _FUNCTIONS[name](inside)
        return value if exponent is None else _CONTEXT.power(value, exponent)

    def _name(self, token: str) -> mpmath.mpc:
        if token == "\\pi":
            return _CONTEXT.mpc(_CONTEXT.pi)
        if token == "e":
            return _CONTEXT.mpc(_CONTEXT.e)
        if token == "i":
            return _CONTEXT.mpc(0, 1)
        if (len(token) == 1 and token.isalpha()) or token in _GREEK:
            drawn = random.Random(f"{token} {self._point}")
            value = _CONTEXT.mpc(drawn.randrange(10**6, 10**7)) / drawn.randrange(10**6, 10**7)
            return value if self._point >= 0 else -value
        raise Unreadable
