"""The promises of `corrupt`, looked into one by one; and false equations told apart by kind and size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from wrongcot_data.records import Problem
from wrongcot_data.steps.equations import Equation
from wrongcot_data.steps.values import Node, NoValueError, value_of
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.chain import Element

_MARKS = re.compile(r"<<.*?>>")
_SIZES = ((Fraction(1, 100), "under 1 %"), (Fraction(1, 10), "under 10 %"), (Fraction(1, 2), "under 50 %"),
          (Fraction(1), "under 100 %"), (Fraction(10), "under 1000 %"))  # fmt: skip


def broken(task: Task, problem: Problem, base: Element, made: Sequence[Element], *, slip: bool) -> Iterator[str]:
    """Promises that a chain does not keep."""
    if made[0].text != base.text:
        yield "level 0 is not the base"
    for element in made:
        found = task.steps(problem, element.text)
        if [(s.start, s.end, s.verdict, s.kind) for s in found] != [
            (s.start, s.end, s.verdict, s.kind) for s in element.steps
        ]:
            yield "labels are not those of the text"
        program = element.spoilable is not None
        if not program and any(bool(s.operator) != (s.verdict == "invalid") for s in element.steps):
            yield "an operator without an invalid step, or the other way round"
        if program and element.wrong and element.verdict.grade != "wrong":
            yield "a changed program that does not fail"
    for one, more in pairwise(made):
        if more.wrong != one.wrong + 1:
            yield "not one wrong step more"
        kept = [step.text for step in one.steps if step.operator]
        if slip and not Counter(kept) <= Counter(step.text for step in more.steps if step.operator):
            yield "a wrong step that is not there in the next element"


def kinds_and_sizes(equations: Iterable[Equation]) -> dict[str, Any]:
    """Shares of false equations by what looks to have happened, and by how far the claim is off."""
    found = [one for one in equations if one.value is not None and one.claimed is not None]
    kinds, sizes = Counter(map(kind_of, found)), Counter(map(size_of, found))
    n = max(1, len(found))
    return {
        "false equations": len(found),
        "kinds": {kind: round(count / n, 3) for kind, count in kinds.most_common()},
        "sizes": {size: round(sizes[size] / n, 3) for _, size in (*_SIZES, (None, "more")) if sizes[size]},
    }


def kind_of(equation: Equation) -> str:
    """What looks to have happened between what is right and what is claimed; the first that fits."""
    right, said = Fraction(equation.value or 0), Fraction(equation.claimed or 0)
    places = next((p for p in range(5) if (right * 10**p).denominator == 1 and (said * 10**p).denominator == 1), None)
    if right == -said:
        return "sign of the result"
    if said in _signs_flipped(equation.sides):
        return "wrong sign"
    if places is not None:
        one, other = abs(int(right * 10**places)), abs(int(said * 10**places))
        apart = abs(one - other)
        if apart == 1:
            return "off by one"
        if sorted(str(one)) == sorted(str(other)):
            return "digits in another order"
        if apart and str(apart).strip("0") == "1":
            return "carry"
        if len(str(one)) == len(str(other)) and sum(a != b for a, b in zip(str(one), str(other), strict=True)) == 1:
            return "one digit"
    if right and said and _is_power_of_ten(said / right):
        return "power of ten"
    return "other"


def size_of(equation: Equation) -> str:
    """How far the claim is off, of what is right."""
    right, said = Fraction(equation.value or 0), Fraction(equation.claimed or 0)
    off = abs(said - right) / abs(right) if right else Fraction(100)
    return next((name for limit, name in _SIZES if off < limit), "more")


def unmarked(text: str) -> str:
    """A solution without GSM8K's calculator marks."""
    return _MARKS.sub("", text)


def _signs_flipped(sides: Sequence[Node]) -> set[Fraction]:
    """What the sides would be worth with one term added for taken away, or the other way round."""
    values = set()
    for side in sides:
        for at, sign in enumerate(side.operators if side.kind == "row" else ()):
            if at and sign in ("+", "-"):
                signs = (*side.operators[:at], "-" if sign == "+" else "+", *side.operators[at + 1 :])
                try:
                    values.add(Fraction(value_of(Node("row", side.parts, operators=signs)).low))
                except NoValueError:
                    continue
    return values


def _is_power_of_ten(ratio: Fraction) -> bool:
    digits = f"{abs(ratio.numerator)}{ratio.denominator}"
    return ratio > 0 and ratio != 1 and set(digits) <= {"0", "1"} and digits.count("1") == 2
