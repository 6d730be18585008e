"""Quantity swap: another number of the problem in the place of the one that belongs there."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from random import Random

from wrongcot_data.records import Problem
from wrongcot_data.variants.corrupt.base import Edit, Operator, Place
from wrongcot_data.variants.corrupt.numerals import anatomies, numbers_in


def propose(place: Place, rng: Random) -> Iterator[Edit]:
    """The operands of the step's equations, each replaced by every other number of the problem."""
    given = sorted(set(quantities(place.problem)))
    operands = [operand for one in anatomies(place) for operand in one.operands]
    pairs = [(operand, value) for operand in operands for value in given if value not in (operand.value, 0)]
    rng.shuffle(pairs)
    for operand, value in pairs:
        change = operand.rewritten(value)
        if change:
            yield Edit((change,))


def quantities(problem: Problem) -> list[Fraction]:
    """The numbers that a problem gives: Countdown's, or those that its question writes in digits."""
    numbers = problem.data.get("nums")
    if isinstance(numbers, list):
        return [Fraction(number) for number in numbers]
    question = problem.data.get("question")
    return [numeral.value for numeral in numbers_in(question)] if isinstance(question, str) else []


OPERATOR = Operator("quantity-swap", "equation", propose, "another number of the problem in an equation")
