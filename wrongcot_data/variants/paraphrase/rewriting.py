"""Rewriting as a task: its problems are a problem and a trace of it, its right replies are paraphrases of that trace.

So sampler, journal and engines serve a paraphraser as they serve a teacher, and nothing is paid twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import BaseModel

from wrongcot_data.errors import BadInput
from wrongcot_data.records import FinishReason, Problem, Reference, Step, Trace, Verdict, trace_id
from wrongcot_data.tasks.base import Imitation, Task
from wrongcot_data.teachers.prompting import NEXT_REWRITING, question
from wrongcot_data.variants.paraphrase.acceptance import RULES_VERSION, Base, acceptance
from wrongcot_data.variants.paraphrase.answers import judges_programs
from wrongcot_data.variants.paraphrase.imitation import imitate
from wrongcot_data.variants.paraphrase.shots import rewritten_shots
from wrongcot_data.variants.pooled import Pooled, Source
from wrongcot_data.variants.reference import traces as reference_traces


class Rewriting:
    """The task of rewriting another task's traces; see `wrongcot_data.tasks.base.Task` for what each member promises.

    A problem of it holds in its data `problem` and `verdict` (of the trace), and for the prompt `question`, `trace` and
    `program` (whether the trace is one).
    """

    name = "paraphrase"
    prompt_version = 1
    templates: Path | None = None
    scorers: Mapping[str, Callable[[Problem, str], float]] = {}

    def __init__(self, task: Task) -> None:
        self.task = task
        self.title = f"the traces of {task.name} in other words"
        self.author: Literal["human", "solver"] = task.author
        self.licence = task.licence
        self.data_set = task.data_set
        self.grader_version = f"{RULES_VERSION}+{task.grader_version}"
        self.grader_waits = task.grader_waits
        self.columns = task.columns
        self.splits = task.splits
        self.stop: Sequence[str] = (*task.stop, *NEXT_REWRITING)
        self.max_tokens = task.max_tokens
        self.options: type[BaseModel] = task.options

    def of(self, problem: Problem, text: str, verdict: Verdict, name: str) -> Problem:
        """The problem of rewriting a trace.

        Args:
            text: of the trace, stripped.
            name: of the trace, which becomes the problem's id: two traces of one problem are two problems here.
        """
        asked = problem.data.get("question") or question(self.task, problem)
        about = {"question": asked, "trace": text, "program": judges_programs(self.task)}
        return Problem(name, self.name, problem.split, {**about, "problem": problem, "verdict": verdict})

    def of_trace(self, trace: Trace) -> Problem:
        """The problem of rewriting a row of a variant."""
        return self.of(trace.problem, trace.completion, trace.verdict, trace_id(trace))

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """The task's problems that have a correct reference trace, each with that trace.

        Raises:
            BadInput, Unavailable: as the task's own.
        """
        for problem in self.task.problems(options, split, seed):
            bare = Pooled(self.task, problem, self.task.reference(problem), (), Source("", "", "", ""))
            yield from map(self.of_trace, reference_traces(bare, 1))

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
            BadInput: either is missing or not what it must be.
        """
        text, name = row.get("parent_completion"), row.get("parent_id")
        if not isinstance(text, str) or not text.strip():
            raise BadInput("parent_completion: the text of the trace that was rewritten is wanted")
        if not isinstance(name, str) or not name:
            raise BadInput("parent_id: the name of the trace that was rewritten is wanted")
        problem = self.task.read_problem(row)
        return self.of(problem, text.strip(), self.task.grade(problem, text.strip(), "stop"), name)

    def reference(self, problem: Problem) -> Reference:
        """The answer that is right for the task's problem; there is no reference paraphrase."""
        return Reference(self.task.reference(problem.data["problem"]).answer, "")

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Traces of the task's worked examples, each with a rewriting by hand."""
        return [
            (self.of(shot, trace, self.task.grade(shot, trace, "stop"), shot.id), text)
            for shot, trace, text in rewritten_shots(self.task, problem.data["problem"], problem.data["trace"])
        ]

    def difficulty(self, problem: Problem) -> str:
        """That of the task's problem."""
        return self.task.difficulty(problem.data["problem"])

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Whether it is a paraphrase: `correct` if so; see `acceptance` for the refusals."""
        base = Base(problem.data["trace"], problem.data["verdict"])
        return acceptance(self.task, problem.data["problem"], base, completion, finish_reason)

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """As the task cuts and checks them."""
        return self.task.steps(problem.data["problem"], completion)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A rewriting of the wanted kind, as a scripted paraphraser writes it."""
        return imitate(self.task, problem.data["problem"], problem.data["trace"], kind, rng)
