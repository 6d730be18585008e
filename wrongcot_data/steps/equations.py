r"""Equations in running text, found and checked exactly.

An equation is two or more expressions with `=` between them (`3 + 4 = 7`, `3 * 4 = 12 = 6 + 6`), at least one of them
more than a bare number, in plain text or LaTeX, with or without units. A false verdict is worse than none, so whatever
may be only a piece of something else is left unchecked: a side that does not parse, a letter or an operator beside it
(`2x + 3 = 7`), a word before it that takes its first number (`half of 20 + 4 = 14`), a value that may be a rounded
one, a running total (`5 + 3 = 8 + 2 = 10`), a change of units, a claim that is only supposed, asked or denied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import groupby

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.records import StepVerdict
from wrongcot_data.steps.doubt import in_doubt, is_refuted
from wrongcot_data.steps.expressions import Expression, after_unit, find_expressions, is_remark
from wrongcot_data.steps.links import Judged, judge
from wrongcot_data.steps.meanings import Link
from wrongcot_data.steps.other_arithmetic import Cue, find_cues, holds_otherwise, is_modular
from wrongcot_data.steps.tokens import Token, tokens
from wrongcot_data.steps.values import Node, adds, is_compound, is_fraction
from wrongcot_data.steps.words import PARTS, changes_number, is_glued_unit, leads_in, narrows, wants_more

MAX_LINE = 20_000
"""Characters of a line that is checked; a longer one is left alone."""

_RELATION = re.compile(r"=|≈|\\approx|\\doteq|[0-9)%}] (?:is|equals) [-$0-9(]")
_LINE = re.compile(  # with the lines behind it that begin with a sign of equality, or that its own end leaves open
    r"[^\n]*(?:\n[ \t]*(?:\\\\[ \t]*)?(?:&[ \t]*)?(?:=(?!=)|≈|\\approx)[^\n]*"
    r"|(?:(?<=[=&\\])|(?<=[=&\\][ \t]))\n[^\n]+)*"
)
_BULLET = re.compile(r"[ \t]*([-*–•·>]|#+|[0-9]{1,3}[.)]|\([0-9]{1,3}\))[ \t]+")
_OWN_SIGN = re.compile(  # a * b = 2a - b
    r"(?<![A-Za-z\\])([A-Za-z])[ $]*([*×·∗]|\\cdot|\\times)[ $]*([A-Za-z])[ $]*="
    r"[^=\n]{0,40}?(?<![A-Za-z\\])(?:\1|\3)(?![A-Za-z]{2})"
)
_BOXED_OPERAND = re.compile(r"\\boxed\{[^{}]*\}\s*(?:[-+*/×·=]|\\(?:cdot|times|div))")
_OPEN_END = re.compile(r"(?:(?<![*])[-+*/×·(]|\\(?:cdot|times|div|log|frac)(?:_\{?\w+\}?)?)[ \t]*&?\s*\Z")
_OPEN_START = re.compile(r"(?:&|\\q?quad|\s)*([-+*/×·]|\\(?:cdot|times|div)(?![A-Za-z]))")
_DELIMITERS = (("\\(", "\\)"), ("\\[", "\\]"))
_WRAP = 30
_LOOK_BACK = 8
_LOOK_AHEAD = 6


@dataclass(frozen=True, slots=True)
class Equation:
    """One equation: `text == source[start:end]`, and whether it holds.

    An equation that goes on over several lines is one for each line with a new side; it begins where the side before
    the first `=` of its line does.

    Attributes:
        value: for an invalid one, what the side that is computed is worth; for a valid one, what both sides are.
        claimed: for an invalid one, what the text says instead. None in both where nothing was checked.
        sides: the expressions between the signs of equality, as trees.
    """

    start: int
    end: int
    text: str
    verdict: StepVerdict
    value: Value | None = None
    claimed: Value | None = None
    sides: tuple[Node, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class _Side:
    """An expression next to a relation, with its place in the text."""

    expression: Expression
    start: int
    end: int


def find_equations(text: str, start: int = 0, end: int | None = None) -> Iterator[Equation]:
    """All equations of `text[start:end]`, each with its verdict. Never raises; time linear in the length."""
    end = len(text) if end is None else end
    cues: list[Cue] | None = None
    own_signs = {found[2] for found in _OWN_SIGN.finditer(text, start, end)}
    for line in _LINE.finditer(text, start, end):
        first, last = line.span()
        if last - first > MAX_LINE or _RELATION.search(text, first, last) is None:
            continue
        bullet = _BULLET.match(text, first, last)
        found = _in_line(text, first, bullet.end() if bullet else first, last)
        modular = bool(found) and is_modular(text[first:last])
        if cues is None and any(equation.verdict == "invalid" for equation in found):
            cues = find_cues(text, start, end)
        for equation in found:
            doubtful = equation.verdict == "invalid" and (
                modular
                or any(sign in equation.text for sign in own_signs)
                or (bullet and _holds_with_bullet(text, bullet, equation, last))
                or _is_no_claim(text, equation)
                or holds_otherwise(cues or [], equation.start, equation.end, equation.sides)
            )
            yield replace(equation, verdict="unchecked", value=None, claimed=None) if doubtful else equation


def _in_line(text: str, first: int, begin: int, last: int) -> list[Equation]:
    """The equations of a line, which is read from `begin` on, in order, each judged by itself."""
    found = [
        equation
        for level in _levels(_with_neighbours(text, tokens(text, begin, last), first, last))
        for chain in _chains(level)
        for equation in _by_line(text, chain)
    ]
    return sorted(found, key=lambda equation: (equation.start, equation.end))


def _holds_with_bullet(text: str, bullet: re.Match[str], equation: Equation, last: int) -> bool:
    """Whether the hyphen before a line is the minus sign of its first number: `- 5 + 3 = -2`."""
    if bullet[1] not in ("-", "–") or equation.start != bullet.end():
        return False
    again = _in_line(text, bullet.start(), bullet.start(1), last)
    return bool(again) and again[0].start == bullet.start(1) and again[0].verdict != "invalid"


def _is_no_claim(text: str, equation: Equation) -> bool:
    """Whether what is written in and around a false equation says that it is no claim."""
    start, end = equation.start, equation.end
    return (
        _BOXED_OPERAND.search(equation.text) is not None
        or in_doubt(text, start, end)
        or is_refuted(text, end, equation.value, equation.claimed)
    )


def false_equations(text: str, start: int = 0, end: int | None = None) -> list[Equation]:
    """The equations of `text[start:end]` that do not hold, each with the value that is right."""
    return [equation for equation in find_equations(text, start, end) if equation.verdict == "invalid"]


def _with_neighbours(text: str, row: list[Token], first: int, last: int) -> list[Token]:
    """A line's tokens; where the line before or behind goes on with the same formula, with something unknown there."""
    if _OPEN_END.search(text, max(0, first - _WRAP), first):
        row = [Token("unknown", first, first, ""), *row]
    following = _OPEN_START.match(text, last, last + 2 * _WRAP)
    if following and (following[1] not in "-*·" or _is_open(text[first:last])):
        row = [*row, Token("unknown", last, last, "")]
    return row


