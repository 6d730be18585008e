"""The chain: a trace, then the same with one more of its steps wrong, and so on, each element proven as a whole.

Every level is an element of one chain, so what is wrong at 25 is wrong at 50, by construction. An operator only
proposes; an edit is taken if the task's own checker, reading the whole new text, finds exactly one more invalid step
and nothing else changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random
from typing import Literal

from wrongcot_data.records import Grade, Problem, Step, Verdict
from wrongcot_data.spec import derive_seed
from wrongcot_data.steps.equations import find_equations
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt import structure
from wrongcot_data.variants.corrupt.answers import NOWHERE, answer_span, replacements
from wrongcot_data.variants.corrupt.base import Edit, Operator, Place, applied, units_of
from wrongcot_data.variants.corrupt.propagation import propagated, with_answer

CHAIN_VERSION = 1
"""Part of every seed; a change of what a chain draws raises it."""

EDITS_TRIED = {"slip": 2, "propagate": 6}
"""Of each operator for a step, by mode: most steps yield to the first, but from most wrong values nothing follows."""


REPLACEMENTS_TRIED = 4

Mode = Literal["slip", "propagate"]
AnswerPolicy = Literal["keep", "propagate", "replace"]


@dataclass(frozen=True, slots=True)
class Element:
    """A text of a chain, its steps with their operators, and its grade.

    Attributes:
        spoilable: of a program, the statements that can be made wrong; None where steps are checked one by one.
    """

    text: str
    steps: tuple[Step, ...]
    verdict: Verdict
    spoilable: int | None = None

    @property
    def wrong(self) -> int:
        """How many steps are invalid; of a program, how many statements were made wrong."""
        if self.spoilable is not None:
            return sum(step.operator != "" for step in self.steps)
        return sum(step.verdict == "invalid" for step in self.steps)

    @property
    def checkable(self) -> int:
        """How many steps are valid or invalid; of a program, how many statements can be made wrong."""
        if self.spoilable is not None:
            return self.spoilable
        return sum(step.verdict != "unchecked" for step in self.steps)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a chain is made; see the spec's group `corrupt`."""

    operators: tuple[Operator, ...]
    seed: int = 0
    mode: Mode = "slip"
    answer: AnswerPolicy = "keep"


def chain(task: Task, problem: Problem, base: Element, rules: Rules) -> Iterator[Element]:
    """The elements of a base's chain, itself first, as far as steps can be made wrong. Never raises.

    Which step is next, and how it goes wrong, follows from the base's text, the problem and the seed alone.
    """
    yield base
    draw = derive_seed("corrupt", CHAIN_VERSION, rules.seed, problem.id, base.text)
    current = base
    waiting = [number for number, step in enumerate(base.steps) if step.verdict == "valid"]
    Random(draw).shuffle(waiting)
    for turn in range(2 * len(waiting)):
        if not waiting:
            return
        number = waiting.pop(0)
        place = Place(task, problem, current.text, current.steps, number)
        found = corrupted(place, current.verdict, rules, Random(derive_seed(draw, turn)))
        if found:
            current, same = found
            steps = current.steps
            waiting = [*waiting, number]  # where another step is the wrong one now, its own turn is still to come
            waiting = [same[old] for old in waiting if old in same and steps[same[old]].verdict == "valid"]
            yield current


def corrupted(place: Place, verdict: Verdict, rules: Rules, rng: Random) -> tuple[Element, Mapping[int, int]] | None:
    """The trace with one step more wrong: the first proposed edit that is proven; None where none is.

    Args:
        verdict: of the trace as it is.

    Returns:
        The new element, and the number that each step of the old one has in it.
    """
    span = answer_span(place.text, verdict.answer)
    units = units_of(place.task) - ({"structure"} if rules.mode == "propagate" else set())
    operators = [operator for operator in rules.operators if operator.unit in units]
    for turn, (operator, edit) in enumerate(proposals(place, operators, EDITS_TRIED[rules.mode], rng)):
        structural = operator.unit == "structure"
        # most first edits are taken, and need no cheap look before the dear one
        if turn and not structural and not _is_false(place, applied(place.text, edit)):
            continue
        for whole in completed(place, edit, span, verdict, rules, rng):
            text = applied(place.text, whole)
            after = place.task.steps(place.problem, text)
            prove = structure.proven if structural and len(whole.changes) == 1 else proven
            found = prove(place, after, whole, label(operator, edit))
            if found is None or text != text.strip():
                break
            steps, same = found
            grade = place.task.grade(place.problem, text, "stop")
            if grade.grade in ALLOWED[rules.answer]:
                return Element(text, steps, grade), same
    return None


ALLOWED: Mapping[AnswerPolicy, tuple[Grade, ...]] = {
    "keep": ("correct",),
    "propagate": ("correct", "wrong"),
    "replace": ("wrong",),
}
"""What a corrupted trace may be graded."""


def completed(
    place: Place, edit: Edit, span: tuple[int, int], verdict: Verdict, rules: Rules, rng: Random
) -> Iterator[Edit]:
    """An edit with what the mode and the answer policy make of it: one, or several to choose from, or none."""
    whole: Edit | None = edit
    if rules.mode == "propagate":
        whole = propagated(place, edit, NOWHERE if rules.answer == "propagate" else span)
    elif rules.answer == "propagate":
        whole = with_answer(place, edit, span)
    if whole is None:
        return
    if rules.answer == "replace" and verdict.grade == "correct":
        for change in islice(replacements(place.text, span, rng), REPLACEMENTS_TRIED):
            if all(one.end <= change.start for one in whole.changes):
                yield replace(whole, changes=(*whole.changes, change))
    else:
        yield whole


def _is_false(place: Place, text: str) -> bool:
    """Whether the step alone, as it reads in the new text, has a false equation: a look that costs little."""
    end = place.step.end + len(text) - len(place.text)
    return any(equation.verdict == "invalid" for equation in find_equations(text, place.step.start, end))


def label(operator: Operator, edit: Edit) -> str:
    """What the column `operator` of a step says: the operator, and which of its ways it took."""
    return f"{operator.name}: {edit.kind}" if edit.kind else operator.name


def proven(
    place: Place, after: Sequence[Step], edit: Edit, operator: str
) -> tuple[tuple[Step, ...], dict[int, int]] | None:
    """The new steps with their operators, and which old ones they are, if the wanted one is invalid now and the verdict
    of no other one changed.
    """
    if len(after) != len(place.steps) or after[place.number].verdict != "invalid":
        return None
    steps = []
    for number, (old, new) in enumerate(zip(place.steps, after, strict=True)):
        if number == place.number:
            steps.append(replace(new, operator=operator))
        elif (old.verdict, old.kind) == (new.verdict, new.kind):
            steps.append(replace(new, operator=old.operator) if old.operator else new)
        else:
            return None
    return tuple(steps), {number: number for number in range(len(steps))}


def proposals(place: Place, operators: Sequence[Operator], tried: int, rng: Random) -> Iterator[tuple[Operator, Edit]]:
    """A few edits of each operator, the operators in a drawn order."""
    for operator in sorted(rng.sample(operators, len(operators)), key=lambda one: one.is_last):
        for edit in islice(operator.propose(place, rng), tried if operator.unit == "equation" else 1):
            yield operator, edit
