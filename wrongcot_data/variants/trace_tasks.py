"""What tasks have in common whose problems are another task's traces: a model is asked about them as about any problem.

So sampler, journal and engines serve whoever rewrites or spoils traces as they serve a teacher, and nothing is paid
twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import BaseModel

from wrongcot_data.errors import BadInput
from wrongcot_data.records import FinishReason, Problem, Reference, Step, Trace, Verdict
from wrongcot_data.tasks.base import Imitation, Task, judges_programs
from wrongcot_data.teachers.prompting import question
from wrongcot_data.variants.pooled import Pooled, Source
from wrongcot_data.variants.reference import traces as reference_traces

N_SHOTS = 2
"""Worked examples of such a task: enough, and every request carries them, which slows each token of a small model."""


class TraceTask:
    """A task about the traces of another one; see `wrongcot_data.tasks.base.Task` for what each member promises.

    A problem of it holds in its data `problem`, and for the prompt `question`, `trace` and `program` (whether the trace
    is one).

    Args:
        rules: version of all that decides which replies are right.
        next_labels: with what a small model goes on, after its reply, to write the whole prompt again.

    Attributes:
        task: whose traces they are.
    """

    name: str
    title: str
    prompt_version = 1
    templates: Path | None = None
    scorers: Mapping[str, Callable[[Problem, str], float]] = {}

    def __init__(self, task: Task, rules: str, next_labels: Sequence[str]) -> None:
        self.task = task
        self.author: Literal["human", "solver"] = task.author
        self.licence = task.licence
        self.data_set = task.data_set
        self.grader_version = f"{rules}+{task.grader_version}"
        self.grader_waits = task.grader_waits
        self.columns = task.columns
        self.splits = task.splits
        self.stop: Sequence[str] = (*task.stop, *next_labels)
        self.max_tokens = task.max_tokens
        self.options: type[BaseModel] = task.options

    def about(self, problem: Problem, text: str, name: str, more: Mapping[str, Any]) -> Problem:
        """A problem of this task.

        Args:
            problem, text: the other task's, and a trace of it, stripped.
            name: of what is asked, which becomes the id: two questions about one problem are two problems here.
            more: what the task's own rules and templates need.
        """
        asked = problem.data.get("question") or question(self.task, problem)
        about = {"problem": problem, "question": asked, "trace": text, "program": judges_programs(self.task)}
        return Problem(name, self.name, problem.split, {**about, **more})

    def of_trace(self, trace: Trace) -> Sequence[Problem]:
        """The problems that a row of a variant poses."""
        raise NotImplementedError

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """What the task's correct reference traces pose.

        Raises:
            BadInput, Unavailable: as the task's own.
        """
        for problem in self.task.problems(options, split, seed):
            bare = Pooled(self.task, problem, self.task.reference(problem), (), Source("", "", "", ""))
            for trace in reference_traces(bare, 1):
                yield from self.of_trace(trace)

    def origin(self, options: BaseModel) -> str:
        """Where the task's problems come from."""
        return self.task.origin(options)

    def check_grader(self) -> None:
        """See that the task's completions can be graded.

        Raises:
            Unavailable: they cannot.
        """
        self.task.check_grader()

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row that holds one of the task and in `parent_completion` and `parent_id` the trace.

        Raises:
            BadInput: one of them is missing or not what it must be.
        """
        raise NotImplementedError

    def read_trace(self, row: Mapping[str, Any]) -> tuple[Problem, str, str]:
        """The task's problem, the text of the trace and its name, of such a row.

        Raises:
            BadInput: as `read_problem`.
        """
        text, name = row.get("parent_completion"), row.get("parent_id")
        if not isinstance(text, str) or not text.strip():
            raise BadInput("parent_completion: the text of the trace that a model was asked about is wanted")
        if not isinstance(name, str) or not name:
            raise BadInput("parent_id: the name of the trace that a model was asked about is wanted")
        return self.task.read_problem(row), text.strip(), name

    def reference(self, problem: Problem) -> Reference:
        """The answer that is right for the task's problem; there is no reference reply."""
        return Reference(self.task.reference(problem.data["problem"]).answer, "")

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Traces of the task's worked examples, each with a reply by hand."""
        raise NotImplementedError

    def difficulty(self, problem: Problem) -> str:
        """That of the task's problem."""
        return self.task.difficulty(problem.data["problem"])

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Whether it is what was asked for: `correct` if so, any other grade says why not."""
        raise NotImplementedError

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """As the task cuts and checks them."""
        return self.task.steps(problem.data["problem"], completion)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind, as a scripted model writes it."""
        raise NotImplementedError
