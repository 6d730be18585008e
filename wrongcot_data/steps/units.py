"""Units of measure: which words are units of one kind, and how many of one make another."""

from __future__ import annotations

import re
from fractions import Fraction

from wrongcot_data.steps.words import word_set

_GROUPS = (
    word_set("second sec minute min hour hr day week month year decade century am pm"),
    word_set("cent dollar penny pennie nickel dime quarter buck ¢ $"),
    word_set("inch inche in foot feet ft yard mile cm mm m km meter metre kilometer centimeter"),
    word_set("g gram kg kilo kilogram mg lb pound ounce oz ton"),
    word_set("ml liter litre l milliliter gallon quart pint cup tablespoon teaspoon ounce"),
    word_set("gb mb kb tb byte bit"),
    word_set("degree radian"),
)
_SCALES = word_set("% billion couple dozen hundred k million pair percent percentage thousand")
_UNIT = re.compile(r"[^\W\d_]+|[$%¢]")

_FACTORS = frozenset(
    {2, 3, 4, 5, 7, 8, 10, 12, 16, 20, 24, 25, 30, 32, 36, 52, 60, 100, 144, 168, 365, 366, 1000, 1024, 1440, 1760}
    | {3600, 5280, 10_000, 86_400, 100_000, 10**6, 10**9}
)
"""How many of one unit another one is, in whatever is measured."""

_THOUSAND = frozenset({1000})
_MADE_OF = {
    "minute": frozenset({60}),
    "hour": frozenset({60, 3600}),
    "hr": frozenset({60, 3600}),
    "day": frozenset({24, 1440}),
    "week": frozenset({5, 7, 168}),
    "month": frozenset({4, 28, 30, 31}),
    "year": frozenset({12, 52, 365}),
    "foot": frozenset({12}),
    "feet": frozenset({12}),
    "yard": frozenset({3, 36}),
    "dollar": frozenset({4, 10, 20, 100}),
    "pound": frozenset({16}),
    "meter": frozenset({100, 1000}),
} | dict.fromkeys(("kg", "kilo", "kilogram", "km", "kilometer", "liter", "litre", "l"), _THOUSAND)
"""How many of smaller units a unit is."""


def is_measure(word: str) -> bool:
    """Whether a word is a unit of measure, of which there may be a part: hours, and not buses."""
    return any(_singular(word) in group for group in _GROUPS)


def is_made_of(unit: str, number: Fraction) -> bool:
    """Whether so many smaller units, which nobody needs to name, make a unit: `30 + 30 = 1 hour`."""
    return number in _MADE_OF.get(_singular(unit), ())


def are_factors(number: Fraction) -> bool:
    """Whether one unit may be so many of another one."""
    return number in _FACTORS


def mixes_units(text: str) -> bool:
    """Whether an equation has two units of one kind, or a word that scales: minutes and hours, dozens, percent."""
    words = {_singular(word) for word in _UNIT.findall(text)}
    return not words.isdisjoint(_SCALES) or any(len(words & group) > 1 for group in _GROUPS)


def _singular(word: str) -> str:
    return word.lower().removesuffix("s")
