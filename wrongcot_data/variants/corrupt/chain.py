"""The chain: a trace, then the same with one more of its steps wrong, and so on, each element proven as a whole.

Every level is an element of one chain, so what is wrong at 25 is wrong at 50, by construction. An operator only
proposes; an edit is taken if the task's own checker, reading the whole new text, finds exactly one more invalid step
and nothing else changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from wrongcot_data.records import Problem, Step, Verdict
from wrongcot_data.spec import derive_seed
from wrongcot_data.steps.equations import find_equations
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.base import Edit, Operator, Place, applied

CHAIN_VERSION = 1
"""Part of every seed; a change of what a chain draws raises it."""

EDITS_TRIED = 2
"""Of each operator for a step, before the next operator is asked: most steps yield to the first, or to none."""


@dataclass(frozen=True, slots=True)
class Element:
    """A text of a chain, its steps with their operators, and its grade."""

    text: str
    steps: tuple[Step, ...]
    verdict: Verdict

    @property
    def wrong(self) -> int:
        """How many steps are invalid."""
        return sum(step.verdict == "invalid" for step in self.steps)

    @property
    def checkable(self) -> int:
        """How many steps are valid or invalid."""
        return sum(step.verdict != "unchecked" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a chain is made; see the spec's group `corrupt`."""

    operators: tuple[Operator, ...]
    seed: int = 0


def chain(task: Task, problem: Problem, base: Element, rules: Rules) -> Iterator[Element]:
    """The elements of a base's chain, itself first, as far as steps can be made wrong. Never raises.

    Which step is next, and how it goes wrong, follows from the base's text, the problem and the seed alone.
    """
    yield base
    draw = derive_seed("corrupt", CHAIN_VERSION, rules.seed, problem.id, base.text)
    current = base
    order = [number for number, step in enumerate(base.steps) if step.verdict == "valid"]
    Random(draw).shuffle(order)
    for number in order:
        place = Place(task, problem, current.text, current.steps, number)
        following = corrupted(place, rules, Random(derive_seed(draw, number)))
        if following:
            current = following
            yield current


def corrupted(place: Place, rules: Rules, rng: Random) -> Element | None:
    """The trace with one step more wrong: the first proposed edit that is proven; None where none is."""
    for operator, edit in _proposals(place, rules.operators, rng):
        text = applied(place.text, edit)
        if text != text.strip() or not _is_false(place, text):
            continue
        steps = proven(place, place.task.steps(place.problem, text), label(operator, edit))
        if steps is None:
            continue
        verdict = place.task.grade(place.problem, text, "stop")
        if verdict.grade == "correct":
            return Element(text, steps, verdict)
    return None


def _is_false(place: Place, text: str) -> bool:
    """Whether the step alone, as it reads in the new text, has a false equation: a look that costs little."""
    end = place.step.end + len(text) - len(place.text)
    return any(equation.verdict == "invalid" for equation in find_equations(text, place.step.start, end))


def label(operator: Operator, edit: Edit) -> str:
    """What the column `operator` of a step says: the operator, and which of its ways it took."""
    return f"{operator.name}: {edit.kind}" if edit.kind else operator.name


def proven(place: Place, after: Sequence[Step], operator: str) -> tuple[Step, ...] | None:
    """The new steps with their operators, if the wanted one is invalid now and no other one changed."""
    if len(after) != len(place.steps) or after[place.number].verdict != "invalid":
        return None
    steps = []
    for number, (old, new) in enumerate(zip(place.steps, after, strict=True)):
        if number == place.number:
            steps.append(replace(new, operator=operator))
        elif (old.text, old.verdict, old.kind) == (new.text, new.verdict, new.kind):
            steps.append(replace(new, operator=old.operator) if old.operator else new)
        else:
            return None
    return tuple(steps)


def _proposals(place: Place, operators: Sequence[Operator], rng: Random) -> Iterator[tuple[Operator, Edit]]:
    """A few edits of each operator, the operators in a drawn order."""
    for operator in rng.sample(operators, len(operators)):
        for edit in islice(operator.propose(place, rng), EDITS_TRIED):
            yield operator, edit
