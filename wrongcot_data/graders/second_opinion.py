r"""Our own grader of mathematical answers: structure by reading, expressions by their values.

Tuples, intervals, sets, lists, matrices, equations and words are taken apart and compared part by part. What is left
is an expression, and two expressions are the same if they have the same value, to 2,400 digits, at points drawn at
random for their variables (the identity test of Schwartz and Zippel). But for `spellings` it shares nothing with
math-verify, which parses into sympy and compares by rules; where the two differ, neither is taken for right. It says
`different` only of what it has read whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from wrongcot_data.graders.expressions import TooLarge, Unreadable, near, value_at
from wrongcot_data.graders.plain_numbers import NO_UNIT, read_quantity
from wrongcot_data.graders.spellings import in_one_spelling

Opinion = Literal["equal", "different", "none", "too large"]

_TEXT = re.compile(r"\\(?:text|mbox|textrm|textbf|mathrm|mathbf|textit|textnormal)\s*\{([^{}]*)\}")
_UNIT = re.compile(
    r"(?:\s*(?:\^\{?\\circ\}?|\\degree|°)|\s*\\?%"
    rf"|(?<=[^\s({{,])\s*(?:\\(?:text|mbox|textrm|textnormal)|\\mathrm(?!\{{[a-z]\}}))\s*\{{{NO_UNIT}[^{{}}]*\}}(?:\^\{{?[0-9]\}}?)?)[\s.]*\Z"
)
_TEXT_UNIT = re.compile(r"\s*\\(?:text|mbox|textrm|mathrm|textnormal)\s*\{[^{}]*\}(?:\^\{?[0-9]\}?)?\Z")
_SPELLINGS = [
    (re.compile(pattern), after)
    for pattern, after in (
        (r"\.\.\.", r"\\ldots "),
        (r"\\[dtc]frac(?![a-z])", r"\\frac"),
        (r"\\([lg])eqslant(?![a-z])", r"\\\1e "),
        (r"\\bigcup(?![a-z])", r"\\cup "),
        (r"−", "-"),
        (r"\{,\}|\\\$|\\[()]|(?<!\\)\\[,;:! ]|\\q?quad(?![a-z])|\\displaystyle|~", ""),
        (r"\\(?:left|right)(?![a-z])|\\[bB]ig+[lr]?(?![a-z])", ""),
        (r"[\s,;]*(?:\\(?:text|mbox|textrm|mathrm)\s*\{[\s,]*(?:and|or)\s*\}|(?<![A-Za-z\\])(?:and|or)(?![A-Za-z]))\s*",
         ","),
    )
]  # fmt: skip
_DEGREE = re.compile(r"\^\{?\\circ|\\degree|°|degree")
_GLUED = re.compile(r"(\\[A-Za-z]+)\s+(?=[A-Za-z])|\s+")
_THOUSANDS = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_WORDS = re.compile(r"[A-Za-z][A-Za-z' .-]+|\(?[A-Za-z]\)?")
_NAMES = re.compile(r"(?:\(?[a-z](?:,[a-z])*\)?|[A-Za-z]\([a-z]\))(?:=|\\in(?![a-z]))")
_MATRIX = re.compile(r"\\begin\{([pbv]?matrix|array)\}(?:\{[^{}]*\})?(.*)\\end\{\1\}", re.S)
_OPERATOR = r"(<|>|\\leq?q?(?![a-z])|\\geq?q?(?![a-z])|\\lt(?![a-z])|\\gt(?![a-z])|≤|≥)"
_ONE_SIDE = re.compile(rf"([a-z])\s*{_OPERATOR}([^<>=]+)")
_ONE_SIDE_BACK = re.compile(rf"([^<>=,]+?){_OPERATOR}\s*([a-z])")
_TWO_SIDES = re.compile(rf"([^<>=,]+?){_OPERATOR}\s*([a-z]){_OPERATOR}([^<>=,]+)")
_OPEN, _CLOSE = "([{", ")]}"
_POINTS = 3
_COMMAND = re.compile(r"\\[A-Za-z]+")
_LETTER = re.compile(r"[A-Za-z]")
_RUN = re.compile(r"[A-Za-z]{2,}")
_UNIT_LETTER = re.compile(r"[0-9}]\s*(?:[mghsLlNJWVAFC]\b|m/s)(?:\^\{?[0-9]\}?)?\Z")
_MIXED = re.compile(r"[0-9]\s*\\frac\s*\{?[0-9]+\}?\s*\{?[0-9]+\}?")
_TWO_INTERVALS = re.compile(r"[)\]],[(\[]")
_FUNCTION_OF = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])")
_CONDITIONS = (
    ("<", ">", "\\le", "\\ge", "≤", "≥"),
    ("\\ne", "≠"),
    ("\\pmod", "\\bmod", "\\mod"),
    ("\\mid", "\\setminus", "\\mathbb"),
    ("\\langle",),
    ("∞", "∪"),
    ("...", "dots"),
)
"""Signs of one kind; where only one side has any, the other may say the same without."""

_NUMERALS = frozenset(
    (*("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
     *("none", "no", "neither", "never"))
)  # fmt: skip
_DOMAIN = re.compile(r"\\sqrt|\\log|\\ln|\^(?:\{[^{}]*[/.\\a-z]|[a-z(\\])")


def compare(reference: str, answer: str) -> Opinion:
    """Whether two answers say the same; `none` where one of them cannot be read."""
    left, right = tidy(reference), tidy(answer)
    units = _unit_of(reference), _unit_of(answer)
    if all(units) and units[0] != units[1]:
        return "none"
    if left == right:
        return "equal"
    try:
        if _mixes_angles(reference, answer):
            return "none"
        if _same(left, right):
            return "equal"
        return "none" if _is_half_read(left, right) or _is_half_read(right, left) else "different"
    except TooLarge:
        return "too large"
    except (Unreadable, RecursionError):
        return "none"


def _is_half_read(text: str, other: str) -> bool:
    """Whether a text holds what may say the same as the other in a way that is not read here.

    Words, units in letters, an inequality beside an interval, a condition, a column beside a point, a list in brackets.
    """
    if _is_words(text) or _is_words(other):
        alone = len(text.split()) == len(other.split()) == 1
        return not alone or _word_key(text) in _NUMERALS
    letters, others = (set(_LETTER.findall(_COMMAND.sub("", one))) for one in (text, other))
    if any(not others.issuperset(run) for run in _RUN.findall(_COMMAND.sub(" ", text))):
        return True
    if not others and letters and _UNIT_LETTER.search(text):
        return True
    if any(any(sign in text for sign in kind) and not any(sign in other for sign in kind) for kind in _CONDITIONS):
        return True
    if ("=" in text and "=" not in other) or (_MIXED.search(text) and not _MIXED.search(other)):
        return True
    if "\\cup" in text and "\\cup" not in other and _TWO_INTERVALS.search(other):
        return True
    if "begin{" in text and "begin{" not in other:
        return "," in other or "mathbf" in other
    return text.startswith(("(", "[")) and "," in other and not other.startswith(("(", "[", "\\{"))


def _mixes_angles(left: str, right: str) -> bool:
    """Whether one is in degrees and the other may be in radians, or either is a function of degrees."""
    if any(_FUNCTION_OF.search(text) and _DEGREE.search(text) for text in (left, right)):
        return True
    degrees = _DEGREE.search(left), _DEGREE.search(right)
    return bool(
        (degrees[0] and not degrees[1] and "\\pi" in right) or (degrees[1] and not degrees[0] and "\\pi" in left)
    )


def _unit_of(text: str) -> str:
    r"""The unit in `\text{}` at the end of an answer, in one spelling; empty where there is none."""
    unit = _TEXT_UNIT.search(text.rstrip("$. "))
    quantity = read_quantity(f"1 {unit[0].strip()}") if unit else None
    return quantity.unit if quantity else ""


def tidy(text: str) -> str:
    """An answer without what does not count: delimiters, spacing, units; one spelling for what has several."""
    text = in_one_spelling(_UNIT.sub("", text.strip("$., ;\n\t")))
    for before, after in _SPELLINGS:
        text = before.sub(after, text)
    text = text.rstrip("$., ;").removeprefix("\\approx")
    text = _TEXT.sub(lambda match: f" {match[1]} ", text)
    if _THOUSANDS.fullmatch(text):
        text = text.replace(",", "")
    return " ".join(text.split())


def _same(left: str, right: str) -> bool:
    if _is_words(left) or _is_words(right):
        return _is_words(left) == _is_words(right) and _word_key(left) == _word_key(right)
    left, right = (_GLUED.sub(lambda match: f"{match[1]} " if match[1] else "", text) for text in (left, right))
    if left == right:
        return True
    matrices = _MATRIX.fullmatch(left), _MATRIX.fullmatch(right)
    if any(matrices):
        return all(matrices) and _same_grid(_grid(matrices[0][2]), _grid(matrices[1][2]))  # type: ignore[index]
    left, right = (_both_signs(text) for text in _unnamed(*_as_intervals(left, right)))
    for cut in (_cut(left, right, r"\cup"), _cut(_as_list(left, right), _as_list(right, left), ",")):
        if cut is not None:
            return _same_unordered(*cut)
    if _bracketed(left) or _bracketed(right):
        return _same_bracketed(left, right)
    return _same_formula(left, right)


def _same_formula(left: str, right: str) -> bool:
    """Whether two that are no list, point, interval or matrix are the same."""
    both = left + right
    if "_" in both.replace("\\log_", "") or ":" in both:
        return _same_written(left, right)
    if any(sign in both for sign in ("<", ">", "\\le", "\\ge", "\\ne", "\\in ", "\\equiv")):
        raise Unreadable
    if "=" in left or "=" in right:
        return _same_equation(left, right)
    if "\\infty" in both:
        return left.strip("+") == right.strip("+")
    return _same_value(left, right)


def _same_written(left: str, right: str) -> bool:
    """Numbers in another base, times and ratios are the same if they are written the same.

    Raises:
        Unreadable: they are written differently, which may still be the same: `40_9` and `36`, `2:4` and `1:2`.
    """
    if re.sub(r"[{}()\s]|\.", "", left).lower() != re.sub(r"[{}()\s]|\.", "", right).lower():
        based = [re.fullmatch(r"([0-9A-F]+)_\{?([0-9]+)\}?", text) for text in (left, right)]
        if all(based) and based[0][2] == based[1][2]:  # type: ignore[index]
            return False  # other digits of one base
        raise Unreadable
    return True


def _as_list(text: str, other: str) -> str:
    """A set without its braces where the other is a bare list; `;` between its parts as a comma."""
    if text.startswith("\\{") and text.endswith("\\}") and not other.startswith("\\{") and not _bracketed(other):
        text = text[2:-2]
    return ",".join(_split(text, ";")) if ";" in text else text


def _as_intervals(left: str, right: str) -> tuple[str, str]:
    """Both, with `a < x \\le b` as the interval it is; as they were where they are about different variables."""
    found = _interval(left), _interval(right)
    if all(found) and found[0][0] != found[1][0]:  # type: ignore[index]
        raise Unreadable
    return found[0][1] if found[0] else left, found[1][1] if found[1] else right


def _interval(text: str) -> tuple[str, str] | None:
    """The variable and the interval of one inequality, or of two in a chain; None for anything else."""
    two = _TWO_SIDES.fullmatch(text)
    if two and _less(two[2]) == _less(two[4]):
        low, high = (two[1], two[2]), (two[5], two[4])
        return two[3], _written(low, high) if _less(two[2]) else _written(high, low)
    one, back = _ONE_SIDE.fullmatch(text), _ONE_SIDE_BACK.fullmatch(text)
    if one and len(re.findall(_OPERATOR, text)) == 1:
        bound, below = (one[3], one[2]), _less(one[2])
        return one[1], _written(None, bound) if below else _written(bound, None)
    if back and len(re.findall(_OPERATOR, text)) == 1:
        bound, below = (back[1], back[2]), _less(back[2])
        return back[3], _written(bound, None) if below else _written(None, bound)
    return None


def _less(operator: str) -> bool:
    return operator in ("<", "≤") or operator.startswith("\\l")


def _written(low: tuple[str, str] | None, high: tuple[str, str] | None) -> str:
    """An interval of bounds, each with the operator that decides whether it is in."""
    opening = "[" if low and ("e" in low[1] or low[1] in "≤≥") else "("
    closing = "]" if high and ("e" in high[1] or high[1] in "≤≥") else ")"
    begin, end = low[0] if low else r"-\infty", high[0] if high else r"\infty"
    return f"{opening}{begin},{end}{closing}"


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
    if not all(_LETTER.search(_COMMAND.sub("", text)) for text in (left, right)):
        raise Unreadable  # without a variable the two sides differ by a constant factor, whatever they say
    texts = [f"({side[0]})-({side[1]})" for side in sides]
    ratios = []
    for point in range(_POINTS + 1):
        above, below = (value_at(text, point) for text in texts)
        if near(below, 0) or near(above, 0):
            raise Unreadable
        ratios.append(above / below)
    return all(near(ratio, ratios[0]) for ratio in ratios[1:])


def _same_value(left: str, right: str) -> bool:
    numbers = read_quantity(left), read_quantity(right)
    if numbers[0] and numbers[1]:
        return numbers[0].value == numbers[1].value
    if not all(near(value_at(left, point), value_at(right, point)) for point in range(_POINTS)):
        return False
    if _DOMAIN.search(left + right):  # a root or logarithm of a negative number is another question
        return True
    return near(value_at(left, -1), value_at(right, -1))  # |x| is not x
