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

_TOKEN = re.compile(r"[0-9]+(?:[.,][0-9]+)*|[^\W\d]+|\S")


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
    """A reply in place of the step, as one change of as few words, numbers and signs as it takes; white space between
    them stays that of the step.

    Where what changes is the result of an equation, mode `propagate` can tell what follows.
    """
    old, new = _spans(place.step.text), _spans(reply)
    words, others = ([text[a:b] for a, b in spans] for text, spans in ((place.step.text, old), (reply, new)))
    most = min(len(old), len(new))
    before = next((at for at in range(most) if words[at] != others[at]), most)
    behind = next((at for at in range(most - before) if words[-1 - at] != others[-1 - at]), most - before)
    bare = before + behind in (len(old), len(new))  # something comes in or goes, and with it the space around it
    start, end = _between(old, before, behind, len(place.step.text), bare=bare)
    first, last = _between(new, before, behind, len(reply), bare=bare)
    return Edit((Change(place.step.start + start, place.step.start + end, reply[first:last]),))


def _spans(text: str) -> list[tuple[int, int]]:
    """Where the words, numbers and signs of a text stand."""
    return [found.span() for found in _TOKEN.finditer(text)]


def _between(spans: Sequence[tuple[int, int]], before: int, behind: int, length: int, *, bare: bool) -> tuple[int, int]:
    """The part of a text without so many of its first and last words; if `bare`, with the space around it."""
    inner = spans[before : len(spans) - behind]
    if inner and not bare:
        return inner[0][0], inner[-1][1]
    return (spans[before - 1][1] if before else 0), (spans[len(spans) - behind][0] if behind else length)
