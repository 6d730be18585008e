"""The operator `teacher:NAME`: looks up what the model wrote instead of a step, and proposes what differs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from wrongcot_data.records import Step
from wrongcot_data.spec import TEACHER
from wrongcot_data.tasks.base import Task, judges_programs
from wrongcot_data.variants.corrupt.base import Change, Edit, Operator, Place
from wrongcot_data.variants.corrupt.programs.statements import statement_of
from wrongcot_data.variants.pooled import Rewritten

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d]+|\s+|.", re.DOTALL)


class Told:
    """What a model wrote instead of the steps of one trace, by their text; it notes which steps it was not asked for.

    Args:
        steps: of the trace.
        replies: those that were accepted, of each step that it was asked for.

    Attributes:
        missed: the steps that somebody looked for in vain, in the order in which they did.
    """

    def __init__(self, steps: Sequence[Step], replies: Mapping[str, Sequence[str]]) -> None:
        self._texts = {step.text for step in steps}
        self._replies = replies
        self.missed: list[str] = []

    def of(self, step: str) -> Sequence[str]:
        """The replies to a step; none for one that the trace has not."""
        if step in self._texts and step not in self._replies and step not in self.missed:
            self.missed.append(step)
        return self._replies.get(step, ())


def asking(teacher: str, task: Task, told: Told) -> Operator:
    """The operator of one trace, of which the model has been asked already.

    Args:
        teacher: the model's name, as in the column `teacher`.
    """
    program = judges_programs(task)

    def propose(place: Place, rng: Random) -> Iterator[Edit]:
        """The replies to the step as it reads now: in one that has changed since, nobody knows what they would do."""
        if program and statement_of(place) is None:
            return
        for reply in told.of(place.step.text):
            yield trimmed(place, reply)

    summary = f"what {teacher} writes when it is asked for one mistake"
    return Operator(f"{TEACHER}{teacher}", "program" if program else "equation", propose, summary)


def accepted(asked: Rewritten) -> tuple[str, ...]:
    """The replies about a step that were accepted, as they were judged."""
    return tuple(sample.verdict.answer for sample in asked.samples if sample.verdict.grade == "correct")


def trimmed(place: Place, reply: str) -> Edit:
    """A reply in place of the step, as one change of as few words, numbers and signs as it takes.

    Where that is the result of an equation, mode `propagate` can tell what follows.
    """
    old, new = _TOKEN.findall(place.step.text), _TOKEN.findall(reply)
    most = min(len(old), len(new))
    before = next((at for at in range(most) if old[at] != new[at]), most)
    behind = next((at for at in range(most - before) if old[-1 - at] != new[-1 - at]), most - before)
    start = place.step.start + len("".join(old[:before]))
    end = place.step.end - len("".join(old[len(old) - behind :]))
    return Edit((Change(start, end, "".join(new[before : len(new) - behind])),))
