"""The contract of a task: where problems come from, how they are asked, graded and split into steps.

A task is a value with functions and no state that changes. Adding one is adding one file or folder here and one line
under the entry-point group `wrongcot.tasks` in a `pyproject.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from wrongcot_data.records import FinishReason, Problem, Reference, Step, Verdict

Imitation = Literal["right", "wrong", "truncated", "malformed"]
"""Kinds of reply that a scripted teacher writes."""


class Task(Protocol):
    """What the rest of the package may ask of a task.

    Attributes:
        name: as on the command line.
        title: one line for listings and cards.
        author: who writes its reference traces: `human` or `solver`.
        licence: Hub licence identifier of its problems.
        data_set: on the Hub, where its problems come from; empty where it makes them itself.
        grader_version: changes whenever any verdict can change.
        grader_waits: whether grading waits for processes of its own, so that threads put more cores to work.
        columns: its own published columns, name to Arrow type in text (`int32`, `string`, `list<int32>`,
            `list<string>`).
        splits: names of its splits.
        stop: strings that end a reply to its prompts; the one that ended it is kept.
        max_tokens: of a reply, unless the user says otherwise.
        prompt_version: of its prompt templates.
        templates: folder with its templates, `NAME.chat.vN.jinja` and `NAME.plain.vN.jinja` for prompts and
            `NAME.md.jinja` for the card; None where they are among the built-in ones.
        scorers: other people's scorers by name, faults included, so that their numbers can be given beside ours; each
            takes a problem and a completion.
        options: pydantic model of what decides its problems (extra keys forbidden, every field with a default).
    """

    name: str
    title: str
    author: Literal["human", "solver"]
    licence: str
    data_set: str
    grader_version: str
    grader_waits: bool
    columns: Mapping[str, str]
    splits: Sequence[str]
    stop: Sequence[str]
    max_tokens: int
    prompt_version: int
    templates: Path | None
    scorers: Mapping[str, Callable[[Problem, str], float]]
    options: type[BaseModel]

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """Distinct problems of a split, endless where they are generated. The first n are the same for every n.

        Raises:
            BadInput: the split, the options or the source's rows do not say what they must.
            Unavailable: the source cannot be had.
        """
        ...

    def origin(self, options: BaseModel) -> str:
        """Where its problems come from, revision or checksum included, in a few words for the card."""
        ...

    def check_grader(self) -> None:
        """See that completions can be graded on this machine, before anybody pays for one.

        Raises:
            Unavailable: they cannot.
        """
        ...

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem that a row names by `problem_id` or holds inline.

        Raises:
            BadInput: neither is there, or a field has a wrong type or value; the message names the field.
        """
        ...

    def reference(self, problem: Problem) -> Reference:
        """The right answer and the reference trace; the same bytes on every machine."""
        ...

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Worked examples to show before a problem, each with its trace; `problems` never yields these."""
        ...

    def difficulty(self, problem: Problem) -> str:
        """A name that problems of about the same difficulty share, such as `4 numbers`; the same for all where nothing
        is known. The sampler starts from the success rate of a group.
        """
        ...

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Judge a completion. Never raises, whatever the text; a reply that was cut off is `truncated`.

        Many threads may call it at once, which is how graders that work in processes of their own use several cores.
        """
        ...

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """Split a completion into steps in order of their offsets and check each. Never raises."""
        ...

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind, as a scripted teacher writes it."""
        ...


@runtime_checkable
class ComparingTask(Protocol):
    """What a task has besides where its answers can be told apart without the reference, as a majority vote needs."""

    def same_answer(self, problem: Problem, one: str, other: str) -> bool:
        """Whether two answers to a problem say the same, as its grader holds it: it could not grade one as `correct`
        and the other as `wrong`. Never raises, whatever the texts.
        """
        ...


def judges_programs(task: Task) -> bool:
    """Whether the answers of a task are programs, judged by what they do: those of a task that publishes tests."""
    return "tests" in task.columns
