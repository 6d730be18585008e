"""Whether two sides of an equation are equal, where that can be told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.records import StepVerdict
from wrongcot_data.steps.meanings import Link, may_mean_the_same
from wrongcot_data.steps.values import NoValueError, is_compound, value_of

_BARE = re.compile(r"[0-9,]+\s*=\s*[0-9,]+(?=[\s$]*(?:\n|\Z|[.!;](?:\s|\Z)))")


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a link; `value` and `claimed` are those of `Equation`.

    Attributes:
        compound: a side of it is more than a bare number; only such a link makes an equation.
        disputed: its sides are unequal, but it is not `invalid` by itself: `84 = 94` at the end of `12 * 7 = 84 = 94`.
    """

    verdict: StepVerdict
    compound: bool
    value: Value | None = None
    claimed: Value | None = None
    disputed: bool = False


def judge(text: str, chain: Sequence[Link]) -> list[Judged]:
    """Whether the links of a chain hold. In a running total none is `valid`: its signs of equality are no equations."""
    judged = [_judge(text, link) for link in chain]
    running = {number for number, link in enumerate(chain) if judged[number].verdict != "valid" and _runs_on(link)}
    for number, (link, one) in enumerate(zip(chain, judged, strict=True)):
        if number in running or (running and one.verdict == "valid"):
            judged[number] = Judged("unchecked", compound=True)
        elif one.disputed and number and judged[number - 1].verdict == "valid" and _BARE.match(text, link.start):
            judged[number] = replace(one, verdict="invalid")
    return judged


def _judge(text: str, link: Link) -> Judged:
    compound = is_compound(link.left.node) or is_compound(link.right.node)
    unchecked = Judged("unchecked", compound)
    if link.relation == "is" and is_compound(link.right.node):
        return unchecked
    try:
        left, right = value_of(link.left.node).low, value_of(link.right.node).low
        if left == right:
            holds = compound and link.relation != "≈"
            return Judged("valid" if holds else "unchecked", compound, _plain(left), _plain(left))
        if may_mean_the_same(text, link, left, right):
            return unchecked
    except NoValueError:
        return unchecked
    value, claimed = (
        (right, left) if is_compound(link.right.node) and not is_compound(link.left.node) else (left, right)
    )
    verdict: StepVerdict = "invalid" if compound else "unchecked"
    return Judged(verdict, compound, _plain(value), _plain(claimed), disputed=not compound)


def _plain(value: Value) -> Value:
    """A value as an `int` where it is one."""
    return value.numerator if value.denominator == 1 else value


def _runs_on(link: Link) -> bool:
    """Whether the right side takes up the value of the left one and goes on from it: `5 + 3 = 8 + 2`."""
    node = link.right.node
    if node.kind != "row" or len(node.parts) < 2 or node.operators[0] != "+":
        return False
    try:
        return value_of(node.parts[0]) == value_of(link.left.node)
    except NoValueError:
        return False
