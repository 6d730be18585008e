r"""Arithmetic in plain text, read by a grammar of our own and computed exactly; nothing is ever executed.

    expression = sign* operand { ( "+" | "-" | "*" | "/" ) sign* operand }
    sign       = "+" | "-"
    operand    = integer | "(" expression ")"

`*` and `/` bind tighter than `+` and `-`, each row is read from the left, and numbers are never multiplied by standing
next to each other. A sign may stand before any operand: it uses no number, and with non-negative numbers it reaches no
positive value that cannot be reached without it.

What people write instead of plain syntax (`×`, `\frac{a}{b}`, `[ ]`) is brought to it by `normalise`. What is
arithmetic but not ours (`2**3`, `sqrt(16)`, `2.5`) is recognised, so that a verdict can name it, and not computed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

Value = int | Fraction

Fault = Literal["", "unparsable", "illegal operation", "illegal number", "division by zero"]

MAX_LENGTH = 1_000
"""Characters of an expression; more is unparsable. With `MAX_DIGITS` it bounds every value to about 1,000 digits."""

MAX_DEPTH = 100
"""Open brackets at one place; more is unparsable. The reader is a loop, so this guards the reader of the text only."""

MAX_DIGITS = 18
"""Digits of one number; more is unparsable."""

FUNCTIONS = frozenset(
    {"abs", "ceil", "cos", "exp", "factorial", "floor", "gcd", "int", "lcm", "ln", "log", "max", "min", "pow", "root"}
    | {"round", "sin", "sqrt", "sum", "tan"}
)
CONSTANTS = frozenset({"e", "inf", "nan", "phi", "pi", "tau"})

_PLAIN = re.compile(r"[0-9+\-*/() \t\r\n]*")
_PLAIN_TOKEN = re.compile(r"[0-9]+|\*\*|//|[-+*/()]")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]+|(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TOKEN = re.compile(rf"{_NUMBER.pattern}|[A-Za-z]+[0-9]*|\*\*|//|\S")
_DECIMAL = re.compile(r"[0-9]*\.?[0-9]+")

_INFIX = frozenset({"+", "-", "*", "/"})
_ILLEGAL_INFIX = frozenset({"**", "^", "//", "%", "mod", ","})
_ILLEGAL_POSTFIX = frozenset({"!", "%", "²", "³"})
_ILLEGAL_PREFIX = FUNCTIONS | {"√"}
_STARTS_NUMBER = frozenset("0123456789.")


class Evaluation(NamedTuple):
    """What an expression says.

    Attributes:
        value: its exact value: an `int` where it is one and no fraction came in between; 0 where there is a fault.
        numbers: the numbers in it, in order, as they are written; empty where it is unparsable or illegal.
        fault: why it has no value, or empty.
    """

    value: Value
    numbers: Sequence[Value]
    fault: Fault = ""

    @property
    def compound(self) -> bool:
        """Whether it is more than a bare number."""
        return len(self.numbers) > 1 or self.fault.startswith("illegal")


_UNPARSABLE = Evaluation(0, (), "unparsable")


class _NoExpressionError(Exception):
    """The tokens are not put together as an expression is."""


def evaluate(text: str, *, decimals: bool = False) -> Evaluation:
    """Read and compute one expression in plain syntax. Never raises, takes time linear in the length.

    Args:
        text: the expression; see `normalise` for text that may hold other signs.
        decimals: read `2.5` as the exact fraction 5/2 instead of as an illegal number.
    """
    if len(text) > MAX_LENGTH:
        return _UNPARSABLE
    plain = _PLAIN.fullmatch(text) is not None
    tokens = (_PLAIN_TOKEN if plain else _TOKEN).findall(text)
    if not plain or "**" in text or "//" in text:
        illegal = _illegal(tokens, decimals=decimals)
        if illegal:
            return Evaluation(0, (), illegal) if _well_formed(tokens) else _UNPARSABLE
    try:
        return _compute(tokens)
    except _NoExpressionError:
        return _UNPARSABLE


def _compute(tokens: Sequence[str]) -> Evaluation:
    """Compute legal tokens: a row of operands and operators for each open bracket, the innermost first.

    Raises:
        _NoExpressionError: they are not put together as an expression is.
    """
    numbers: list[Value] = []
    row: list[str | Value] = []
    open_rows: list[list[str | Value]] = []
    try:
        for part in tokens:
            if part in _INFIX:
                row.append(part)
            elif part == "(" and len(open_rows) < MAX_DEPTH:
                open_rows.append(row)
                row = []
            elif part == ")" and open_rows:
                value = _compute_row(row)
                row = open_rows.pop()
                row.append(value)
            elif part[0] not in _STARTS_NUMBER or len(part) > MAX_DIGITS:
                raise _NoExpressionError
            else:
                number = int(part) if "." not in part else Fraction(part)
                numbers.append(number)
                row.append(number)
        if open_rows:
            raise _NoExpressionError
        return Evaluation(_compute_row(row), numbers)
    except ZeroDivisionError:
        if not _well_formed(tokens):
            raise _NoExpressionError from None
        return Evaluation(0, [Fraction(part) for part in tokens if part[0] in _STARTS_NUMBER], "division by zero")


def _compute_row(row: Sequence[str | Value]) -> Value:
    """Compute what stands between two brackets: a sum of terms, each a row of factors and divisors."""
    total: Value = 0
    term: Value = 1
    operator = "*"
    sign = 1
    wants_operand = True
    for item in row:
        if isinstance(item, str):
            if wants_operand:
                if item in {"*", "/"}:
                    raise _NoExpressionError
                sign = -sign if item == "-" else sign
            elif item in {"*", "/"}:
                operator = item
            else:
                total += term
                term, operator = (1 if item == "+" else -1), "*"
            wants_operand = True
        elif not wants_operand:
            raise _NoExpressionError
        else:
            term = term * item * sign if operator == "*" else divide(term, item * sign)
            sign = 1
            wants_operand = False
    if wants_operand:
        raise _NoExpressionError
    return total + term


def divide(dividend: Value, divisor: Value) -> Value:
    """The exact quotient: an `int` where it is whole.

    Raises:
        ZeroDivisionError: the divisor is 0.
    """
    quotient, rest = divmod(dividend, divisor)
    return Fraction(dividend, divisor) if rest else quotient


def _illegal(tokens: Sequence[str], *, decimals: bool) -> Fault:
    """The gravest illegal thing among the tokens; an operation counts for more than a number."""
    fault: Fault = ""
    for part in tokens:
        if part in _ILLEGAL_INFIX or part in _ILLEGAL_POSTFIX or part in _ILLEGAL_PREFIX:
            return "illegal operation"
        if part in CONSTANTS or (part[0] in _STARTS_NUMBER and not part.isdigit()):
            fault = fault if decimals and _DECIMAL.fullmatch(part) else "illegal number"
    return fault


def _well_formed(tokens: Sequence[str]) -> bool:
    """Whether tokens, illegal ones among them, are put together as an expression is."""
    depth = 0
    wants_operand = True
    if "," in tokens and FUNCTIONS.isdisjoint(tokens):
        return False
    for place, part in enumerate(tokens):
        if wants_operand:
            if part == "(":
                depth += 1
            elif part in CONSTANTS or _NUMBER.fullmatch(part):
                wants_operand = False
            elif part not in ("+", "-") and part not in _ILLEGAL_PREFIX:
                return False
        elif part == ")" and depth:
            depth -= 1
        elif part in _ILLEGAL_POSTFIX and not (part == "%" and _starts_operand(tokens[place + 1 : place + 2])):
            continue
        elif part in _INFIX or part in _ILLEGAL_INFIX:
            wants_operand = True
        else:
            return False
    return not wants_operand and depth == 0


def _starts_operand(following: Sequence[str]) -> bool:
    """Whether what follows `%` makes it a remainder and not a percent sign."""
    return bool(following) and (following[0] == "(" or following[0] in CONSTANTS or following[0][0] in _STARTS_NUMBER)


# --- from what people write to plain syntax -------------------------------------------------------------------------

_UNICODE = str.maketrans(
    dict.fromkeys("×✕✖⨯∗⋅·∙•＊", "*")
    | dict.fromkeys("÷∕⁄／➗", "/")
    | dict.fromkeys("−–—‐‑‒﹣－➖", "-")
    | dict.fromkeys("＋➕", "+")
    | dict.fromkeys("＝", "=")
    | {"（": "(", "）": ")"}
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", "")
)
_BRACKETS = str.maketrans("[]{}", "()()")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}")
_DELIMITERS = re.compile(r"\$|\\[()\[\]]|\\(?:left|right|[bB]igg?[lr]?|displaystyle)(?![A-Za-z])")
_TIMES = re.compile(r"\\(?:times|cdot|ast)(?![A-Za-z])")
_OVER = re.compile(r"\\div(?![A-Za-z])")
_SPACES = re.compile(r"\\(?:[,;:! ]|q?quad(?![A-Za-z]))|~")
_COMMAND = re.compile(r"\\(?:boxed|fbox)|\\(?=[A-Za-z%])")
_LETTER_TIMES = re.compile(r"(?<=[0-9)\s])(?<!(?<![0-9])0)[xX](?=\s*[0-9(])")  # but not the x of 0x64


def normalise(text: str) -> tuple[str, str]:
    r"""Bring an expression or equation to plain syntax; say what was not plain.

    Mapped: Unicode signs and spaces (`unicode`); `$…$`, `\(…\)`, `\[…\]`, `\boxed{…}`, `\left( \right)`, `\times`,
    `\cdot`, `\div`, `\frac{a}{b}` and LaTeX spaces (`latex`); `[ ]` and `{ }` as brackets (`brackets`); `x` and `X`
    between operands as times (`x`). What is not known is left as it is, for `evaluate` to refuse.

    Returns:
        the text, stripped, and the kinds that were found, joined by `+` in the order above; empty for plain text.
    """
    text = text.strip()
    if _PLAIN.fullmatch(text) or len(text) > MAX_LENGTH:
        return text, ""
    kinds = []
    if not text.isascii():
        plain = text.translate(_UNICODE)
        if plain != text:
            kinds.append("unicode")
            text = plain.strip()
    if "\\" in text or "$" in text:
        plain = _without_latex(text)
        if plain != text:
            kinds.append("latex")
            text = plain
    plain = text.translate(_BRACKETS)
    if plain != text:
        if "latex" not in kinds:
            kinds.append("brackets")
        text = plain
    if "x" in text or "X" in text:
        plain = _LETTER_TIMES.sub("*", text)
        if plain != text:
            kinds.append("x")
            text = plain
    return text, "+".join(kinds)


def _without_latex(text: str) -> str:
    r"""Replace the LaTeX that is arithmetic. A backslash before a name is dropped, so `\sqrt` reads as `sqrt`."""
    text = _DELIMITERS.sub(" ", text).strip()
    boxed = _BOXED.fullmatch(text)
    if boxed:  # the braces of a box round an equation are no brackets
        text = boxed[1]
    text = _SPACES.sub(" ", _OVER.sub("/", _TIMES.sub("*", text)))
    found = 1
    while found:  # innermost first; every turn shortens the text
        text, found = _FRACTION.subn(r"((\1)/(\2))", text)
    return _COMMAND.sub("", text).strip()
