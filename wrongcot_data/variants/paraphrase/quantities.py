"""The quantities of a trace: which numbers it holds, on which of them its answer depends, and which a rewriting lost
or brought in.

A quantity is a number in digits or in plain words (`three`, `a dozen`, `twice`, `half`), compared by value: `1,000` and
`1000` are one, as are `35%`, `0.35` and `35 percent`. Signs do not count, `one` does not (`one of them`), and neither
does the numbering of steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from wrongcot_data.graders.arithmetic import Value, evaluate, normalise
from wrongcot_data.graders.plain_numbers import read_number
from wrongcot_data.steps import split_lines, split_sentences
from wrongcot_data.steps.equations import Equation, find_equations
from wrongcot_data.steps.values import Node, NoValueError, is_compound, value_of

Quantity = frozenset[Fraction]
"""The values that one number may stand for: `35%` is 35 and 0.35, `half` is 1/2 and 2 (as in `48/2`)."""

MAX_DIGITS = 30
"""Digits of a number that is read; a longer one is no quantity of a trace."""

_NUMBER = re.compile(r"(?<![\w.])(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|(?<![\w.])\.[0-9]+")
_PERCENT = re.compile(r"\s?(?:\\?%|percent\b|per cent\b)", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^[ \t]*(?:[-*#>]+[ \t]*)?(?:\*\*)?(?:step[ \t]+)?\(?([0-9]{1,2})[.):](?=\s)", re.IGNORECASE | re.MULTILINE
)

_CONTINUED = re.compile(r"\s*\n[ \t]*(?:\\\\)?[ \t]*&?[ \t]*=")
_STATES_ANSWER = re.compile(r"####|<answer>|\\boxed|\banswers?\b|^\s*A:", re.IGNORECASE)

_WORDS: dict[str, Quantity] = {
    word: frozenset({Fraction(value)})
    for value, words in {
        2: "two twice double doubles doubled doubling pair",
        3: "three thrice triple triples tripled",
        4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten", 11: "eleven",
        12: "twelve dozen", 13: "thirteen", 14: "fourteen", 15: "fifteen", 16: "sixteen", 17: "seventeen",
        18: "eighteen", 19: "nineteen", 20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty",
        70: "seventy", 80: "eighty", 90: "ninety", 100: "hundred", 1000: "thousand",
    }.items()
    for word in words.split()
} | {
    word: frozenset({Fraction(1, parts), Fraction(parts)})
    for word, parts in {"half": 2, "halves": 2, "halved": 2, "thirds": 3, "quarter": 4, "quarters": 4}.items()
}  # fmt: skip
_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.IGNORECASE)

_NOTHING = frozenset({Fraction(0), Fraction(1)})
"""Values that stand in any text and tell nothing: `one`, `x^1`, `leaves 0`."""


def quantities(text: str) -> list[Quantity]:
    """The quantities of a text, in order of digits first, then of words; each as often as it stands there."""
    found = [_read(text, match) for match in _NUMBER.finditer(_without_numbering(text)) if len(match[0]) <= MAX_DIGITS]
    return [*found, *(_WORDS[match[0].lower()] for match in _WORD.finditer(text))]


def values_in(text: str) -> set[Fraction]:
    """Everything that the quantities of a text may stand for."""
    return set().union(*quantities(text))


def answer_quantities(text: str, answer: str) -> list[Quantity]:
    """The quantities of a trace that its answer depends on.

    From the last equation back: one that has the answer's value, or a value that a later such equation takes, on one of
    its sides gives all its numbers. Where no equation has the answer's value nothing can be told, and every quantity of
    the trace counts.
    """
    found = [one for equation in _answer_equations(text, answer) for one in quantities(equation.text)]
    return found or quantities(text)


def not_worked_out(trace: str, answer: str, text: str) -> str:
    """The first result on the trace's way to its answer that a text only states; empty where there is none.

    A result is worked out by a sentence that holds it beside one of the numbers it is computed from, or comes after one
    that holds them all. Where the answer is stated does not count: `#### 12` alone makes no 12.
    """
    sentences = [(values_in(before), values_in(sentence), _told(sentence)) for before, sentence in _sentences(text)]
    for equation in _answer_equations(trace, answer):
        results = {abs(Fraction(value)) for side in equation.sides if not is_compound(side) and (value := _value(side))}
        operands = [one for one in quantities(equation.text) if not one & results]
        if results and operands and not any(_works_out(results, operands, *pair) for pair in sentences):
            return str(max(results))
    return ""


def _works_out(
    results: set[Fraction],
    operands: list[Quantity],
    before: set[Fraction],
    sentence: set[Fraction],
    told: set[Fraction],
) -> bool:
    """Whether a sentence, after the one before it, tells a result beside what it is computed from."""
    if not results & told:
        return False
    return any(one & sentence for one in operands) or all(one & before for one in operands)


def _told(sentence: str) -> set[Fraction]:
    """What a sentence says that something is: its numbers, but of its equations only sides that are bare numbers."""
    found: set[Fraction] = set()
    prose, end = "", 0
    for equation in find_equations(sentence):
        prose, end = f"{prose}{sentence[end : equation.start]} ", equation.end
        sides = (_value(side) for side in equation.sides if not is_compound(side))
        found |= {abs(Fraction(value)) for value in sides if value is not None}
    return found | values_in(prose + sentence[end:])


def _answer_equations(text: str, answer: str) -> list[Equation]:
    """The equations of a trace that its answer depends on, the last one first."""
    value = _value_of_answer(answer)
    needed: set[Fraction] = set() if value is None else {abs(value)}
    found = []
    for equation in reversed(list(find_equations(text))):
        if needed & set(_sides(equation)):
            found.append(equation)
            needed.update(*quantities(equation.text))
    return found


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Each sentence with the one before it; with nothing before it where it states the answer."""
    text = _CONTINUED.sub(" =", text)
    before = ""
    for line in split_lines(text):
        for start, end in split_sentences(text, *line):
            sentence = text[start:end]
            yield "" if _STATES_ANSWER.search(sentence) else before, sentence
            before = sentence


