"""The rows of `corrupt`: for each level, the element of every base's chain that is at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from wrongcot_data.pool.budget import Stopped
from wrongcot_data.receipt import LeftOut
from wrongcot_data.records import Problem, Trace, trace_id
from wrongcot_data.spec import TEACHER, CorruptSpec
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import reference, right
from wrongcot_data.variants.corrupt.base import Operator, get_operator, units_of
from wrongcot_data.variants.corrupt.chain import Element, Rules, chain
from wrongcot_data.variants.corrupt.levels import at_level, wanted
from wrongcot_data.variants.corrupt.programs import program_chain
from wrongcot_data.variants.corrupt.teacher.operator import Told, accepted, asking
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, Pooled

MAX_LENGTH = 20_000
"""Characters of a trace that is corrupted: each wrong step more is proven by reading the whole anew."""

CONFIGS: tuple[str, ...] = tuple(f"corrupt-{level}" for level in range(101))


def config_of(level: int) -> str:
    """The config of a level."""
    return CONFIGS[level]


def summary_of(level: int, spec: CorruptSpec) -> str:
    """One line for the card."""
    if not level:
        return f"the {spec.base} traces that the other levels are made of, as they are"
    return f"{spec.base} traces with {level} % of their checkable steps made wrong, mode {spec.mode}"


def rules_of(task: Task, spec: CorruptSpec, seed: int, asked: Operator | None = None) -> Rules:
    """The rules of a spec, with the operators that its names stand for.

    Args:
        asked: the one that stands for `teacher:NAME`; without it nobody was asked.

    Raises:
        BadInput: an operator that there is not.
    """
    policy = spec.answer or ("keep" if spec.mode == "slip" else "propagate")
    operators = [asked if name.startswith(TEACHER) else get_operator(name) for name in spec.operators]
    return Rules(tuple(one for one in operators if one), seed, spec.mode, policy)


def bases(spec: CorruptSpec, pooled: Pooled, count: int) -> list[Trace]:
    """The traces of a problem that are corrupted, at most `count`."""
    return reference.traces(pooled, count) if spec.base == "reference" else right.traces(pooled, count)


def chain_of(task: Task, problem: Problem, base: Element, rules: Rules, top: int) -> Sequence[Element] | LeftOut:
    """The chain of a correct trace as far as the level `top` needs it, or why there is none. Never raises."""
    if base.wrong:
        return "base has an invalid step"
    if len(base.text) > MAX_LENGTH:
        return "base is too long"
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


@dataclass(frozen=True, slots=True)
class Made:
    """A base and its chain, or why it has none.

    Attributes:
        waits: whether a model has yet to be asked more of it.
    """

    base: Trace
    chain: Sequence[Element] | LeftOut
    waits: bool


class Corruption:
    """The corruption of one build; it remembers the chains of the problem it was last asked for, for the next level."""

    def __init__(self, task: Task, spec: CorruptSpec, seed: int) -> None:
        self._task = task
        self._spec = spec
        self._seed = seed
        rules_of(task, spec, seed)  # a name that there is not is told now
        self._last: tuple[Problem, int] | None = None
        self._made: list[Made] = []

    def traces(self, level: int, pooled: Pooled, count: int) -> list[Trace]:
        """The rows of one problem at a level."""
        found = ((one.base, element_at(one.chain, level)) for one in self._chains(pooled, count))
        return [row(base, element, level) for base, element in found if isinstance(element, Element)]

    def lost(self, level: int, pooled: Pooled, count: int, stopped: Stopped | None) -> Counter[LeftOut]:
        """The bases of one problem that have no row at a level, by reason."""
        reasons: Counter[LeftOut] = Counter()
        for one in self._chains(pooled, count):
            found = element_at(one.chain, level)
            if not isinstance(found, Element):
                reasons[stopped if stopped and one.waits else found] += 1
        return reasons

    def _chains(self, pooled: Pooled, count: int) -> list[Made]:
        if self._last != (pooled.problem, count):
            top = max(self._spec.levels)
            self._made = [self._chain(pooled, base, top) for base in bases(self._spec, pooled, count)]
            self._last = (pooled.problem, count)
        return self._made

    def _chain(self, pooled: Pooled, base: Trace, top: int) -> Made:
        asked = [one for one in pooled.rewritten.get(CORRUPT_SAMPLES, ()) if trace_id(one.base) == trace_id(base)]
        told = Told(base.steps, {base.steps[one.step].text: accepted(one) for one in asked})
        teacher = asked[0].source.teacher if asked else self._spec.teacher or ""
        rules = rules_of(self._task, self._spec, self._seed, asking(teacher, self._task, told))
        made = chain_of(self._task, base.problem, element_of(base), rules, top)
        return Made(base, made, any(one.end is None for one in asked) or bool(told.missed))


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