def _is_open(line: str) -> bool:
    r"""Whether a formula that begins in a line does not end in it; if it does, a `-` behind the line is a bullet."""
    dollars = line.count("$") - line.count("\\$")
    return (dollars % 2 == 1 and "\\" in line) or any(
        line.count(opened) > line.count(closed) for opened, closed in _DELIMITERS
    )


def _levels(row: list[Token]) -> Iterator[list[Token]]:
    """A row of tokens and the rows within its brackets and calculator marks, where there is a relation."""
    open_rows = [row]
    while open_rows:
        level = open_rows.pop()
        open_rows.extend(token.inside for token in level if token.inside)
        if any(token.kind == "equals" or token.value in ("is", "equals") for token in level):
            yield _joined([token for token in level if token.kind != "mark"])


def _joined(row: list[Token]) -> list[Token]:
    r"""A row without the ends of lines, and the `\\`, that only stand before or behind a relation."""
    joined: list[Token] = []
    for place, token in enumerate(row):
        if token.kind == "word" and token.value in ("is", "equals") and _is_between_numbers(row, place):
            token = Token("equals", token.start, token.end, "is")  # noqa: PLW2901  # it stands for the sign
        if token.kind == "equals":
            while joined and _is_line_end(joined[-1]):
                joined.pop()
        elif _is_line_end(token) and joined and joined[-1].kind == "equals":
            continue
        joined.append(token)
    return joined


