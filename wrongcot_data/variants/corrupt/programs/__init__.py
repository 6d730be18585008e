"""Chains of programs: a statement is a step, and it is wrong if with it alone changed the program fails its tests.

What a statement is worth only shows when the whole program runs, so each mutation is proven twice in the sandbox: alone
in the base program, and together with those before it. The statements for which a proof is found are what a level
counts by. A changed statement keeps the verdict `unchecked` that it has by itself, and names its operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from random import Random

from wrongcot_data.records import Problem, Step, Verdict
from wrongcot_data.spec import derive_seed
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.base import Edit, Place, applied
from wrongcot_data.variants.corrupt.chain import CHAIN_VERSION, Element, Rules, label, proposals

STATEMENTS_TRIED = 12
"""Of a program; more would cost more runs than they bring."""

TIME_OUT = "time-out"
"""How the reason of a program that ran out of time begins: no proof, since another machine may be faster."""

MUTATIONS_TRIED = 4
"""Of a statement, each a run in the sandbox."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """An edit of one statement that makes the base program fail by itself."""

    number: int
    edit: Edit
    operator: str
    verdict: Verdict


def program_chain(task: Task, problem: Problem, base: Element, rules: Rules) -> list[Element]:
    """The chain of a program that passes its tests, itself first; empty where no statement can be made wrong.

    Never raises, whatever the text.
    """
    draw = derive_seed("corrupt", CHAIN_VERSION, rules.seed, problem.id, base.text)
    order = list(range(len(base.steps)))
    Random(draw).shuffle(order)
    found: list[Mutation] = []
    for number in order:
        place = Place(task, problem, base.text, base.steps, number)
        mutation = proven_mutation(place, rules, Random(derive_seed(draw, number)))
        if mutation:
            found.append(mutation)
        if len(found) == STATEMENTS_TRIED:
            break
    if not found:
        return []
    elements = [replace(base, spoilable=len(found))]
    taken: list[Mutation] = []
    for mutation in found:
        element = together(task, problem, base, [*taken, mutation], len(found))
        if element:
            taken.append(mutation)
            elements.append(element)
    return elements


def proven_mutation(place: Place, rules: Rules, rng: Random) -> Mutation | None:
    """The first proposed mutation of a statement with which the program fails; None where none is found."""
    operators = [operator for operator in rules.operators if operator.unit == "program"]
    for operator, edit in islice(proposals(place, operators, 1, rng), MUTATIONS_TRIED):
        text = applied(place.text, edit)
        if labelled(place.task.steps(place.problem, text), place.steps, []) is None:
            continue
        verdict = place.task.grade(place.problem, text, "stop")
        if fails(verdict):
            return Mutation(place.number, edit, label(operator, edit), verdict)
    return None


def together(
    task: Task, problem: Problem, base: Element, mutations: Sequence[Mutation], spoilable: int
) -> Element | None:
    """The base with several mutations, if it fails with all of them too; None otherwise."""
    changes = sorted(change for mutation in mutations for change in mutation.edit.changes)
    text = applied(base.text, Edit(tuple(changes)))
    steps = labelled(task.steps(problem, text), base.steps, mutations)
    if steps is None:
        return None
    alone = mutations[0].verdict if len(mutations) == 1 else None
    verdict = alone or task.grade(problem, text, "stop")
    return Element(text, steps, verdict, spoilable) if fails(verdict) else None


def fails(verdict: Verdict) -> bool:
    """Whether a verdict proves that a program is wrong."""
    return verdict.grade == "wrong" and not verdict.reason.startswith(TIME_OUT)


def labelled(after: Sequence[Step], before: Sequence[Step], mutations: Sequence[Mutation]) -> tuple[Step, ...] | None:
    """The steps with the operators that changed them; None where they are not the same steps any more."""
    if [step.verdict for step in after] != [step.verdict for step in before]:
        return None
    operators = {mutation.number: mutation.operator for mutation in mutations}
    return tuple(replace(step, operator=operators.get(number, "")) for number, step in enumerate(after))
