"""Arithmetic slip: the right operation on the right numbers, reckoned wrong, as people and models do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random

from wrongcot_data.steps.values import Node, NoValueError, value_of
from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.numerals import Anatomy, Numeral, anatomies

MAX_FACTOR = 10
"""How far a slipped result may be from the right one: nobody writes 7 for 700."""


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """Results of the step's equations, each replaced by what one of the slips makes of it."""
    found = [one for one in anatomies(place) if one.result is not None]
    rng.shuffle(found)
    for one in found:
        assert one.result is not None
        for kind in sorted(KINDS, key=lambda kind: rng.random() ** (1 / KINDS[kind][0]), reverse=True):
            for value in KINDS[kind][1](one, one.result, rng):
                change = one.result.rewritten(value) if _is_plausible(value, one.result) else None
                if change:
                    yield Edit((change,), kind)


def carry(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """A carry lost, or one too many: a higher digit off by one."""
    size = len(str(result.digits))
    powers = list(range(1, size))
    rng.shuffle(powers)
    for power in powers:
        for sign in _signs(rng):
            yield Fraction(result.digits + sign * 10**power, 10**result.places)


def off_by_one(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """The last digit off by one."""
    for sign in _signs(rng):
        yield Fraction(result.digits + sign, 10**result.places)


def digit_swap(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """Two neighbouring digits the wrong way round."""
    digits = str(result.digits)
    places = [at for at in range(len(digits) - 1) if digits[at] != digits[at + 1] and (at or digits[1] != "0")]
    rng.shuffle(places)
    for at in places:
        swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        yield Fraction(int(swapped), 10**result.places)


def wrong_sign(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """One term added that was to be taken away, or the other way round."""
    rows = [side for side in one.equation.sides if side.kind == "row" and len(side.parts) > 1]
    for side in rows[:1]:
        places = [at for at, sign in enumerate(side.operators) if at and sign in ("+", "-")]
        rng.shuffle(places)
        for at in places:
            signs = (*side.operators[:at], "-" if side.operators[at] == "+" else "+", *side.operators[at + 1 :])
            try:
                yield Fraction(value_of(Node("row", side.parts, operators=signs)).low)
            except NoValueError:
                continue


def one_digit(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """One digit another one."""
    digits = str(result.digits)
    places = list(range(len(digits)))
    rng.shuffle(places)
    for at in places:
        others = [digit for digit in "0123456789" if digit != digits[at] and (at or digit != "0")]
        yield Fraction(int(digits[:at] + rng.choice(others) + digits[at + 1 :]), 10**result.places)


def a_zero(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """A zero, or a place of the decimal point, too many or too few."""
    ways = [result.value * 10, result.value / 10]
    rng.shuffle(ways)
    yield from ways


def misreckoned(one: Anatomy, result: Numeral, rng: Random) -> Iterator[Fraction]:
    """A number of about the right size, as round as the right one: `165 * 12 = 2020`."""
    round_to = 10 ** (len(str(result.digits)) - len(str(result.digits).rstrip("0")))
    for _ in range(2):
        near = round(result.digits * rng.uniform(0.5, 1.8) / round_to) * round_to
        yield Fraction(near, 10**result.places)


KINDS: dict[str, tuple[int, Callable[[Anatomy, Numeral, Random], Iterator[Fraction]]]] = {
    "misreckoned": (9, misreckoned),
    "one digit": (3, one_digit),
    "carry": (2, carry),
    "a zero": (2, a_zero),
    "off by one": (1, off_by_one),
    "wrong sign": (1, wrong_sign),
    "digit swap": (1, digit_swap),
}
"""The slips, each with how often it is drawn: near what false equations of models show; see docs/corrupt.md."""


def _is_plausible(value: Fraction, result: Numeral) -> bool:
    return 0 < value <= MAX_FACTOR * result.value and value * MAX_FACTOR >= result.value


def _signs(rng: Random) -> tuple[int, int]:
    return (1, -1) if rng.random() < 0.5 else (-1, 1)


OPERATOR = Operator(
    "slip", "equation", propose, "a result reckoned wrong: a digit, a carry, a zero, a sign, or plainly"
)
