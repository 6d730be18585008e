r"""Plain numbers as people write them, read exactly: what can be decided so never pays for reading LaTeX.

Integers, decimals, `1,000`, `1{,}000`, `1\,000`, `1 000`, `1/2`, `\frac{1}{2}`, `\frac12`, `2\frac12`, `2 1/2`,
`0.\overline{3}`, `1.5e3`, `1.5 \times 10^3`, `3 million`, with a currency sign before or a percent sign, a degree sign
or a unit in words behind. A percent sign is read as a unit: `50%` has the value 50. Nothing is rounded: `0.333` is not
one third, however many digits it has.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple

MAX_LENGTH = 200
"""Characters of a number."""


class Quantity(NamedTuple):
    """A number, and the unit in words that stands with it; empty where there is none."""

    value: Fraction
    unit: str


_WRAPPED = re.compile(r"\A\s*(?:\$\$?(.*?)\$\$?|\\\((.*)\\\)|\\\[(.*)\\\])\s*\Z", re.S)
_GLUE = re.compile(r"\\[,!;: ]|\{,\}|~|\\left|\\right|\\displaystyle")
NO_UNIT = (
    r"(?!\s*(?:or|and|mod|pi|to|sin|cos|tan|cot|sec|csc|log|ln|exp|sqrt|times|plus|minus|over|by|divided|squared|cubed"
    r"|choose|base|in|is|are|infinity|half|halves|thirds?|quarters?|fifths?|tenths?|hundred|thousand|million|billion|trillion|dozen|score|tens|k)\b)"
)
_UNIT = re.compile(
    r"\s*\\(?:text|mbox|textrm|mathrm|textbf|textnormal)\s*\{\s*(?:-|~)?\s*" + NO_UNIT + r"([^{}0-9]*)\}"
    r"(?:\^\{?([0-9])\}?)?\Z|(\s*(?:\^\{?\\circ\}?|\\degree|°))\Z|(\s*\\?%)\Z"
    r"|(?:\s+"
    + NO_UNIT
    + r"([A-Za-z]{2,}\.?(?:[ /-][A-Za-z]+\.?)*)|\s*(cm|mm|km|kg|ft|mph|m[lL]|lbs?|oz)|\s+(m/s|in(?=\^)|m(?=[\^²³])))"
    r"(?:\^\{?([23])\}?|([²³]))?\Z"
)
_NO_UNIT_WITHIN = re.compile(r"\b(?:and|or|half|less|more|than|minus|plus|times)\b", re.I)
_TEXT_ONLY = re.compile(r"\\(?:text|mbox|textrm|mathrm|textbf)\s*\{\s*(\\?[$£€]?[0-9][^{}]*)\}(\^\{?[23]\}?)?")
_MAGNITUDE = re.compile(r"\s+(hundred|thousand|million|billion|trillion|dozen)\b")
_MAGNITUDES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12, "dozen": 12}
_CURRENCY = re.compile(r"\A([-+−]?)\s*(\\?\$|£|€|\\pounds)\s*")
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_POWER = r"[eE]([-+]?[0-9]{1,3})|\s*(?:\\times|\\cdot|×|x(?=\s))\s*10\^\{?(-?[0-9]{1,3})\}?"
_PLAIN = re.compile(rf"([-+−]?)\s*({_DIGITS})(?:{_POWER})?")
_REPEATING = re.compile(r"([-−]?)([0-9]*)\.([0-9]*)\\overline\s*\{?([0-9]+)\}?")
_SPACED = re.compile(r"[-−]?[0-9]{1,3}(?: [0-9]{3})+")
_FRACTION = re.compile(
    r"([-+−]?)\s*([0-9]+(?=\s*\\|\s+[0-9]+\s*/))?\s*"
    r"(?:\\[dtc]?frac\s*(?:\{\s*(-?[0-9]+)\s*\}|([0-9]))\s*(?:\{\s*([0-9]+)\s*\}|([0-9]))|(-?[0-9]+)\s*/\s*([0-9]+))"
)
_ANY = re.compile(rf"[-−]?(?<![0-9])(?:{_DIGITS})(?:\s*/\s*[0-9]+)?(?:{_MAGNITUDE.pattern})?")
_CHANGED = re.compile(
    r"[½⅓⅔¼¾<>≤≥±!√^π]|\\(?!text|mbox|mathrm|textbf|textrm|mathbf|[$%]|boxed)[A-Za-z]|\b(?:half|halves|thirds?|quarters?|twice"
    r"|double|triple|least|most|more|less|fewer|minus|negative|plus|times|between|dozens?|score|pairs?|hundreds?|thousands?"
    r"|millions?|billions?|not)\b|\b[0-9.,]+[kKmMbB]\b",
    re.I,
)
"""What makes another number of the one beside it. A magnitude directly behind a plain number was read before."""

_BESIDE = re.compile(r"(?:[A-Za-z0-9_*+×·^(/-]|[-+*/×·−]\s+)\$?\Z")
_BEHIND = re.compile(r"[A-Za-z_*×·^(0-9]|/(?![A-Za-z]{2})|\s*[-+*×·−^]\s*[0-9(A-Za-z$\\]|\s*/\s*[0-9($\\]|\.[0-9]")
_SAME_UNIT = (
    (r"\bsquared?\b|\bsq\b", "sq"),
    (r"\bcubic\b|\bcubed\b|\bcu\b", "cu"),
    (r"\b(?:degs?|degrees?)\b", "degree"),
    (r"\b(?:percent|per cent)\b", "%"),
    (r"\b(?:usd|us dollars?|dollars?)\b", "$"),
    (r"\b(?:centimet(?:er|re)s?|cms)\b", "cm"),
    (r"\b(?:millimet(?:er|re)s?|mms)\b", "mm"),
    (r"\b(?:kilomet(?:er|re)s?|kms)\b", "km"),
    (r"\b(?:met(?:er|re)s?)\b", "m"),
    (r"\b(?:feet|foot)\b", "ft"),
    (r"\b(?:inches|inch)\b", "in"),
    (r"\b(?:minutes?|mins?)\b", "min"),
    (r"\b(?:hours?|hrs?)\b", "h"),
    (r"\bmph\b", "miles per hour"),
)


def read_number(text: str) -> Fraction | None:
    """The number that a text is, unit and currency aside; None where it is anything else."""
    read = read_quantity(text)
    return read.value if read else None


def read_quantity(text: str) -> Quantity | None:
    """The number that a text is, with its unit brought to one spelling; None where it is anything else."""
    if len(text) > MAX_LENGTH:
        return None
    wrapped = _WRAPPED.match(text)
    bare = next((group for group in wrapped.groups() if group is not None), "") if wrapped else text
    bare = _GLUE.sub(lambda glue: " " if glue[0] == "\\ " else "", bare).strip()
    if bare.endswith("..."):
        return None
    bare = bare.rstrip(".").strip()
    bare = bare.removeprefix("\\approx").strip()
    in_text = _TEXT_ONLY.fullmatch(bare)
    bare = f"{in_text[1]}{in_text[2] or ''}" if in_text else bare
    currency = _CURRENCY.match(bare)
    bare = _CURRENCY.sub(r"\1", bare)
    unit = _UNIT.search(bare)
    bare = bare[: unit.start()].strip() if unit else bare
    magnitude = _MAGNITUDE.search(bare)
    bare = bare[: magnitude.start()] if magnitude and magnitude.end() == len(bare) else bare
    bare = bare.replace(" ", "") if _SPACED.fullmatch(bare) else bare
    value = _fraction(bare) if "/" in bare or "frac" in bare else _decimal(bare)
    if value is None:
        return None
    if unit and _NO_UNIT_WITHIN.search(unit[0]):
        return None  # `3 hours and a half`
    named = _unit_name(unit) or ("$" if currency and currency[2].endswith("$") else currency[2] if currency else "")
    return Quantity(value * (_MAGNITUDES[magnitude[1]] if magnitude else 1), named)


def _unit_name(unit: re.Match[str] | None) -> str:
    """One spelling for a unit: no case, no plural, `sq` and `cu` before it. It need not know every unit."""
    if unit is None:
        return ""
    if unit[3] or unit[4]:
        return "degree" if unit[3] else "%"
    name = next(unit[group] for group in (1, 5, 6, 7) if unit[group] is not None).lower().strip(" .~-")
    for pattern, spelling in _SAME_UNIT:
        name = re.sub(pattern, spelling, name)
    power = unit[2] or unit[8] or unit[9] or ""
    name = {"2": "sq ", "3": "cu ", "²": "sq ", "³": "cu "}.get(power, "") + name
    return " ".join(name.replace(".", " ").split()).removesuffix("s")


def _decimal(text: str) -> Fraction | None:
    repeating = _REPEATING.fullmatch(text)
    if repeating:
        whole, fixed, again = (repeating[place] for place in (2, 3, 4))
        tail = Fraction(int(again), (10 ** len(again) - 1) * 10 ** len(fixed))
        value = Fraction(f"{whole or 0}.{fixed}" if fixed else whole or 0) + tail
        return -value if repeating[1] else value
    match = _PLAIN.fullmatch(text)
    if not match:
        return None
    value = Fraction(match[2].replace(",", "").rstrip(".") or "0") * Fraction(10) ** int(match[3] or match[4] or 0)
    return -value if match[1] in ("-", "−") else value


def _fraction(text: str) -> Fraction | None:
    match = _FRACTION.fullmatch(text)
    if not match:
        return None
    above = match[3] or match[4] or match[7]
    below = int(match[5] or match[6] or match[8])
    if below == 0:
        return None
    value = Fraction(int(above), below) + int(match[2] or 0)
    return -value if match[1] in ("-", "−") else value


def only_number(text: str) -> Fraction | None:
    """The one number that a phrase gives, such as `x = 18 eggs a day`.

    None where it holds none or several, and where anything around the number may make another one of it: a letter, an
    operator or a bracket beside it, a word such as `half`, `dozen` or `at least`.
    """
    whole = read_number(text)
    if whole is not None:
        return whole
    phrase = _GLUE.sub("", text[:2_000]).replace("**", "")
    *before, last = phrase.split("=")
    said = {value for value in map(_single, before) if value is not None}
    value = _single(last)
    return value if value is not None and said <= {value} else None  # `10% = 0.1` gives two


def _single(phrase: str) -> Fraction | None:
    """The one number in a piece of a phrase that has no sign of equality in it."""
    found = list(_ANY.finditer(phrase))
    if len(found) != 1 or _CHANGED.search(phrase):
        return None
    number = found[0]
    if _BESIDE.search(phrase[: number.start()]) or _BEHIND.match(phrase, number.end()):
        return None
    return read_number(number[0])