def _is_between_numbers(row: list[Token], place: int) -> bool:
    """Whether a word stands between two numbers: `3 * 4 is 12`."""
    before, behind = row[max(0, place - 1) : place], row[place + 1 : place + 2]
    return bool(before and behind) and before[0].kind in ("number", "group", "percent") and behind[0].kind == "number"


def _chains(row: list[Token]) -> Iterator[list[tuple[_Side, str, _Side]]]:
    """Sides with a relation between them; in a chain the right side of each is the left one of the next."""
    segments: list[list[Token]] = [[]]
    relations: list[str] = []
    for token in row:
        if token.kind == "equals":
            relations.append(token.value)
            segments.append([])
        else:
            segments[-1].append(token)
    chain: list[tuple[_Side, str, _Side]] = []
    right: _Side | None = None
    for number, segment in enumerate(segments):
        found = find_expressions(segment)
        if number:
            left, right = right, _leading(segment, found)
            says = relations[number - 1] != "is" or (number == 1 and _is_sentence(segments[0], left, segment, right))
            if left and right and says:
                chain.append((left, relations[number - 1], right))
            elif chain:
                yield chain
                chain = []
        whole = bool(found) and right is not None and after_unit(segment, found[0].end) == len(segment)
        if whole and found[0].end < len(segment) and not is_compound(found[0].node):
            whole = False  # d = 48 satisfy abcd = ...
        if not whole:
            if chain:
                yield chain
                chain = []
            right = _trailing(segment, found)
    if chain:
        yield chain


def _is_sentence(segment: list[Token], left: _Side | None, behind: list[Token], right: _Side | None) -> bool:
    """Whether `is` says of a whole expression what it is worth, and not of a noun that the expression only belongs to.

    So for `3 * 4 is 12.`, and not for `10 * 10 is 1 followed by two zeros`, `the number of zeros in 10^6 is 6` or
    `the common denominator for 3 and 1/2 is 2`.
    """
    if left is None or right is None:
        return False
    ended = right.expression.end == len(behind) or behind[right.expression.end].value in (".", ",", ";", "\n")
    begin = left.expression.begin
    named = is_fraction(left.expression.node) and segment[begin + 1].kind != "word"  # 3/4 is 12 of 16 slices
    if not ended or named:
        return False
    place = begin
    while place and not leads_in(segment[place - 1].value):
        place -= 1
        if segment[place].kind == "word" and narrows(segment[place].value):
            return False
    return place == begin or segment[begin - 1].kind == "stop"


def _leading(segment: list[Token], found: list[Expression]) -> _Side | None:
    """The side that a segment begins with, if it is read to its end."""
    if not found or found[0].begin != 0:
        return None
    if not _ends(segment, found[0].end, goes_on=len(found) > 1 and _is_amount(found[1].node)):
        return None
    side = found[0]
    side.ambiguous |= side.is_share  # 3/3 - 2/3 = 1/3 of what follows
    if side.node.kind == "factorial" and all(token.kind == "stop" for token in segment[side.end : side.end + 1]):
        side.ambiguous = True  # or the end of a sentence
    return _Side(side, segment[0].start, segment[side.end - 1].end)


