r"""Expressions of running text: where they begin and end.

    row      = sign* operand { ( operator | word for one | nothing, as in 2(3) ) sign* operand }
    operand  = ( number | mixed number | fraction | root | binomial | "(" row ")" ) { power | "!" | "%" } unit*

Words between an operand and an operator are its unit (`5 apples + 3 apples`, `$3/hour * 8 hours`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wrongcot_data.graders.arithmetic import MAX_DIGITS
from wrongcot_data.steps.tokens import Token
from wrongcot_data.steps.values import Node
from wrongcot_data.steps.words import (
    FILLERS,
    MAX_UNIT_WORDS,
    PARTS,
    WORD_OPERATORS,
    is_glued_unit,
    is_joiner,
    is_unit,
)

MAX_OPERANDS = 100
"""Operands of an expression that is read."""

MAX_SIGNS = 3
"""Signs before one operand, the operator before it not counted."""

MAX_POSTFIX = 4
"""Powers, factorials and percent signs behind one operand; with the depth of brackets it bounds the depth of a tree."""

_NEGATED = {"+": "-", "-": "+", "*": "*-", "*-": "*", "/": "/-", "/-": "/"}
"""An operator with one minus sign more before its operand."""

_STARTERS = frozenset({"number", "group", "fraction", "root", "binomial"})


@dataclass(slots=True)
class Expression:
    """An expression within a list of tokens: `tokens[begin:end]`, without the unit after it.

    Attributes:
        ambiguous: people read it in more than one way (`2\\frac{1}{2}`, `-3^2`), so it never makes an equation false.
        is_share: it has an `of` in it: `1/3 of 150`.
    """

    begin: int
    end: int
    node: Node
    ambiguous: bool
    is_share: bool


class _NotReadError(Exception):
    """There is no operand where one is wanted."""


def find_expressions(tokens: Sequence[Token]) -> list[Expression]:
    """The expressions in a row of tokens, each as long as it can be; brackets are not looked into."""
    found = []
    place = 0
    while place < len(tokens):
        if not _may_start(tokens[place]):
            place += 1
            continue
        reader = _Reader(tokens)
        try:
            node, end = reader.row(place)
        except _NotReadError:
            place += 1
            continue
        found.append(Expression(place, end, node, reader.ambiguous, reader.is_share))
        place = end
    return found


def _may_start(token: Token) -> bool:
    """Whether an expression can begin with a token; most of prose cannot, and is passed over here."""
    return token.kind in _STARTERS or (token.kind == "operator" and token.value in "+-") or token.value.lower() in PARTS


def after_unit(tokens: Sequence[Token], place: int) -> int:
    """The end of the words of a unit, and of remarks in brackets, that follow an operand."""
    return _Reader(tokens).after_unit(place)


class _Reader:
    """Reads one expression; remembers whether it can be read in more than one way."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self.ambiguous = False
        self.is_share = False
        self._has_words = False

    def row(self, place: int) -> tuple[Node, int]:
        """The longest row that begins at a place, and where it ends."""
        parts: list[Node] = []
        operators: list[str] = []
        operator = "+"
        while True:
            start = place
            while place < start + MAX_SIGNS and self._is(place, "operator") and self._tokens[place].value in "+-":
                if operator == "of" or (self._tokens[place].value == "+" and parts):
                    raise _NotReadError
                if self._tokens[place].value == "-":
                    operator = _NEGATED[operator]
                place += 1
            operand, place = self._operand(place)
            if operand.kind == "power" and operator == "-" and not parts:
                self.ambiguous = True
            parts.append(operand)
            operators.append(operator)
            following = self._operator(place, operand, operators)
            if following is None or len(parts) >= MAX_OPERANDS:
                break
            operator, place = following
        adds = any(operator in ("+", "-") for operator in operators[1:])
        if "of" in operators:
            if adds:
                raise _NotReadError  # half of 20 + 4: of which?
            self.is_share = True
            operators = ["*" if operator == "of" else operator for operator in operators]
        self.ambiguous |= adds and self._has_words
        self.ambiguous |= any(pair == ("/", "/") for pair in pairwise(operators))  # 60 / 3/4
        self._note_percent(parts, operators)
        if len(parts) == 1 and operators == ["+"]:
            return parts[0], place
        return Node("row", tuple(parts), operators=tuple(operators)), place

    def whole(self, group: Token) -> Node | None:
        """What is between two brackets, if it is one expression and nothing else but a unit."""
        if group.reading is None:
            group.reading = _read_whole(group.inside)
        node: Node | None
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
            elif (
                token.kind == "word"
                and words < MAX_UNIT_WORDS
                and is_unit(token.value)
                and (words or not is_joiner(token.value) or token.value == "per")
            ):
                glued = previous.kind == "number" and token.start == previous.end
                if glued and not is_glued_unit(token.value):
                    return place
                words += 1
                place += 1
                place += 2 if self._is(place, "power") and self._is(place + 1, "number") and words else 0
            elif self._is_glued_unit(place) or (
                token.kind == "group" and token.start > previous.end and is_remark(token)
            ):
                place += 1
            else:
                return place
        return place

    def _is_glued_unit(self, place: int) -> bool:
        """Whether a stroke or hyphen joins a unit to what stands before it: `/hour`, `-year`, ` / hour`."""
        if self._tokens[place].value not in ("/", "-") or not self._is(place + 1, "word"):
            return False
        sign, word = self._tokens[place], self._tokens[place + 1]
        return is_unit(word.value) and (sign.value == "/" or word.start == sign.end) and len(word.value) > 1

    def _operator(self, place: int, operand: Node, operators: Sequence[str]) -> tuple[str, int] | None:
        """The operator that follows an operand with its unit, and where the next operand begins."""
        if place < len(self._tokens) and self._multiplies(place):
            return "*", place
        of = self._of(place, operand)
        if of is None and operators[1:] == ["/"] and self._is(place, "word"):  # 1/2 of 10
            of = self._of(place, Node("percent"))
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
            return ("*", after + 1) if before == behind and self._starts(after + 1, signed=False) else None
        sign = WORD_OPERATORS.get(token.value.lower())
        if sign is None:
            return None
        after += 1
        if sign in ("/", "*") and self._is(after, "word") and self._tokens[after].value == "by":
            after += 1
        elif token.value.lower() in ("divided", "multiplied"):
            return None
        self._has_words |= sign in ("*", "/")
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

    def _starts(self, place: int, *, signed: bool = True) -> bool:
        """Whether an operand can begin here."""
        limit = place + MAX_SIGNS if signed else place
        while place < limit and self._is(place, "operator") and self._tokens[place].value in "+-":
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
            if len(token.value) > MAX_DIGITS or (
                token.value[0] == "0" and token.value[1:].isdigit()
            ):  # or a time, 0830
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
        if "." in token.value and self._is(place + 1, "dots"):
            return whole, place + 2
        if "." in token.value or place + 1 >= len(self._tokens):
            return whole, place + 1
        following = self._tokens[place + 1 : place + 4]
        kinds = [part.kind for part in following]
        if kinds == ["number", "operator", "number"] and following[1].value == "/":
            glued = following[0].end == following[1].start and following[1].end == following[2].start
            upper, lower = following[0].value, following[2].value
            if (
                glued
                and token.end < following[0].start
                and upper.isdigit()
                and lower.isdigit()
                and int(upper) < int(lower)
            ):
                return Node("mixed", (whole, _row(_number(upper), "/", _number(lower)))), place + 4
        if kinds[0] == "fraction":
            self.ambiguous = True
            upper_node, end = self._argument(place + 2, first=True)
            lower_node, end = self._argument(end, first=False)
            return Node("mixed", (whole, _row(upper_node, "/", lower_node))), end
        return whole, place + 1

    def _argument(self, place: int, *, first: bool) -> tuple[Node, int]:
        r"""What follows `\frac` or `\sqrt`: a group in braces, or one digit (`\frac12` is two in one number)."""
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
        found = 0
        while place < len(self._tokens):
            token = self._tokens[place]
            found += 1
            if found > MAX_POSTFIX + 1:
                raise _NotReadError
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
        if self._is(place + 1, "power"):
            raise _NotReadError  # a tower
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
    if any(token.kind == "unknown" for token in group.inside):
        return False
    words = any(token.kind == "word" and len(token.value) > 1 for token in group.inside)
    return words and _Reader([]).whole(group) is None


def _number(digits: str) -> Node:
    return Node("number", number=digits)


def _row(left: Node, operator: str, right: Node) -> Node:
    return Node("row", (left, right), operators=("+", operator))
