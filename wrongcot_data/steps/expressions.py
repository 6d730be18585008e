r"""Expressions of running text: where they begin and end, and their exact value.

    row      = sign* operand { ( operator | word for one | nothing, as in 2(3) ) sign* operand }
    operand  = ( number | mixed number | fraction | root | binomial | "(" row ")" ) { power | "!" | "%" } unit*

Words between an operand and an operator are its unit (`5 apples + 3 apples`, `$3/hour * 8 hours`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, NamedTuple

from wrongcot_data.graders.arithmetic import MAX_DIGITS, Value, divide
from wrongcot_data.steps.tokens import Token
from wrongcot_data.steps.words import (
    FILLERS,
    GLUED_UNITS,
    MAX_UNIT_WORDS,
    PARTS,
    WORD_OPERATORS,
    is_joiner,
    is_unit,
)

MAX_OPERANDS = 100
"""Operands of an expression that is read."""

MAX_BITS = 4_000
"""Bits of a power, and the largest exponent; what is larger has no value here."""

MAX_FACTORIAL = 60

_REPEATING = (3, 6, 7, 9)
"""Denominators whose fractions are often written with two decimals: `0.33`, `0.67`, `0.14`."""

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


@dataclass(slots=True)
class Expression:
    """An expression within a list of tokens: `tokens[begin:end]`, without the unit after it.

    Attributes:
        ambiguous: people read it in more than one way (`2\\frac{1}{2}`, `-3^2`), so it never makes an equation false.
    """

    begin: int
    end: int
    node: Node
    ambiguous: bool


class NoValueError(Exception):
    """An expression has no value here: a division by zero, an irrational root, a power that is too large."""


class _NotReadError(Exception):
    """There is no operand where one is wanted."""


def find_expressions(tokens: Sequence[Token]) -> list[Expression]:
    """The expressions in a row of tokens, each as long as it can be; brackets are not looked into."""
    found = []
    place = 0
    while place < len(tokens):
        reader = _Reader(tokens)
        try:
            node, end = reader.row(place)
        except _NotReadError:
            place += 1
            continue
        found.append(Expression(place, end, node, reader.ambiguous))
        place = end
    return found


class _Reader:
    """Reads one expression; remembers whether it can be read in more than one way."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self.ambiguous = False

    def row(self, place: int) -> tuple[Node, int]:
        """The longest row that begins at a place, and where it ends."""
        parts: list[Node] = []
        operators: list[str] = []
        operator = "+"
        while True:
            start = place
            while self._is(place, "operator") and self._tokens[place].value in "+-":
                if self._tokens[place].value == "-":
                    operator = {"+": "-", "-": "+", "*": "*-", "/": "/-", "*-": "*", "/-": "/"}[operator]
                place += 1
            operand, place = self._operand(place)
            if operand.kind == "power" and operator == "-" and not parts and place > start + 1:
                self.ambiguous = True
            parts.append(operand)
            operators.append(operator)
            following = self._operator(place, operand)
            if following is None or len(parts) >= MAX_OPERANDS:
                break
            operator, place = following
        if "of" in operators:
            self.ambiguous |= any(operator in ("+", "-") for operator in operators[1:])
            operators = ["*" if operator == "of" else operator for operator in operators]
        self._note_percent(parts, operators)
        if len(parts) == 1 and operators == ["+"]:
            return parts[0], place
        return Node("row", tuple(parts), operators=tuple(operators)), place

    def whole(self, group: Token) -> Node | None:
        """What is between two brackets, if it is one expression and nothing else but a unit."""
        if group.reading is None:
            group.reading = _read_whole(group.inside)
        node, ambiguous = group.reading
        self.ambiguous |= ambiguous
        return node

    def after_unit(self, place: int) -> int:
        """The end of the words of a unit, and of remarks in brackets, that follow an operand."""
        words = 0
        while place < len(self._tokens):
            token = self._tokens[place]
            previous = self._tokens[place - 1]
            if token.kind == "mark":
                place += 1
            elif token.kind == "word" and words < MAX_UNIT_WORDS and is_unit(token.value) and (words or not is_joiner(token.value)):
                glued = previous.kind == "number" and token.start == previous.end
                if glued and token.value not in GLUED_UNITS:
                    return place
                words += 1
                place += 1
                place += 2 if self._is(place, "power") and self._is(place + 1, "number") and words else 0
            elif token.value in ("/", "-") and self._is_glued_unit(place):
                place += 1
            elif token.kind == "group" and token.start > previous.end and is_remark(token):
                place += 1
            else:
                return place
        return place

    def _is_glued_unit(self, place: int) -> bool:
        """Whether a stroke or hyphen joins a unit to what stands before it: `/hour`, `-year`, ` / hour`."""
        if not self._is(place + 1, "word"):
            return False
        sign, word = self._tokens[place], self._tokens[place + 1]
        return is_unit(word.value) and (sign.value == "/" or word.start == sign.end) and len(word.value) > 1

    def _operator(self, place: int, operand: Node) -> tuple[str, int] | None:
        """The operator that follows an operand with its unit, and where the next operand begins."""
        if place < len(self._tokens) and self._multiplies(place):
            return "*", place
        of = self._of(place, operand)
        if of is not None:
            return "of", of
        after = self.after_unit(place)
        if after >= len(self._tokens):
            return None
        token = self._tokens[after]
        if token.kind == "operator":
            spaced = after == place or token.start > self._tokens[after - 1].end or token.value in "*/"
            return (token.value, after + 1) if spaced and self._starts(after + 1) else None
        if token.kind != "word":
            return None
        if token.value in ("x", "X"):
            before, behind = self._tokens[after - 1].end == token.start, self._begins(after + 1) == token.end
            return ("*", after + 1) if before == behind and self._starts(after + 1) else None
        sign = WORD_OPERATORS.get(token.value.lower())
        if sign is None:
            return None
        after += 1
        if sign in ("/", "*") and self._is(after, "word") and self._tokens[after].value == "by":
            after += 1
        elif token.value.lower() in ("divided", "multiplied"):
            return None
        return (sign, after) if self._starts(after) else None

    def _of(self, place: int, operand: Node) -> int | None:
        """Where the operand of `of` begins, after a percentage or a fraction."""
        if not self._is(place, "word") or self._tokens[place].value != "of":
            return None
        if operand.kind != "percent" and not (operand.kind == "row" and "/" in operand.operators):
            return None
        place += 1
        while self._is(place, "word") and self._tokens[place].value.lower() in FILLERS:
            place += 1
        return place if self._starts(place) else None

    def _multiplies(self, place: int) -> bool:
        """Whether the next operand stands directly behind the last, which multiplies."""
        token, previous = self._tokens[place], self._tokens[place - 1]
        if token.kind in ("fraction", "root", "binomial"):
            return previous.kind != "word"
        glued = token.kind == "group" and token.value == "(" and token.start == previous.end
        return glued and previous.kind in ("number", "group", "factorial")

    def _starts(self, place: int) -> bool:
        """Whether an operand can begin here."""
        while self._is(place, "operator") and self._tokens[place].value in "+-":
            place += 1
        if place >= len(self._tokens):
            return False
        token = self._tokens[place]
        if token.kind == "group":
            return not is_remark(token)
        return token.kind in ("number", "fraction", "root", "binomial")

    def _operand(self, place: int) -> tuple[Node, int]:
        if place >= len(self._tokens):
            raise _NotReadError
        token = self._tokens[place]
        if token.kind == "number":
            if len(token.value) > MAX_DIGITS:
                raise _NotReadError
            node, place = self._number(place)
        elif token.kind == "word" and token.value.lower() in PARTS and self._is(place + 1, "word"):
            upper, lower = PARTS[token.value.lower()]
            node = _row(_number(str(upper)), "/", _number(str(lower)))
            if self._of(place + 1, node) is None:
                raise _NotReadError
            place += 1
        elif token.kind == "group":
            inner = self.whole(token)
            if inner is None:
                raise _NotReadError
            node, place = inner, place + 1
        elif token.kind in ("fraction", "binomial"):
            upper_node, place = self._argument(place + 1, first=True)
            lower_node, place = self._argument(place, first=False)
            node = _row(upper_node, "/", lower_node)
            if token.kind == "binomial":
                node = Node("binomial", (upper_node, lower_node))
        elif token.kind == "root":
            inner_node, place = self._argument(place + 1, first=False)
            node = Node("root", (inner_node,))
        else:
            raise _NotReadError
        return self._postfix(node, place)

    def _number(self, place: int) -> tuple[Node, int]:
        """A number, or a mixed one such as `2 1/2` or `2\\frac{1}{2}`."""
        token = self._tokens[place]
        whole = _number(token.value)
        if "." in token.value or place + 1 >= len(self._tokens):
            return whole, place + 1
        following = self._tokens[place + 1 : place + 4]
        kinds = [part.kind for part in following]
        if kinds == ["number", "operator", "number"] and following[1].value == "/":
            glued = following[0].end == following[1].start and following[1].end == following[2].start
            upper, lower = following[0].value, following[2].value
            if glued and token.end < following[0].start and upper.isdigit() and lower.isdigit() and int(upper) < int(lower):
                return Node("mixed", (whole, _row(_number(upper), "/", _number(lower)))), place + 4
        if kinds[0] == "fraction":
            self.ambiguous = True
            upper_node, end = self._argument(place + 2, first=True)
            lower_node, end = self._argument(end, first=False)
            return Node("mixed", (whole, _row(upper_node, "/", lower_node))), end
        return whole, place + 1

    def _argument(self, place: int, *, first: bool) -> tuple[Node, int]:
        r"""What follows `\frac` or `\sqrt`: a group in braces, or one digit (`\frac12` is two of them in one number)."""
        if place >= len(self._tokens):
            raise _NotReadError
        token = self._tokens[place]
        if token.kind == "group" and token.value in "{(":
            inner = self.whole(token)
            if inner is not None:
                return inner, place + 1
        if token.kind == "number" and token.value.isdigit():
            if first and len(token.value) == 2:
                return _number(token.value[0]), place
            if len(token.value) == 1 or (not first and len(token.value) == 2 and self._is(place - 1, "fraction")):
                return _number(token.value[-1]), place + 1
        raise _NotReadError

    def _postfix(self, node: Node, place: int) -> tuple[Node, int]:
        """Powers, factorials and percent signs behind an operand."""
        while place < len(self._tokens):
            token = self._tokens[place]
            if token.kind == "power" and token.value != "^":
                node, place = Node("power", (node, _number(token.value))), place + 1
            elif token.kind == "power":
                exponent, place = self._exponent(place + 1)
                node = Node("power", (node, exponent))
            elif token.kind == "factorial" and token.start == self._tokens[place - 1].end:
                node, place = Node("factorial", (node,)), place + 1
            elif token.kind == "percent" or (token.kind == "word" and token.value == "percent"):
                node, place = Node("percent", (node,)), place + 1
            else:
                break
        return node, place

    def _exponent(self, place: int) -> tuple[Node, int]:
        if self._is(place, "group"):
            inner = self.whole(self._tokens[place])
            if inner is not None:
                return inner, place + 1
        sign = ""
        if self._is(place, "operator") and self._tokens[place].value == "-":
            sign, place = "-", place + 1
        if not self._is(place, "number") or len(self._tokens[place].value) > MAX_DIGITS:
            raise _NotReadError
        number = _number(self._tokens[place].value)
        self.ambiguous |= len(number.number) > 1  # TeX reads only the first digit
        return (Node("row", (number,), operators=("-",)) if sign else number), place + 1

    def _note_percent(self, parts: Sequence[Node], operators: Sequence[str]) -> None:
        """`200 - 20%` means a part of the 200 to most people."""
        if len(parts) > 1 and any(operator in ("+", "-") for operator in operators[1:]):
            percents = sum(part.kind == "percent" for part in parts)
            self.ambiguous |= 0 < percents < len(parts)

    def _is(self, place: int, kind: str) -> bool:
        return 0 <= place < len(self._tokens) and self._tokens[place].kind == kind

    def _begins(self, place: int) -> int:
        return self._tokens[place].start if place < len(self._tokens) else -1


