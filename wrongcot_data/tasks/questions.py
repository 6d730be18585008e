"""What GSM8K and MATH share: a question, a reference answer that can be compared, a solution that people wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, Literal

from pydantic import BaseModel

from wrongcot_data.errors import unknown
from wrongcot_data.graders import math_answers
from wrongcot_data.records import FinishReason, Problem, Reference, Step, Verdict
from wrongcot_data.spec import content_hash
from wrongcot_data.steps import equation_steps
from wrongcot_data.tasks import sources
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.tasks.sources import Read, Row, SourceOptions


class QuestionTask:
    """A task of questions with answers; see `wrongcot_data.tasks.base.Task` for what each member promises.

    Attributes:
        data_set: its home on the Hub.
        configs: of that data set, all of which it takes.
        plain_numbers: whether every reference answer is a plain number.
    """

    name: str
    title: str
    licence: str
    columns: Mapping[str, str]
    options: type[BaseModel]
    max_tokens: int
    data_set: str
    configs: Sequence[str]
    plain_numbers = False
    worked_examples: Sequence[tuple[str, str, str]]

    author: Literal["human", "solver"] = "human"
    grader_version = math_answers.GRADER_VERSION
    grader_waits = True
    splits: Sequence[str] = ("train", "test")
    stop: Sequence[str] = ()
    prompt_version = 1
    templates: Path | None = None
    scorers: Mapping[str, Callable[[Problem, str], float]] = {}

    def read_row(self, row: Row, split: str) -> Read | None:
        """The problem of a row of the source; None for one that cannot be graded, since its solution has no answer."""
        raise NotImplementedError

    def reference_answer(self, row: Row, text: str) -> str:
        """The reference answer that a row gives, as a problem holds it.

        Raises:
            BadInput: nothing could be graded by it.
        """
        return text

    def own_columns(self, row: Row) -> dict[str, Any]:
        """What the published columns hold beside the question; a row on its own may lack it."""
        return {}

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """The problems of an official split, in an order that the seed decides.

        Raises:
            BadInput: no such split, or a row of the source that cannot be read.
            Unavailable: the data set cannot be had from the Hub.
        """
        if split not in self.splits:
            raise unknown("split", split, self.splits)
        assert isinstance(options, SourceOptions)
        if options.source is None:
            rows = sources.hub_rows(self.data_set, self.configs, split, options.revision)
        else:
            rows = sources.file_rows(Path(options.source))
        read = (self.read_row(row, row.split or split) for row in rows)
        return iter(sources.distinct((one for one in read if one), options.source or self.data_set, split, seed))

    def origin(self, options: BaseModel) -> str:
        """The data set and its revision, or the file and its checksum."""
        assert isinstance(options, SourceOptions)
        return sources.origin(options, self.data_set)

    def check_grader(self) -> None:
        """Nothing is needed but what is installed with this package."""

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row that holds `question` and `reference_answer`.

        Raises:
            BadInput: a field is missing or no text, or `problem_id` is there and names another problem.
        """
        one = Row("", row)
        if row.get("question") is None and row.get("problem_id") is not None:
            raise one.fault("no `question`: a problem of this task cannot be found by its problem_id alone")
        question = sources.text_field(one, "question")
        answer = self.reference_answer(one, sources.text_field(one, "reference_answer"))
        problem = self._problem(question, answer, "", "", self.own_columns(one))
        if row.get("problem_id") not in (None, problem.id):
            raise one.fault(
                f"problem_id: {sources.shown(row['problem_id'])} is not the problem of `question` and"
                f" `reference_answer`, {problem.id}"
            )
        return problem

    def _problem(self, question: str, answer: str, solution: str, split: str, own: Mapping[str, Any]) -> Problem:
        name = f"{self.name}-{content_hash([question, answer])[:16]}"
        data = {"question": question, "reference_answer": answer, "solution": solution, **own}
        return Problem(name, self.name, split, data)

    def reference(self, problem: Problem) -> Reference:
        """The answer, and the solution that people wrote."""
        return Reference(problem.data["reference_answer"], problem.data["solution"])

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Four worked examples of our own, so that none is ever a question."""
        return [
            (self._problem(question, answer, trace, "", self.own_columns(Row("", {}))), trace)
            for question, answer, trace in self.worked_examples
        ]

    def difficulty(self, problem: Problem) -> str:
        """By the lines of the solution, of which each is about a step."""
        lines = sum(1 for line in problem.data["solution"].splitlines() if line.strip())
        return "1 to 2 lines" if lines <= 2 else "3 to 4 lines" if lines <= 4 else "5 lines and more"

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Judge the final answer; see `math_answers` for the reasons and their order."""
        answer = problem.data["reference_answer"]
        return math_answers.grade(answer, completion, finish_reason, plain_only=self.plain_numbers)

    def same_answer(self, problem: Problem, one: str, other: str) -> bool:
        """Whether one answer would be right were the other the reference."""
        return math_answers.REASONS[math_answers.compare(one, other, plain_only=self.plain_numbers)] == "correct"

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """Lines, or sentences of lines with several equations, each with its equations checked exactly."""
        return equation_steps(completion)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind: the human solution and an answer, the right one or another."""
        answer = problem.data["reference_answer"]
        lines = [line for line in problem.data["solution"].split("\n") if not line.startswith("####")]
        if kind == "truncated":
            whole = "\n".join(lines) or problem.data["question"]
            return whole[: max(1, int(len(whole) * rng.uniform(0.3, 0.9)))].replace("\\boxed", "")
        if kind == "malformed":
            return "I would rather not say."
        given = answer if kind == "right" else str(rng.randrange(10**5, 10**6))
        kept = [line.replace("\\boxed", "") for line in lines] if kind == "wrong" else lines
        return "\n".join([*kept, closing(given)])


def closing(answer: str) -> str:
    """The sentence that the prompts ask a reply to end with."""
    return f"The final answer is ${answer}$."
