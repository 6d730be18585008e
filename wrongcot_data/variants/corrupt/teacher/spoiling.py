"""Spoiling as a task: its problems are a step of a correct trace, its right replies that step with one mistake."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.records import FinishReason, Problem, Step, Trace, Verdict, trace_id
from wrongcot_data.tasks.base import Imitation, Task, judges_programs
from wrongcot_data.teachers.prompting import NEXT_SPOILING
from wrongcot_data.variants.corrupt.base import Place
from wrongcot_data.variants.corrupt.programs.statements import statement_of
from wrongcot_data.variants.corrupt.teacher.acceptance import RULES_VERSION, acceptance
from wrongcot_data.variants.corrupt.teacher.imitation import imitate
from wrongcot_data.variants.corrupt.teacher.shots import spoilt_shots
from wrongcot_data.variants.trace_tasks import TraceTask


class Spoiling(TraceTask):
    """The task of making one mistake in a step. A problem of it also holds `step`, its `number` and all the `steps`."""

    name = "corruption"

    def __init__(self, task: Task) -> None:
        super().__init__(task, RULES_VERSION, NEXT_SPOILING)
        self.title = f"steps of traces of {task.name} with one mistake"

    def of(self, problem: Problem, text: str, steps: Sequence[Step], number: int, name: str) -> Problem:
        """The problem of spoiling one step.

        Args:
            text, steps: of the trace, stripped.
            name: of the trace.
        """
        step = {"step": steps[number].text, "number": number, "steps": tuple(steps)}
        return self.about(problem, text, f"{name}#{number}", step)

    def of_step(self, trace: Trace, number: int) -> Problem:
        """The problem of spoiling a step of a row of a variant."""
        return self.of(trace.problem, trace.completion, trace.steps, number, trace_id(trace))

    def of_trace(self, trace: Trace) -> Sequence[Problem]:
        """The problems that a row of a variant poses: one for each step that can be asked about."""
        place = Place(self.task, trace.problem, trace.completion, trace.steps, 0)
        return [self.of_step(trace, number) for number in askable(place).values()]

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row that holds one of the task, the trace as for rewriting, and in `step` a number.

        Raises:
            BadInput: one of them is missing or not what it must be.
        """
        problem, text, name = self.read_trace(row)
        steps, number = self.task.steps(problem, text), row.get("step")
        if not isinstance(number, int) or not 0 <= number < len(steps):
            raise BadInput(f"step: the number of a step is wanted, from 0 to {len(steps) - 1}, not {number!r}")
        return self.of(problem, text, steps, number, name)

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Steps of the task's worked examples, each with a mistake by hand."""
        found = []
        for shot, trace, step, text in spoilt_shots(self.task, problem.data["problem"]):
            steps = self.task.steps(shot, trace)
            numbers = [number for number, one in enumerate(steps) if one.text == step]
            found += [(self.of(shot, trace, steps, number, shot.id), text) for number in numbers[:1]]
        return found

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Whether it is the step with one mistake: `correct` if so; see `acceptance` for the refusals."""
        return acceptance(self.place(problem), completion, finish_reason)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind, as a scripted teacher writes it."""
        return imitate(self.place(problem), kind, rng)

    def place(self, problem: Problem) -> Place:
        """The step of a problem, as operators see it."""
        about = problem.data
        return Place(self.task, about["problem"], about["trace"], about["steps"], about["number"])


def askable(trace: Place) -> dict[str, int]:
    """The steps of a trace that a model can be asked to spoil, number by text: those that are valid, or the statements
    of a program that can be changed. A step that is there twice is asked about once.
    """
    found: dict[str, int] = {}
    for number, step in enumerate(trace.steps):
        place = Place(trace.task, trace.problem, trace.text, trace.steps, number)
        fit = statement_of(place) is not None if judges_programs(trace.task) else step.verdict == "valid"
        if fit:
            found.setdefault(step.text, number)
    return found
