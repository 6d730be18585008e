"""The rows of `corrupt`: for each level, the element of every base's chain that is at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from wrongcot_data.pool.budget import Stopped
from wrongcot_data.receipt import LeftOut
from wrongcot_data.records import Problem, Trace, trace_id
from wrongcot_data.spec import CorruptSpec
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import reference, right
from wrongcot_data.variants.corrupt.base import get_operator, units_of
from wrongcot_data.variants.corrupt.chain import Element, Rules, chain
from wrongcot_data.variants.corrupt.levels import at_level, wanted
from wrongcot_data.variants.corrupt.programs import program_chain
from wrongcot_data.variants.pooled import Pooled

CONFIGS: tuple[str, ...] = tuple(f"corrupt-{level}" for level in range(101))


def config_of(level: int) -> str:
    """The config of a level."""
    return CONFIGS[level]


def summary_of(level: int, spec: CorruptSpec) -> str:
    """One line for the card."""
    if not level:
        return f"the {spec.base} traces that the other levels are made of, as they are"
    return f"{spec.base} traces with {level} % of their checkable steps made wrong, mode {spec.mode}"


def rules_of(task: Task, spec: CorruptSpec, seed: int) -> Rules:
    """The rules of a spec, with the operators that its names stand for.

    Raises:
        BadInput: an operator that there is not.
    """
    policy = spec.answer or ("keep" if spec.mode == "slip" else "propagate")
    return Rules(tuple(get_operator(name) for name in spec.operators), seed, spec.mode, policy)


def chain_of(task: Task, problem: Problem, base: Element, rules: Rules, top: int) -> Sequence[Element] | LeftOut:
    """The chain of a correct trace as far as the level `top` needs it, or why there is none. Never raises."""
    if base.wrong:
        return "base has an invalid step"
    if "program" in units_of(task):
        return program_chain(task, problem, base, rules) or "no checkable step"
    if not base.checkable:
        return "no checkable step"
    elements: list[Element] = []
    for element in chain(task, problem, base, rules):
        elements.append(element)
        if element.wrong >= wanted(top, element.checkable):
            break
    return elements


def element_at(made: Sequence[Element] | LeftOut, level: int) -> Element | LeftOut:
    """The element of a chain at a level, or why there is none."""
    if isinstance(made, str):
        return made
    place = at_level(made, level)
    return "too few steps can be made wrong" if place is None else made[place]


class Corruption:
    """The corruption of one build; it remembers the chains of the problem it was last asked for, for the next level."""

    def __init__(self, task: Task, spec: CorruptSpec, seed: int) -> None:
        self._task = task
        self._spec = spec
        self._rules = rules_of(task, spec, seed)
        self._last: tuple[Problem, int] | None = None
        self._made: list[tuple[Trace, Sequence[Element] | LeftOut]] = []

    def traces(self, level: int, pooled: Pooled, count: int) -> list[Trace]:
        """The rows of one problem at a level."""
        found = ((base, element_at(made, level)) for base, made in self._chains(pooled, count))
        return [row(base, element, level) for base, element in found if isinstance(element, Element)]

    def lost(self, level: int, pooled: Pooled, count: int, _stopped: Stopped | None) -> Counter[LeftOut]:
        """The bases of one problem that have no row at a level, by reason."""
        found = (element_at(made, level) for _, made in self._chains(pooled, count))
        return Counter(reason for reason in found if not isinstance(reason, Element))

    def _chains(self, pooled: Pooled, count: int) -> list[tuple[Trace, Sequence[Element] | LeftOut]]:
        if self._last != (pooled.problem, count):
            view = reference.traces if self._spec.base == "reference" else right.traces
            top = max(self._spec.levels)
            self._made = [
                (base, chain_of(self._task, base.problem, element_of(base), self._rules, top))
                for base in view(pooled, count)
            ]
            self._last = (pooled.problem, count)
        return self._made


def element_of(base: Trace) -> Element:
    """A trace as the first element of its chain."""
    return Element(base.completion, base.steps, base.verdict)


def row(base: Trace, element: Element, level: int) -> Trace:
    """An element of a base's chain as a row of its level."""
    return replace(
        base,
        variant="corrupt",
        level=level,
        completion=element.text,
        verdict=element.verdict,
        steps=element.steps,
        parent_id=trace_id(base),
        answer_kept=element.verdict.grade == "correct",
    )
