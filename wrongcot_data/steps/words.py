"""What the words around arithmetic do to it: units, words that are operators, words that take a number as theirs.

Lists of plain English, kept in one place. They err towards silence: a word too many costs a verdict, a word too few may
cost a false one.
"""

from __future__ import annotations


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written as text."""
    return frozenset(text.split())


MAX_UNIT_WORDS = 5
"""Words between a number and the operator behind it that may be its unit."""

WORD_OPERATORS = {"times": "*", "plus": "+", "minus": "-", "divided": "/", "multiplied": "*"}
"""Words that stand for an operator between two numbers; the last two only with `by`."""

PARTS = {"half": (1, 2), "third": (1, 3), "quarter": (1, 4), "fourth": (1, 4), "fifth": (1, 5), "tenth": (1, 10)}
"""Words that make a fraction, before `of` and a number."""

FILLERS = word_set(
    """
    all her his its remaining the their these those total
    """
)
"""Words that may stand between `of` and its number."""

_NUMERALS = word_set(
    """
    billion dozen dozens eight eleven five four hundred hundreds million millions nine one seven six ten
    thousand thousands three trillion twelve two
    """
)

_JOINERS = frozenset({"of", "per", "a", "an", "each", "every"})
_NO_UNIT = _NUMERALS | word_set(
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

_GLUED_UNITS = word_set(
    """
    GB KB MB TB cents cm dollars feet ft hours hr hrs in inches kg km kph lb lbs mL mg miles min mins minutes ml
    mm mph oz sec secs
    """
)
"""Units that may stand behind a number without a space; any other letter there is a variable."""

_TAKES_WHAT_FOLLOWS = _NUMERALS | word_set(
    """
    abs add adding at attempt base box by case ceil choose cos cube cubed day days digit digits double each
    equation every example fifth fifths floor fourth fourths from game games gcd grade grades group half lcm
    level levels ln log max min minus mod month months negative number numbers of option over page pages part
    per person plus power quarter quarters question room root round rounds row rows sin sqrt square squared step
    steps subtract subtracting tan tenth than third thirds thrice times triple twice under week weeks year years
    """
)
_TAKES_AFTER_OF = word_set(
    """
    average difference multiple number percent product quotient ratio sum
    """
)
_SUMS = word_set(
    """
    amount area average balance cost costs discount distance income length loss mean out perimeter price profit
    rate result revenue speed total value volume weight
    """
)
_PAIRS = word_set(
    """
    add average between both difference either from product quotient ratio sum
    """
)

_NO_END = _NUMERALS | word_set(
    """
    base choose cubed divided eighths fifths fourths half halves hundredths minus mod modulo multiplied ninths of
    over percent plus point quarter quarters r rem remainder root sevenths sixths sqrt squared tens tenths third
    thirds thousandths times
    """
)

_COMPARED = word_set(
    """
    as bigger greater her his its larger more that the their what
    """
)

_SHORT_UNITS = _GLUED_UNITS | _JOINERS | {"m", "g", "kb", "pc", "hp", "qt", "pt", "yd", "up", "TV", "US", "min"}
_ARTICLES = word_set(
    """
    a an another her his the their these those
    """
)
_LEADS_IN = word_set(
    """
    because expression hence since so that then therefore thus
    """
)
_NARROWS = word_set(
    """
    after among at before between by for from in of on over to under with within
    """
)
_COMES_TO = word_set(
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


def leads_in(word: str) -> bool:
    """Whether a whole expression may follow a word, as the subject of what is said: `since 3 * 4 is 12`."""
    return word.lower() in _LEADS_IN


def narrows(word: str) -> bool:
    """Whether a word makes what follows a part of a longer phrase: `the exponent in 2^3`."""
    return word.lower() in _NARROWS