def _trailing(segment: list[Token], found: list[Expression]) -> _Side | None:
    """The side that a segment ends with, if it is read from its beginning."""
    if not found or after_unit(segment, found[-1].end) != len(segment) or not _begins(segment, found[-1]):
        return None
    side = found[-1]
    word_behind = side.end < len(segment) and segment[side.end].kind == "word"
    if word_behind and changes_number(segment[side.end].value, _next_word(segment, side.end)):
        return None
    labelled = side.end < len(segment) or (side.begin and segment[side.begin - 1].kind == "word")
    if labelled and not is_compound(side.node):
        return None  # 4 subjects = 186 + 62
    return _Side(side, segment[side.begin].start, segment[side.end - 1].end)


def _begins(segment: list[Token], side: Expression) -> bool:
    """Whether an expression can begin where it does, and is not a piece of a longer one."""
    begin = side.begin
    if segment[begin].value == "+":
        return False  # a sum that began before
    if begin == 0:
        return True
    before = segment[begin - 1]
    signed = segment[begin].kind == "operator"
    if before.kind == "stop":
        return _begins_after_stop(segment, begin, signed=signed)
    if before.kind == "relation":
        return True
    if before.kind == "group":
        return is_remark(before) and not signed
    if before.kind != "word" or signed or before.end == segment[begin].start:
        return False
    words: list[str] = []
    place = begin - 1
    while place >= 0 and len(words) < _LOOK_BACK and segment[place].kind == "word":
        words.insert(0, segment[place].value)
        place -= 1
    if wants_more(words):
        return False
    if place >= 0 and segment[place].kind == "number":
        mixed = words == ["and"] and _is_amount(side.node)
        rate = words[-1] in ("in", "for") and segment[begin].value == "1"  # 24 eggs in 1 tray x 2 trays
        labelled = segment[begin + 1 : begin + 2] and segment[begin + 1].kind == "word"
        # $5 a day for 3 days + $2
        times = labelled and len(words) <= 3 and words[-1] in ("for", "with") and adds(side.node)
        if mixed or rate or times:
            return False
    if place < 0 or segment[place].kind in ("stop", "relation", "word", "unknown", "mark"):
        return True
    rate = any(token.kind == "word" and token.value in ("each", "per", "apiece") for token in segment[begin:])
    return segment[place].kind in ("number", "group", "percent", "fraction") and not rate


def _begins_after_stop(segment: list[Token], begin: int, *, signed: bool) -> bool:
    """Whether what ended before an expression was no formula that goes on, or number such as `14, 400`."""
    before = segment[begin - 1]
    earlier = [token for token in segment[max(0, begin - _LOOK_BACK) : begin] if not _is_line_end(token)]
    if _is_line_end(before) and (signed or (earlier and earlier[-1].kind in ("operator", "unknown"))):
        return False
    if before.value in ("(", "[", "{", ".") and earlier[-2:-1] and earlier[-2].kind == "operator":
        return False  # a bracket that is never closed, a decimal point on its own
    if before.value in (")", "]", "}") and before.end == segment[begin].start:
        return False
    thousands = before.value == "," and begin > 1 and segment[begin - 2].kind == "number"
    return not (thousands and len(segment[begin].value) == 3)


def _is_line_end(token: Token) -> bool:
    return token.kind == "stop" and token.value in ("\n", "")


def _ends(segment: list[Token], end: int, *, goes_on: bool) -> bool:
    """Whether an expression can end here, and is not a piece of a longer one.

    Args:
        goes_on: what comes next is a bare number, which `and` may add to this one: `3 hours and 20 minutes`.
    """
    return end >= len(segment) or (
        _is_whole_before(segment, end) and _is_whole_with_words(segment, end, goes_on=goes_on)
    )


