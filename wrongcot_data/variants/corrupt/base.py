"""The contract of a corruption: it proposes edits of one step; whether one is taken is never its own to say.

An operator is a value with one pure function and no state. Adding one is adding one file here and one line under the
entry-point group `wrongcot.corruptions` in a `pyproject.toml`; `chain` applies, proves and labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Literal, NamedTuple

from wrongcot_data import plugins
from wrongcot_data.errors import BadInput
from wrongcot_data.records import Problem, Step
from wrongcot_data.tasks.base import Task, judges_programs

Unit = Literal["equation", "structure", "program"]
"""What an operator changes: an equation within a step, whole steps of a search, a statement of a program."""


class Change(NamedTuple):
    """`text[start:end]` becomes `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """What an operator proposes: changes in order of their places, none over another.

    Attributes:
        kind: which of its ways the operator took (`carry`), if it has several.
    """

    changes: tuple[Change, ...]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A step of a trace, as an operator sees it: `steps[number]` of `text`."""

    task: Task
    problem: Problem
    text: str
    steps: tuple[Step, ...]
    number: int

    @property
    def step(self) -> Step:
        """The step that is to be made wrong."""
        return self.steps[self.number]


@dataclass(frozen=True, slots=True)
class Operator:
    """A way to make a step wrong.

    Attributes:
        name: as in the spec, on the command line and, with the edit's kind, in the column `steps`.
        unit: what it changes, which decides the traces it is asked for and the proof its edits need.
        propose: edits of a step, most wanted first, from the step and the random numbers alone; none where it has
            nothing to say. Lazy: few of them are looked at.
        summary: one line for listings and docs.
        is_last: whether it is asked only when the others have no more to say.
    """

    name: str
    unit: Unit
    propose: Callable[[Place, Random], Iterator[Edit]]
    summary: str
    is_last: bool = False


def units_of(task: Task) -> frozenset[Unit]:
    """What can be proven wrong in a task's traces: a program as a whole, or equations; and a step that is out of its
    place where the checker knows which numbers there are.
    """
    if judges_programs(task):
        return frozenset({"program"})
    return frozenset({"equation", "structure"} if "nums" in task.columns else {"equation"})


def applied(text: str, edit: Edit) -> str:
    """The text after an edit."""
    pieces, at = [], 0
    for change in edit.changes:
        pieces += [text[at : change.start], change.text]
        at = change.end
    return "".join([*pieces, text[at:]])


def spoilt(place: Place, edit: Edit) -> str:
    """How a step reads after an edit of it alone."""
    whole = applied(place.text, edit)
    return whole[place.step.start : place.step.end + len(whole) - len(place.text)]


def names() -> list[str]:
    """Names of the operators that are installed, sorted."""
    return plugins.names("corruption")


@lru_cache
def get_operator(name: str) -> Operator:
    """The operator of a name.

    Raises:
        BadInput: there is none, or the plugin is no operator.
    """
    operator = plugins.load("corruption", name)
    if not isinstance(operator, Operator):
        raise BadInput(f"the corruption {name!r} is no operator but a {type(operator).__name__}")
    return operator
