"""Rewriting as a task: its problems are a problem and a trace of it, its right replies paraphrases of that trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from wrongcot_data.records import FinishReason, Problem, Trace, Verdict, trace_id
from wrongcot_data.tasks.base import Imitation, Task
from wrongcot_data.teachers.prompting import NEXT_REWRITING
from wrongcot_data.variants.paraphrase.acceptance import RULES_VERSION, Base, acceptance
from wrongcot_data.variants.paraphrase.imitation import imitate
from wrongcot_data.variants.paraphrase.shots import rewritten_shots
from wrongcot_data.variants.trace_tasks import TraceTask


class Rewriting(TraceTask):
    """The task of rewriting another task's traces. A problem of it also holds `verdict`, which is the trace's."""

    name = "paraphrase"

    def __init__(self, task: Task) -> None:
        super().__init__(task, RULES_VERSION, NEXT_REWRITING)
        self.title = f"the traces of {task.name} in other words"

    def of(self, problem: Problem, text: str, verdict: Verdict, name: str) -> Problem:
        """The problem of rewriting a trace.

        Args:
            text: of the trace, stripped.
            name: of the trace: two traces of one problem are two problems here.
        """
        return self.about(problem, text, name, {"verdict": verdict})

    def of_trace(self, trace: Trace) -> Sequence[Problem]:
        """The problem of rewriting a row of a variant."""
        return [self.of(trace.problem, trace.completion, trace.verdict, trace_id(trace))]

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row that holds one of the task and in `parent_completion` and `parent_id` the trace.

        Raises:
            BadInput: either is missing or not what it must be.
        """
        problem, text, name = self.read_trace(row)
        return self.of(problem, text, self.task.grade(problem, text, "stop"), name)

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Traces of the task's worked examples, each with a rewriting by hand."""
        return [
            (self.of(shot, trace, self.task.grade(shot, trace, "stop"), shot.id), text)
            for shot, trace, text in rewritten_shots(self.task, problem.data["problem"], problem.data["trace"])
        ]

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Whether it is a paraphrase: `correct` if so; see `acceptance` for the refusals."""
        base = Base(problem.data["trace"], problem.data["verdict"])
        return acceptance(self.task, problem.data["problem"], base, completion, finish_reason)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A rewriting of the wanted kind, as a scripted paraphraser writes it."""
        return imitate(self.task, problem.data["problem"], problem.data["trace"], kind, rng)
