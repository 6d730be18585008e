r"""Our own grader of mathematical answers: structure by reading, expressions by their values.

Tuples, intervals, sets, lists, matrices, equations and words are taken apart and compared part by part. What is left
is an expression, and two expressions are the same if they have the same value, to 30 digits, at three points drawn at
random for their variables (the identity test of Schwartz and Zippel). It shares nothing with math-verify, which parses
into sympy and compares by rules; where the two differ, neither is taken for right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import mpmath

from wrongcot_data.graders.expressions import Unreadable, value_at
from wrongcot_data.graders.plain_numbers import read_number

Opinion = Literal["equal", "different", "none"]

_TEXT = re.compile(r"\\(?:text|mbox|textrm|textbf|mathrm|mathbf|textit|textnormal)\s*\{([^{}]*)\}")
_SPACING = re.compile(r"(?<!\\)\\[,;:! ]|\\q?quad|\\displaystyle|~|\\(?:left|right)(?![a-z])|\\[bB]ig+[lr]?(?![a-z])")
_UNIT = re.compile(
    r"(?:\s*(?:\^\{?\\circ\}?|\\degree|°)|\s*\\?%"
    r"|(?<=[0-9}])\s*\\(?:text|mbox|textrm|mathrm)\{[^{}]*\}(?:\^\{?[0-9]\}?)?)\s*\Z"
)
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_WORDS = re.compile(r"[A-Za-z][A-Za-z' .-]+|\(?[A-Za-z]\)?")
_NAMES = re.compile(r"(?:\(?[a-z](?:,[a-z])*\)?|[A-Za-z]\([a-z]\))(?:=|\\in(?![a-z]))")
_MATRIX = re.compile(r"\\begin\{([pbv]?matrix|array)\}(?:\{[^{}]*\})?(.*)\\end\{\1\}", re.S)
_OPEN, _CLOSE = "([{", ")]}"
_POINTS = 3


def compare(reference: str, answer: str) -> Opinion:
    """Whether two answers say the same; `none` where one of them cannot be read."""
    left, right = tidy(reference), tidy(answer)
    if left == right:
        return "equal"
    try:
        return "equal" if _same(left, right) else "different"
    except (Unreadable, RecursionError, ValueError, OverflowError, ZeroDivisionError, mpmath.libmp.NoConvergence):
        return "none"


def tidy(text: str) -> str:
    """An answer without what does not count: delimiters, spacing, units, names before `=`."""
    text = text.strip().strip("$").strip()
    text = text.replace("\\dfrac", "\\frac").replace("\\tfrac", "\\frac").replace("\\cfrac", "\\frac")
    text = _SPACING.sub("", text.replace("{,}", "").replace("\\$", "").replace("−", "-"))
    text = text.replace("\\(", "").replace("\\)", "").rstrip(". ")
    text = _UNIT.sub("", text)
    text = _TEXT.sub(lambda match: f" {match[1]} ", text)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return " ".join(text.split())


def _same(left: str, right: str) -> bool:
    if _is_words(left) or _is_words(right):
        return _is_words(left) == _is_words(right) and _word_key(left) == _word_key(right)
    left, right = re.sub(r"\s+", "", left), re.sub(r"\s+", "", right)
    if left == right:
        return True
    matrices = _MATRIX.fullmatch(left), _MATRIX.fullmatch(right)
    if any(matrices):
        return all(matrices) and _same_grid(_grid(matrices[0][2]), _grid(matrices[1][2]))  # type: ignore[index]
    left, right = (_both_signs(text) for text in _unnamed(left, right))
    for cut in (_cut(left, right, r"\cup"), _cut(left, right, ",")):
        if cut is not None:
            return _same_unordered(*cut)
    if _bracketed(left) or _bracketed(right):
        return _same_bracketed(left, right)
    if "=" in left or "=" in right:
        return _same_equation(left, right)
    if any(sign in left + right for sign in ("<", ">", "\\le", "\\ge", "\\ne", "\\in", ":", "_")):
        raise Unreadable
    return _same_value(left, right)


def _is_words(text: str) -> bool:
    """Whether an answer is words and no formula: a name, `even`, a choice such as `(A)`."""
    return _WORDS.fullmatch(text.strip()) is not None and not re.fullmatch(r"[a-z]", text.strip())


def _word_key(text: str) -> str:
    return re.sub(r"[^a-z]", "", text.lower())


def _grid(body: str) -> list[list[str]]:
    rows = [row for row in body.split("\\\\") if row.strip()]
    return [row.split("&") for row in rows]


def _same_grid(left: Sequence[Sequence[str]], right: Sequence[Sequence[str]]) -> bool:
    if [len(row) for row in left] != [len(row) for row in right]:
        return False
    return all(_same(a, b) for row, other in zip(left, right, strict=True) for a, b in zip(row, other, strict=True))


def _unnamed(left: str, right: str) -> tuple[str, str]:
    """Both without `x=` or `x \\in` before them, unless both are equations in earnest."""
    names = _NAMES.match(left), _NAMES.match(right)
    bare = [text[name.end() :] if name else text for text, name in zip((left, right), names, strict=True)]
    if any("=" in text for text in bare) or not any(names):
        return left, right
    if all(names) and names[0][0] != names[1][0]:  # type: ignore[index]
        return left, right
    return bare[0], bare[1]


def _split(text: str, mark: str) -> list[str]:
    """The parts between marks that stand in no brackets. A half-open interval closes what another kind has opened."""
    parts, depth, begin, at = [], 0, 0, 0
    while at < len(text):
        if text[at] in _OPEN:
            depth += 1
        elif text[at] in _CLOSE:
            depth -= 1
        elif depth == 0 and text.startswith(mark, at):
            parts.append(text[begin:at])
            at += len(mark)
            begin = at
            continue
        at += 1
    if depth:
        raise Unreadable
    return [*parts, text[begin:]]


def _cut(left: str, right: str, mark: str) -> tuple[list[str], list[str]] | None:
    """Both at the marks, where one of them has any."""
    if mark not in left and mark not in right:
        return None
    cut = _split(left, mark), _split(right, mark)
    return cut if len(cut[0]) > 1 or len(cut[1]) > 1 else None


def _bracketed(text: str) -> bool:
    """Whether it is one pair of brackets around a list: a point, an interval, a set."""
    if text.startswith("\\{") and text.endswith("\\}"):
        return True
    return len(text) > 2 and text[0] in "([" and text[-1] in ")]" and len(_split(text[1:-1], ",")) > 1


def _same_bracketed(left: str, right: str) -> bool:
    if not (_bracketed(left) and _bracketed(right)):
        return False
    if left.startswith("\\{") or right.startswith("\\{"):
        if left[:2] != right[:2]:
            return False
        return _same_unordered(_split(left[2:-2], ","), _split(right[2:-2], ","))
    parts, others = _split(left[1:-1], ","), _split(right[1:-1], ",")
    same_kind = (left[0], left[-1]) == (right[0], right[-1])
    return same_kind and len(parts) == len(others) and all(_same(a, b) for a, b in zip(parts, others, strict=True))


def _same_unordered(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether each part has its own equal among the others."""
    rest = list(right)
    if len(left) != len(rest):
        return False
    for part in left:
        found = next((number for number, other in enumerate(rest) if _same(part, other)), None)
        if found is None:
            return False
        rest.pop(found)
    return True