def missing(needed: list[Quantity], text: str) -> str:
    """The first of some quantities that a text does not have, as a number; empty where it has all."""
    there = values_in(text) | _NOTHING
    lost = next((one for one in needed if not one & there), None)
    return "" if lost is None else str(max(lost))


def new(text: str, known: str) -> str:
    """The first quantity of a text that is neither in what is known nor the result of a true equation over what is."""
    allowed = values_in(known) | _NOTHING
    for equation in find_equations(text):
        mine, sides = quantities(equation.text), list(_sides(equation))
        for result in {side for side in sides if sides.count(side) > 1 and equation.verdict != "invalid"}:
            if all(one & allowed for one in mine if result not in one):
                allowed.add(result)
    stray = next((one for one in quantities(text) if not one & allowed), None)
    return "" if stray is None else str(max(stray))


def _read(text: str, match: re.Match[str]) -> Quantity:
    value = Fraction(match[0].replace(",", ""))
    return frozenset({value, value / 100}) if _PERCENT.match(text, match.end()) else frozenset({value})


def _without_numbering(text: str) -> str:
    """The text, of the same length, with blanks for `1.`, `2.`, ... at the beginnings of lines, if they count up."""
    expected = 1
    for match in _NUMBERED.finditer(text):
        if int(match[1]) == expected:
            text = f"{text[: match.start(1)]}{' ' * len(match[1])}{text[match.end(1) :]}"
            expected += 1
    return text


def _value_of_answer(answer: str) -> Fraction | None:
    """What an answer is worth: a number with or without a unit, or an expression of Countdown."""
    if (number := read_number(answer)) is not None:
        return number
    said = evaluate(normalise(answer)[0], decimals=True)
    return None if said.fault else Fraction(said.value)


def _sides(equation: Equation) -> Iterator[Fraction]:
    """What the sides of an equation are worth, where that can be told, without signs."""
    for side in equation.sides:
        value = _value(side)
        if value is not None:
            yield abs(Fraction(value))


def _value(node: Node) -> Value | None:
    try:
        return value_of(node).low
    except NoValueError:
        return None
