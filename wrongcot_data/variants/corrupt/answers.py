"""What becomes of the final answer of a corrupted trace: it is kept, follows the wrong value, or is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from wrongcot_data.variants.corrupt.base import Change
from wrongcot_data.variants.corrupt.numerals import Numeral, numbers_in

NOWHERE = (-1, -1)

_OTHERS = {"+": "-", "-": "+", "*": "+", "/": "*"}


def answer_span(text: str, answer: str) -> tuple[int, int]:
    """Where the answer that a grader read stands last in a text; `NOWHERE` where it does not."""
    start = text.rfind(answer) if answer else -1
    return (start, start + len(answer)) if start >= 0 else NOWHERE


def following(text: str, span: tuple[int, int], old: Fraction, new: Fraction) -> Change | None:
    """The answer as the wrong value, where it was the right one."""
    (one,) = _numbers(text, span) if len(_numbers(text, span)) == 1 else (None,)
    return one.rewritten(new) if one and one.value == old else None


def replacements(text: str, span: tuple[int, int], rng: Random) -> Iterator[Change]:
    """Other answers in the place and form of the right one, near it: another operation or another number in it."""
    start, end = span
    signs = [at for at in range(start + 1, end) if text[at] in _OTHERS and text[at - 1] == " "]
    rng.shuffle(signs)
    yield from (Change(at, at + 1, _OTHERS[text[at]]) for at in signs)
    for one in _numbers(text, span):
        size = len(str(one.digits))
        steps = [sign * 10**power for power in range(size) for sign in (1, -1)]
        rng.shuffle(steps)
        for step in steps:
            change = one.rewritten(Fraction(one.digits + step, 10**one.places))
            if change:
                yield change


def _numbers(text: str, span: tuple[int, int]) -> list[Numeral]:
    """The numbers of an answer with their places in the text."""
    start, end = span
    found = numbers_in(text[start:end]) if start >= 0 else []
    return [Numeral(one.start + start, one.end + start, one.text, one.value, one.places) for one in found]
