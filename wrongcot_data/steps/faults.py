"""What is wrong with the steps of a published trace, in words for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.steps import FALSE_EQUATION
from wrongcot_data.steps.equations import false_equations

LONG = 200
"""Bits of a number whose digits are shown."""


def told_faults(text: str, steps: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each step of a trace the kind of what is wrong with it, empty where nothing is.

    Of a false equation also what it claims and what is right: `false equation: 12 should be 71`.
    """
    any_false = any(step["kind"] == FALSE_EQUATION for step in steps)
    false = false_equations(text) if any_false else []
    told = []
    for step in steps:
        words = str(step["kind"] or "")
        if words == FALSE_EQUATION:
            within = (one for one in false if step["start"] < one.end <= step["end"])
            one = next(within, None)
            words += f": {_number(one.claimed)} should be {_number(one.value)}" if one else ""
        told.append(words)
    return told


def _number(value: Value | None) -> str:
    """A number to be read: a decimal where that is exact and short, else a fraction; no digits of a huge one."""
    exact = Fraction(value or 0)
    if max(exact.numerator.bit_length(), exact.denominator.bit_length()) > LONG:
        return "a huge number"
    decimal = f"{float(exact):.10g}"
    return decimal if Fraction(decimal) == exact else str(exact)
