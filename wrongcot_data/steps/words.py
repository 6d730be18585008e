"""What the words around arithmetic do to it: units, words that are operators, words that take a number as theirs.

Lists of plain English, kept in one place. They err towards silence: a word too many costs a verdict, a word too few may
cost a false one.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_UNIT_WORDS = 5
"""Words between a number and the operator behind it that may be its unit."""

WORD_OPERATORS = {"times": "*", "plus": "+", "minus": "-", "divided": "/", "multiplied": "*"}
"""Words that stand for an operator between two numbers; the last two only with `by`."""

PARTS = {"half": (1, 2), "third": (1, 3), "quarter": (1, 4), "fourth": (1, 4), "fifth": (1, 5), "tenth": (1, 10)}
"""Words that make a fraction, before `of` and a number."""

FILLERS = _words(
    """
    all her his its remaining the their these those total
    """
)
"""Words that may stand between `of` and its number."""

_NUMERALS = _words(
    """
    billion dozen dozens eight eleven five four hundred hundreds million millions nine one seven six ten
    thousand thousands three trillion twelve two
    """
)

_JOINERS = frozenset({"of", "per", "a", "an", "each", "every"})
_NO_UNIT = _NUMERALS | _words(
    """
    after also and are as at base be because before but by can choose costs cubed divided earns eighths equal
    equals fewer fifths for fourths from get gets gives giving got had halves has have he he's hence her here
    his how i if in into is it it's its leaving less let makes making means minus mod modulo more multiplied my
    next ninths no not now number on only or our over percent plus point product quarters r rem remainder
    sevenths she she's should since sixths so squared sum tenths than that that's the their then there there's
    therefore these they thirds this those thus times to total until was we were what when where which while who
    whose will with would yields you
    """
)

_GLUED_UNITS = _words(
    """
    GB KB MB TB cents cm dollars feet ft hours hr hrs in inches kg km kph lb lbs mL mg miles min mins minutes ml
    mm mph oz sec secs
    """
)
"""Units that may stand behind a number without a space; any other letter there is a variable."""

_TAKES_WHAT_FOLLOWS = _NUMERALS | _words(
    """
    abs add adding at attempt base box by case ceil choose cos cube cubed day days digit digits double each
    equation every example fifth fifths floor fourth fourths from game games gcd grade grades group half lcm
    level levels ln log max min minus mod month months negative number numbers of option over page pages part
    per person plus power quarter quarters question room root round rounds row rows sin sqrt square squared step
    steps subtract subtracting tan tenth than third thirds thrice times triple twice under week weeks year years
    """
)
_TAKES_AFTER_OF = _words(
    """
    average difference multiple number percent product quotient ratio sum
    """
)
_SUMS = _words(
    """
    amount area average balance cost costs discount distance income length loss mean out perimeter price profit
    rate result revenue speed total value volume weight
    """
)
_PAIRS = _words(
    """
    add average between both difference either from product quotient ratio sum
    """
)

_NO_END = _NUMERALS | _words(
    """
    base choose cubed divided eighths fifths fourths half halves minus mod modulo multiplied ninths of over
    percent plus point quarter quarters r rem remainder sevenths sixths squared tenths third thirds times
    """
)

_COMPARED = _words(
    """
    as bigger greater her his its larger more that the their what
    """
)

_DOUBT_BEFORE = re.compile(
    r"\b(?:if|suppose|supposing|assum\w*|let(?!['’]?s\b| us\b| me\b)|whether|wants?|wanted|needs?|needed|would|could"
    r"|should|might|cannot|can't|not|isn't|doesn't|don't|never|instead|wrong\w*|incorrect\w*|mistak\w*|claim\w*"
    r"|require[ds]?|goal|unless|perhaps|define[ds]?|denote[ds]?|otherwise|false)\b|[≠?]|\\neq?\b",
    re.IGNORECASE,
)
_DOUBT_AFTER = re.compile(
    r"[^.\n]{0,30}?(?:\?|\bnot\b(?! (?:the target|\$?[0-9]))|n't\b|\bfalse\b|\bincorrect|\bwrong\b|\bimpossible\b"
    r"|\bno\b(?! (?:one|more|longer))|≠|\\neq?\b|\bunequal)|[^.\n]{0,80}?\bcontradict",
    re.IGNORECASE,
)
_ROUNDING = re.compile(
    r"\b(?:round\w*|about|approx\w*|nearest|roughly|almost|nearly|whole|floor|ceil\w*|full|complete|at least|at most"
    r"|integers?|estimat\w*|close|around|truncat\w*|remainder|left ?over|remain\w*|extra|decimal)\b"
    r"|[≈~]|\\approx|\\l?floor|\\l?ceil",
    re.IGNORECASE,
)
_MODULAR = re.compile(
    r"\\[pb]?mod|≡|\\equiv|\bmod(?:ulo|ular)?\b|\b(?:units?|ones|last) digit|\bparity\b|\bremainder"
    r"|\b[Rr](?:em)?\.?\s?[0-9]|\bbase[ -](?:[0-9]|two|ten)"
)
_CLAUSE = re.compile(r"[.;:!?\n]\s|,\s|\\\\|\$\$|\\\[|\bthen\b|\bso\b")
_SENTENCE = re.compile(r"[.!?]\s|\n")
_LOOK = 120


_SHORT_UNITS = _GLUED_UNITS | _JOINERS | {"m", "g", "kb", "pc", "hp", "qt", "pt", "yd", "up", "TV", "US", "min"}


_ARTICLES = _words(
    """
    a an another her his the their these those
    """
)
_COMES_TO = _words(
    """
    adds amount amounts comes equal equals evaluates out reduces simplifies sums up works
    """
)


def is_unit(word: str) -> bool:
    """Whether a word can be a unit, or a part of one (`hours a day`, `bags of rice`)."""
    if word.lower() in _NO_UNIT:
        return False
    if len(word) < 3:  # or two sides of a figure, two variables
        return word in _SHORT_UNITS
    return not (word.isupper() and len(word) < 5)


def wants_more(words: list[str]) -> bool:
    """Whether the words before a number take it as their own, so that an expression does not begin there.

    Args:
        words: the words directly before the number, in order, from the last stop on.
    """
    if not words:
        return False
    last = words[-1].lower()
    if last in _ARTICLES and len(words) > 1:
        words = words[:-1]
        last = words[-1].lower()
    if last == "to":
        return len(words) < 2 or words[-2].lower() not in _COMES_TO
    if len(last) == 1 and last not in ("a", "i"):
        return True
    if last == "of":
        return len(words) < 2 or words[-2].lower() not in _SUMS or "percent" in words
    if last in ("and", "or", "with"):
        return any(word.lower() in _PAIRS for word in words)
    return last in _TAKES_WHAT_FOLLOWS


def changes_number(word: str, following: str) -> bool:
    """Whether a word behind a number makes another value of it: `3 dozen`, `17 mod 5`, `3 times as many`."""
    if word == "times":
        return (
            following[:1].isdigit() or following.lower() in _COMPARED or bool(following and not following[0].isalpha())
        )
    return (len(word) == 1 and word not in "aI") or word.lower() in _NO_END


def is_glued_unit(word: str) -> bool:
    """Whether a word can stand behind a number without a space: `5cm`, and not `5x`."""
    return word in _GLUED_UNITS


def is_joiner(word: str) -> bool:
    """Whether a word can join two words of a unit, but not stand alone in it."""
    return word.lower() in _JOINERS


def in_doubt(text: str, start: int, end: int) -> bool:
    """Whether what is written around `text[start:end]` only supposes, asks or denies it."""
    before = text[max(0, start - _LOOK) : start]
    clause = _after_last(_CLAUSE, before)
    return _DOUBT_BEFORE.search(clause) is not None or _DOUBT_AFTER.match(text, end, end + 100) is not None


def speaks_of_rounding(text: str, start: int, end: int) -> bool:
    """Whether the sentence of `text[start:end]` has a word of rounding."""
    before = _after_last(_SENTENCE, text[max(0, start - _LOOK) : start])
    after = _SENTENCE.split(text[end : end + _LOOK], maxsplit=1)[0]
    return any(_ROUNDING.search(piece) for piece in (before, text[start:end], after))


def is_modular(line: str) -> bool:
    """Whether a line speaks of remainders, congruences or other bases, where `=` means something else."""
    return _MODULAR.search(line) is not None


def _after_last(pattern: re.Pattern[str], text: str) -> str:
    """What follows the last match."""
    return pattern.split(text)[-1]


_GROUPS = (
    ({"second", "sec", "minute", "min", "hour", "hr", "day", "week", "month", "year", "decade", "century", "am", "pm"}),
    ({"cent", "dollar", "penny", "pennie", "nickel", "dime", "quarter", "buck", "¢", "$"}),
    (
        {
            "inch",
            "inche",
            "in",
            "foot",
            "feet",
            "ft",
            "yard",
            "mile",
            "cm",
            "mm",
            "m",
            "km",
            "meter",
            "metre",
            "kilometer",
            "centimeter",
        }
    ),
    ({"g", "gram", "kg", "kilogram", "mg", "lb", "pound", "ounce", "oz", "ton"}),
    ({"ml", "liter", "litre", "l", "milliliter", "gallon", "quart", "pint", "cup", "tablespoon", "teaspoon", "ounce"}),
    ({"gb", "mb", "kb", "tb", "byte", "bit"}),
    ({"degree", "radian"}),
)
_SCALES = _words(
    """
    % billion couple dozen hundred k million pair percent percentage thousand
    """
)
_UNIT = re.compile(r"[^\W\d_]+|[$%¢]")


def may_convert(text: str) -> bool:
    """Whether an equation may change units on its way: minutes and hours, cents and dollars, dozens, percent."""
    words = {word.lower().removesuffix("s") for word in _UNIT.findall(text)}
    return not words.isdisjoint(_SCALES) or any(len(words & group) > 1 for group in _GROUPS)