def _is_whole_before(segment: list[Token], end: int) -> bool:
    """Whether the token directly behind an expression leaves it whole."""
    after, last = segment[end], segment[end - 1]
    if after.kind == "stop":
        if _is_line_end(after):
            following = next((token for token in segment[end:] if not _is_line_end(token)), None)
            return following is None or following.kind != "operator"
        return _ends_at_stop(segment, end)
    if after.kind == "word":
        return after.start > last.end or is_glued_unit(after.value)
    if after.kind == "group":
        return is_remark(after) and after.start > last.end
    if after.kind == "operator":
        return _is_dash(segment, end) or after_unit(segment, end) > end
    return after.kind in ("relation", "dots")


def _is_whole_with_words(segment: list[Token], end: int, *, goes_on: bool) -> bool:
    """Whether the words behind an expression leave its value as it is."""
    joined = False
    for place in range(end, min(len(segment), end + _LOOK_AHEAD)):
        token = segment[place]
        if token.kind == "word":
            part = token.value in PARTS and [one.value for one in segment[place - 2 : place]] == ["and", "a"]
            if (
                token.value == "than"
                or part
                or (place == end and changes_number(token.value, _next_word(segment, place)))
            ):
                return False
            joined |= token.value in ("and", "to", "with")
        elif token.kind == "number":
            return not (joined and goes_on)
        elif token.kind == "operator":
            return _is_dash(segment, place) or after_unit(segment, place) > place
        else:
            return not (joined and token.kind in ("group", "fraction"))
    return True


def _ends_at_stop(segment: list[Token], end: int) -> bool:
    r"""Whether a stop ends an expression: not in `0.\overline{6}`, nor where a bracket that was never opened closes."""
    stop, behind = segment[end], segment[end + 1 : end + 2]
    if not behind:
        return True
    if stop.value in (")", "]", "}"):
        return behind[0].kind not in ("operator", "power")
    glued = stop.start == segment[end - 1].end and behind[0].start == stop.end
    return not (glued and stop.value in (".", ",") and behind[0].kind in ("word", "unknown", "number", "fraction"))


def _is_amount(node: Node) -> bool:
    """Whether an expression is a bare number or a fraction of two, and so may belong to a number before it."""
    if node.operators == ("+", "/") and all(part.kind == "number" for part in node.parts):
        return Fraction(node.parts[0].number) < Fraction(node.parts[1].number)
    return not is_compound(node)


def _next_word(segment: list[Token], place: int) -> str:
    """The word or sign behind a token; empty at the end of a sentence."""
    following = segment[place + 1 : place + 2]
    return following[0].value if following and following[0].kind != "stop" else ""


def _is_dash(segment: list[Token], place: int) -> bool:
    """Whether a minus sign is a dash between words: white space on both sides, and a word behind it."""
    if segment[place].value != "-" or place + 1 >= len(segment):
        return False
    spaced = segment[place - 1].end < segment[place].start and segment[place].end < segment[place + 1].start
    return spaced and segment[place + 1].kind == "word"


def _by_line(text: str, chain: list[tuple[_Side, str, _Side]]) -> Iterator[Equation]:
    """The equations of a chain, one for each line that has a right side of it."""
    judged = judge(text, [Link(left.expression, relation, right.expression, left.start, right.end)
                          for left, relation, right in chain])  # fmt: skip
    first = chain[0][0].start

    def line_of(pair: tuple[tuple[_Side, str, _Side], Judged]) -> int:
        return text.count("\n", first, pair[0][2].start)

    for _, group in groupby(zip(chain, judged, strict=True), key=line_of):
        links = list(group)
        start, end = links[0][0][0].start, links[-1][0][2].end
        false = [verdict for _, verdict in links if verdict.verdict == "invalid"]
        true = [verdict for _, verdict in links if verdict.verdict == "valid"]
        disputed = any(verdict.disputed for _, verdict in links)
        chosen = false or ([] if disputed else true)
        sides = (links[0][0][0].expression.node, *(link[2].expression.node for link, _ in links))
        if chosen:
            said = chosen[0]
            yield Equation(start, end, text[start:end], said.verdict, said.value, said.claimed, sides)
        elif any(verdict.compound for _, verdict in links):
            yield Equation(start, end, text[start:end], "unchecked", sides=sides)
