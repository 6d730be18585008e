r"""Plain numbers as people write them, read exactly: what can be decided so never pays for reading LaTeX.

Integers, decimals, `1,000`, `1{,}000`, `1\,000`, `1/2`, `\frac{1}{2}`, `\frac12`, `2\frac12`, `2 1/2`, `1.5e3`,
`1.5 \times 10^3`, with a currency sign before or a percent sign, a degree sign or a unit in words behind. A percent
sign is a unit: `50%` is 50, and neither is 0.5.
"""

from __future__ import annotations

import re
from fractions import Fraction

MAX_LENGTH = 200
"""Characters of a number."""

_WRAPPED = re.compile(r"\A\s*(?:\$\$?(.*?)\$\$?|\\\((.*)\\\)|\\\[(.*)\\\])\s*\Z", re.S)
_GLUE = re.compile(r"\\[,!;: ]|\{,\}|~|\\left|\\right|\\displaystyle")
_UNIT = re.compile(
    r"(?:\s*\\(?:text|mbox|textrm|mathrm|textbf)\{[^{}]*\}(?:\^\{?[0-9]\}?)?|\s*(?:\^\{?\\circ\}?|\\degree|°)|\s*\\?%"
    r"|\s+(?!or\b|and\b|mod\b|pi\b|to\b)[A-Za-z]{2,}(?:[ /-][A-Za-z]+)*)\Z"
)
_CURRENCY = re.compile(r"\A([-+−]?)\s*(?:\\?\$|£|€|\\pounds)\s*")
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+"
_POWER = r"[eE]([-+]?[0-9]{1,3})|\s*(?:\\times|\\cdot|×)\s*10\^\{?(-?[0-9]{1,3})\}?"
_PLAIN = re.compile(rf"([-+−]?)\s*({_DIGITS})(?:{_POWER})?")
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+")
_FRACTION = re.compile(
    r"([-+−]?)\s*([0-9]+(?=\s*\\|\s+[0-9]+\s*/))?\s*"
    r"(?:\\[dtc]?frac\s*(?:\{\s*(-?[0-9]+)\s*\}|([0-9]))\s*(?:\{\s*([0-9]+)\s*\}|([0-9]))|(-?[0-9]+)\s*/\s*([0-9]+))"
)
_ANY = re.compile(rf"[-−]?(?<![0-9])(?:{_DIGITS})(?:\s*/\s*[0-9]+)?")


def read_number(text: str) -> Fraction | None:
    """The number that a text is, unit and currency aside; None where it is anything else."""
    if len(text) > MAX_LENGTH:
        return None
    wrapped = _WRAPPED.match(text)
    bare = next((group for group in wrapped.groups() if group is not None), "") if wrapped else text
    bare = _GLUE.sub("", bare).strip().rstrip(".").strip()
    bare = bare.replace(" ", "") if _SPACED.fullmatch(bare) else bare
    bare = _CURRENCY.sub(r"\1", bare)
    bare = _UNIT.sub("", bare).strip()
    return _fraction(bare) if "/" in bare or "frac" in bare else _decimal(bare)


def _decimal(text: str) -> Fraction | None:
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
    """The one number that a phrase holds, such as `x = 18 eggs a day`; None where it holds none or several."""
    whole = read_number(text)
    if whole is not None:
        return whole
    phrase = _GLUE.sub("", text[:2_000]).rpartition("=")[2]
    found = [read_number(match[0]) for match in _ANY.finditer(phrase)]
    values = {value for value in found if value is not None}
    return values.pop() if len(values) == 1 and len(found) <= 2 else None