def _read_whole(tokens: Sequence[Token]) -> tuple[Node | None, bool]:
    """The one expression that a row of tokens is, if it is one, and whether it is ambiguous."""
    reader = _Reader(tokens)
    try:
        node, end = reader.row(0)
    except _NotReadError:
        return None, False
    return (node, reader.ambiguous) if reader.after_unit(end) == len(tokens) else (None, False)


def is_remark(group: Token) -> bool:
    """Whether a bracket holds words or an equation, and not an operand: `(lost income)`, `(3 + 4 = 7)`."""
    if group.value != "(" or any(token.kind == "equals" for token in group.inside):
        return group.value == "("
    words = any(token.kind == "word" and len(token.value) > 1 for token in group.inside)
    return words and _Reader([]).whole(group) is None


def _number(digits: str) -> Node:
    return Node("number", number=digits)


def _row(left: Node, operator: str, right: Node) -> Node:
    return Node("row", (left, right), operators=("+", operator))


# --- values ---------------------------------------------------------------------------------------------------------


def is_compound(node: Node) -> bool:
    """Whether something is to be computed: more than a number, its sign and a percent sign."""
    if node.kind == "row":
        return len(node.parts) > 1 or is_compound(node.parts[0])
    return node.kind not in ("number", "percent", "mixed") or (node.kind == "percent" and is_compound(node.parts[0]))


def value_of(node: Node, *, slack: bool = False, tight: bool = False) -> Range:
    """The exact value of an expression.

    Args:
        slack: a decimal that may be a rounded one stands for all that it may be rounded from.
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


def _number_range(digits: str, *, slack: bool) -> Range:
    whole, _, decimals = digits.partition(".")
    if not decimals:
        return Range(int(whole), int(whole))
    value = Fraction(digits)
    exact: Value = value.numerator if value.denominator == 1 else value
    if slack and _may_be_rounded(value, len(decimals)):
        unit = Fraction(1, 10 ** len(decimals))
        return Range(exact - unit, exact + unit)
    return Range(exact, exact)


def _may_be_rounded(value: Fraction, places: int) -> bool:
    """Three decimals or more always; two where they are those of a third, a sixth, a seventh or a ninth."""
    if places != 2:
        return places > 2
    return any(
        value * divisor != round(value * divisor) and abs(value - Fraction(round(value * divisor), divisor)) < Fraction(1, 100)
        for divisor in _REPEATING
    )


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


