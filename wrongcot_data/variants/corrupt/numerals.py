"""The numbers and signs of an equation with their places in the text, and other values written in their notation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from wrongcot_data.steps.equations import Equation, find_equations
from wrongcot_data.steps.tokens import Token, tokens
from wrongcot_data.variants.corrupt.base import Change, Place

_PLAIN = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,8})?")
_WRITTEN = re.compile(
    r"(?<![\w.,])[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]{1,8})?(?!\w)|(?<![\w.])[0-9]{1,15}(?:\.[0-9]{1,8})?(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it is written: `text == source[start:end]`.

    Attributes:
        value: what it is worth, without a sign before it.
        places: its decimals.
    """

    start: int
    end: int
    text: str
    value: Fraction
    places: int

    @property
    def digits(self) -> int:
        """The number without its decimal point: 125 for `1.25`."""
        return int(self.value * 10**self.places)

    def rewritten(self, value: Fraction) -> Change | None:
        """Another value in its place and notation; None where that cannot be written so."""
        text = written(value, self)
        return None if text is None or text == self.text else Change(self.start, self.end, text)


@dataclass(frozen=True, slots=True)
class Anatomy:
    """An equation taken apart.

    Attributes:
        operands: the numbers of the side that is computed.
        operators: the signs of operations of that side.
        result: the number that the equation says it comes to; None where that is no bare number.
    """

    equation: Equation
    operands: tuple[Numeral, ...]
    operators: tuple[Token, ...]
    result: Numeral | None


def anatomies(place: Place) -> list[Anatomy]:
    """The true equations of a step, taken apart."""
    return list(_anatomies(place.text, place.step.start, place.step.end))


@lru_cache(maxsize=16)  # every operator asks for those of the same step
def _anatomies(text: str, start: int, end: int) -> tuple[Anatomy, ...]:
    found = find_equations(text, start, end)
    return tuple(anatomy(text, equation) for equation in found if equation.verdict == "valid")


def anatomy(text: str, equation: Equation) -> Anatomy:
    """An equation taken apart; where it is a chain, by its last sign of equality but one bare number behind it."""
    segments: list[list[Token]] = [[]]
    for token in _flat(tokens(text, equation.start, equation.end)):
        if token.kind == "equals":
            segments.append([])
        else:
            segments[-1].append(token)
    counts = [sum(token.kind == "number" for token in segment) for segment in segments]
    result_at = next((at for at in (len(counts) - 1, 0) if counts[at] == 1), None)
    computed = max(range(len(counts)), key=lambda at: (counts[at], -at))
    bare = result_at is not None and result_at != computed
    return Anatomy(
        equation,
        tuple(_numerals(text, segments[computed])),
        tuple(token for token in segments[computed] if token.kind == "operator"),
        next(_numerals(text, segments[result_at]), None) if bare and result_at is not None else None,
    )


def numbers_in(text: str) -> list[Numeral]:
    """The plain numbers of any text, in order."""
    return [numeral for found in _WRITTEN.finditer(text) if (numeral := _numeral(*found.span(), found[0]))]


def written(value: Fraction, like: Numeral) -> str | None:
    """A value in the notation of a number: as many decimals as it needs, two where that has two; its separators.

    Returns:
        None for a negative value, and for one with more than four decimals.
    """
    if value < 0:
        return None
    places = next(
        (places for places in range(2 * (like.places == 2), 5) if (value * 10**places).denominator == 1), None
    )
    if places is None:
        return None
    digits = str(int(value * 10**places)).rjust(places + 1, "0")
    whole, decimals = (digits[:-places], f".{digits[-places:]}") if places else (digits, "")
    separator = re.search(r"[0-9]([^0-9.]+)[0-9]", like.text)
    if separator:
        whole = f"{int(whole):,}".replace(",", separator[1])
    elif like.text.startswith("."):
        whole = "" if whole == "0" else whole
    return whole + decimals


def _numerals(text: str, row: Sequence[Token]) -> Iterator[Numeral]:
    for token in row:
        if token.kind == "number":
            numeral = _numeral(token.start, token.end, text[token.start : token.end], token.value)
            if numeral:
                yield numeral


def _numeral(start: int, end: int, text: str, value: str = "") -> Numeral | None:
    plain = value or text.replace(",", "")
    plain = f"0{plain}" if plain.startswith(".") else plain
    if not _PLAIN.fullmatch(plain):
        return None
    return Numeral(start, end, text, Fraction(plain), len(plain.partition(".")[2]))


def _flat(row: Sequence[Token]) -> Iterator[Token]:
    """Tokens and those within their brackets, in order; calculator marks are passed over."""
    for token in row:
        if token.kind == "group":
            yield from _flat(token.inside)
        elif token.kind != "mark":
            yield token