def _both_signs(text: str) -> str:
    """The list of two that a plus-minus stands for."""
    if "\\pm" not in text:
        return text
    if text.count("\\pm") > 1 or "," in text:
        raise Unreadable
    return ",".join(text.replace("\\pm", sign) for sign in "+-")


def _same_equation(left: str, right: str) -> bool:
    """Whether two equations differ by a constant factor only; one that is no equation is another thing."""
    sides = [text.split("=") for text in (left, right)]
    if any(len(side) > 2 for side in sides):
        raise Unreadable
    if len(sides[0]) != len(sides[1]):
        return False
    texts = [f"({side[0]})-({side[1]})" for side in sides]
    ratios = []
    for point in range(_POINTS + 1):
        above, below = (value_at(text, point) for text in texts)
        if below == 0 or above == 0:
            raise Unreadable
        ratios.append(above / below)
    return all(_near(ratio, ratios[0]) for ratio in ratios[1:])


def _same_value(left: str, right: str) -> bool:
    numbers = read_number(left), read_number(right)
    if None not in numbers:
        return numbers[0] == numbers[1]
    return all(_near(value_at(left, point), value_at(right, point)) for point in range(_POINTS))


def _near(a: mpmath.mpc, b: mpmath.mpc) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -30 * max(1, abs(a), abs(b)) and not _tiny_apart(a, b))


def _tiny_apart(a: mpmath.mpc, b: mpmath.mpc) -> bool:
    """Whether both are so small that only their ratio tells them apart, as 1/2^99 and 1/2^98."""
    least = mpmath.mpf(10) ** -20
    return 0 < max(abs(a), abs(b)) < least and bool(abs(a - b) > mpmath.mpf(10) ** -15 * max(abs(a), abs(b)))
