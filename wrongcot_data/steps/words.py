"""What the words around arithmetic do to it: units, words that are operators, words that take a number as theirs.

Lists of plain English, kept in one place; a word that is missing costs a verdict, a word that is wrong costs a false one.
"""

from __future__ import annotations

import re

MAX_UNIT_WORDS = 5
"""Words between a number and the operator behind it that may be its unit."""

WORD_OPERATORS = {"times": "*", "plus": "+", "minus": "-", "divided": "/", "multiplied": "*"}
"""Words that stand for an operator between two numbers; the last two only with `by`."""

PARTS = {"half": (1, 2), "third": (1, 3), "quarter": (1, 4), "fourth": (1, 4), "fifth": (1, 5), "tenth": (1, 10)}
"""Words that make a fraction, before `of` and a number."""

FILLERS = frozenset({"the", "his", "her", "their", "all", "those", "these", "total", "remaining", "its"})
"""Words that may stand between `of` and its number."""

_NUMERALS = frozenset(
    {"one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "dozen", "dozens"}
    | {"hundred", "thousand", "million", "billion", "trillion", "hundreds", "thousands", "millions"}
)

_JOINERS = frozenset({"of", "per", "a", "an", "each", "every"})
_NO_UNIT = frozenset(
    {"and", "so", "the", "then", "which", "is", "are", "was", "were", "be", "equals", "equal", "therefore", "hence", "thus"}
    | {"where", "if", "but", "or", "because", "since", "for", "in", "to", "we", "he", "she", "it", "they", "you", "i", "his"}
    | {"her", "their", "our", "my", "this", "that", "these", "those", "at", "by", "on", "as", "when", "what", "how", "total"}
    | {"number", "means", "gives", "get", "gets", "got", "giving", "leaving", "from", "with", "after", "before", "not", "no"}
    | {"than", "into", "has", "have", "had", "will", "can", "would", "should", "let", "now", "next", "also", "only", "while"}
    | {"mod", "modulo", "remainder", "rem", "r", "squared", "cubed", "choose", "base", "point", "over", "percent", "more"}
    | {"halves", "thirds", "quarters", "fourths", "fifths", "sixths", "sevenths", "eighths", "ninths", "tenths"}
    | {"there", "here", "its", "it's", "he's", "she's", "that's", "there's", "whose", "who", "until", "sum", "product"}
    | {"less", "fewer", "yields", "makes", "making", "costs", "earns", "plus", "minus", "times", "divided", "multiplied"}
    | _NUMERALS
)

GLUED_UNITS = frozenset(
    {"cm", "mm", "km", "kg", "mg", "lb", "lbs", "oz", "ft", "in", "mph", "kph", "GB", "MB", "TB", "KB", "ml", "mL", "hr", "hrs"}
    | {"min", "mins", "sec", "secs", "hours", "minutes", "miles", "feet", "inches", "g", "L", "cents", "dollars"}
)
"""Units that may stand behind a number without a space; any other letter there is a variable."""

_TAKES_WHAT_FOLLOWS = frozenset(
    {"of", "times", "plus", "minus", "by", "than", "at", "twice", "half", "double", "triple", "thrice", "square", "cube"}
    | {"root", "sqrt", "log", "power", "from", "over", "under", "mod", "per", "every", "each", "step", "option", "attempt"}
    | {"case", "choose", "add", "subtract", "adding", "subtracting", "negative", "squared", "cubed", "base", "digit", "digits"}
    | {"third", "quarter", "fourth", "fifth", "tenth", "thirds", "quarters", "fourths", "fifths", "sin", "cos", "tan", "ln"}
    | {"gcd", "lcm", "max", "min", "floor", "ceil", "round", "abs", "part", "question", "equation", "example", "page"}
    | _NUMERALS
)
_TAKES_AFTER_OF = frozenset({"sum", "product", "difference", "ratio", "average", "quotient", "number", "multiple", "percent"})
_SUMS = frozenset(
    {"total", "cost", "costs", "amount", "profit", "price", "distance", "value", "area", "income", "revenue", "loss", "weight"}
    | {"length", "perimeter", "volume", "sum", "result", "balance", "average", "mean", "rate", "speed", "discount", "out"}
)
_PAIRS = frozenset({"sum", "product", "difference", "between", "ratio", "average", "quotient", "from", "add", "both", "either"})

_NO_END = frozenset(
    {"mod", "modulo", "remainder", "rem", "r", "squared", "cubed", "choose", "base", "point", "over", "times", "plus"}
    | {"minus", "divided", "multiplied", "of", "percent", "halves", "thirds", "quarters", "fourths", "fifths", "sixths"}
    | {"sevenths", "eighths", "ninths", "tenths", "half", "third", "quarter"}
    | _NUMERALS
)

_DOUBT_BEFORE = re.compile(
    r"\b(?:if|suppose|supposing|assum\w*|let(?!['’]?s\b| us\b| me\b)|whether|want|wants|wanted|need|needs|needed|would|could|should|might"
    r"|may|can|try|cannot|can't|not|isn't|doesn't|don't|never|instead|wrong\w*|incorrect\w*|mistak\w*|claim\w*|require[ds]?|goal"
    r"|target|verify|check\w*|test\w*|unless|perhaps|maybe|say|define[ds]?|denote[ds]?|otherwise|false)\b|[≠?]|\\neq?\b",
    re.IGNORECASE,
)
_DOUBT_AFTER = re.compile(
    r"[^.\n]{0,30}?(?:\?|\bnot\b|n't\b|\bfalse\b|\bincorrect|\bwrong\b|\bimpossible\b|\bcontradict|\bno\b(?! (?:one|more|longer))"
    r"|\bno solution|≠|\\neq?\b|\bunequal)",
    re.IGNORECASE,
)
_ROUNDING = re.compile(
    r"\b(?:round\w*|about|approx\w*|nearest|roughly|almost|nearly|whole|floor|ceil\w*|full|complete|at least|at most|integers?"
    r"|estimat\w*|close|around|truncat\w*|whole|remainder|left ?over|decimal)\b|[≈~]|\\approx|\\l?floor|\\l?ceil",
    re.IGNORECASE,
)
_MODULAR = re.compile(r"\\[pb]?mod|≡|\\equiv|\bmod(?:ulo|ular)?\b|\bremainder|\b[Rr](?:em)?\.?\s?[0-9]|\bbase[ -](?:[0-9]|two|ten)|_\{?[0-9]+\}?\s*$")
_CLAUSE = re.compile(r"[.;:!?\n]\s|,\s|\\\\|\$\$|\\\[|\bthen\b|\bso\b")
_SENTENCE = re.compile(r"[.!?]\s|\n")
_LOOK = 120


def is_unit(word: str) -> bool:
    """Whether a word can be a unit, or a part of one (`hours a day`, `bags of rice`)."""
    return (len(word) > 1 or word == "a") and word.lower() not in _NO_UNIT


def wants_more(words: list[str]) -> bool:
    """Whether the words before a number take it as their own, so that an expression does not begin there.

    Args:
        words: the words directly before the number, in order, from the last stop on.
    """
    if not words:
        return False
    last = words[-1].lower()
    if len(last) == 1 and last not in ("a", "i"):
        return True
    if last == "of":
        return len(words) < 2 or words[-2].lower() not in _SUMS or "percent" in words
    if last in ("and", "to", "or", "with"):
        return any(word.lower() in _PAIRS for word in words)
    return last in _TAKES_WHAT_FOLLOWS


def changes_number(word: str) -> bool:
    """Whether a word behind a number makes another value of it: `3 dozen`, `17 mod 5`, `2 thirds`."""
    return (len(word) == 1 and word not in "aI") or word.lower() in _NO_END


def is_joiner(word: str) -> bool:
    """Whether a word can join two words of a unit, but not stand alone in it."""
    return word.lower() in _JOINERS


def in_doubt(text: str, start: int, end: int) -> bool:
    """Whether what is written around `text[start:end]` only supposes, asks or denies it."""
    before = text[max(0, start - _LOOK) : start]
    clause = _after_last(_CLAUSE, before)
    return _DOUBT_BEFORE.search(clause) is not None or _DOUBT_AFTER.match(text, end, end + 60) is not None


def speaks_of_rounding(text: str, start: int, end: int) -> bool:
    """Whether the sentence of `text[start:end]` has a word of rounding."""
    before = _after_last(_SENTENCE, text[max(0, start - _LOOK) : start])
    after = _SENTENCE.split(text[end : end + _LOOK], maxsplit=1)[0]
    return _ROUNDING.search(before) is not None or _ROUNDING.search(after) is not None or _ROUNDING.search(text[start:end]) is not None


def is_modular(line: str) -> bool:
    """Whether a line speaks of remainders, congruences or other bases, where `=` means something else."""
    return _MODULAR.search(line) is not None


def _after_last(pattern: re.Pattern[str], text: str) -> str:
    """What follows the last match."""
    return pattern.split(text)[-1]


_GROUPS = (
    ({"second", "sec", "minute", "min", "hour", "hr", "day", "week", "month", "year", "decade", "century", "am", "pm"}),
    ({"cent", "dollar", "penny", "pennie", "nickel", "dime", "quarter", "buck", "¢", "$"}),
    ({"inch", "inche", "in", "foot", "feet", "ft", "yard", "mile", "cm", "mm", "m", "km", "meter", "metre", "kilometer", "centimeter"}),
    ({"g", "gram", "kg", "kilogram", "mg", "lb", "pound", "ounce", "oz", "ton"}),
    ({"ml", "liter", "litre", "l", "milliliter", "gallon", "quart", "pint", "cup", "tablespoon", "teaspoon", "ounce"}),
    ({"gb", "mb", "kb", "tb", "byte", "bit"}),
    ({"degree", "radian"}),
)
_SCALES = frozenset({"dozen", "hundred", "thousand", "million", "billion", "k", "pair", "percent", "percentage", "%", "couple"})
_UNIT = re.compile(r"[^\W\d_]+|[$%¢]")


def may_convert(text: str) -> bool:
    """Whether an equation may change units on its way: minutes and hours, cents and dollars, dozens, percent."""
    words = {word.lower().removesuffix("s") for word in _UNIT.findall(text)}
    return not words.isdisjoint(_SCALES) or any(len(words & group) > 1 for group in _GROUPS)
