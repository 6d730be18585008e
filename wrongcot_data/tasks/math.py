r"""MATH: competition problems in seven subjects; solutions by people that box their answer (Hendrycks et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

from wrongcot_data.graders.final_answer import boxed_answer
from wrongcot_data.records import Problem
from wrongcot_data.tasks import sources
from wrongcot_data.tasks.questions import QuestionTask, closing
from wrongcot_data.tasks.sources import Read, Row, SourceOptions


class MathOptions(SourceOptions):
    """Where the problems come from."""

    revision: str = Field(
        "21a5633873b6a120296cce3e2df9d5550074f4a3",
        description="commit of EleutherAI/hendrycks_math; pinned, so builds stay the same",
    )


class Math(QuestionTask):
    """The task; see `wrongcot_data.tasks.base.Task`."""

    name = "math"
    title = "MATH: competition mathematics in seven subjects, answered by an expression"
    licence = "mit"
    columns: Mapping[str, str] = {"question": "string", "level_of_problem": "string", "subject": "string"}
    options: type[BaseModel] = MathOptions
    max_tokens = 1024
    data_set = "EleutherAI/hendrycks_math"
    configs = (
        "algebra",
        "counting_and_probability",
        "geometry",
        "intermediate_algebra",
        "number_theory",
        "prealgebra",
        "precalculus",
    )

    def read_row(self, row: Row, split: str) -> Read | None:
        r"""A row with `problem`, `level`, `type` and `solution`, whose last `\boxed{}` holds the answer.

        Some solutions (16 of 12,500) box several values at their end: all that the problem asks for, or one in several
        ways. Then the answer is all of those boxes, for the grader to see.

        An `id` that begins with the name of a split says which one a row of a file is of.

        Returns:
            None for a solution that boxes nothing (two of the train split): there is no answer to grade by.

        Raises:
            BadInput: a field is missing or no text.
        """
        question, solution = sources.text_field(row, "problem"), sources.text_field(row, "solution")
        found = boxed_answer(solution)
        answer = ", ".join(rf"\boxed{{{part}}}" for part in found.parts) or found.text
        if not answer:
            return None
        own_id = row.fields.get("id")
        if own_id is not None and not isinstance(own_id, str):
            raise row.fault(f"`id` must be text, not {sources.shown(own_id)}")
        named = (own_id or "").split("/")[0]
        columns = {
            "level_of_problem": sources.text_field(row, "level"),
            "subject": sources.text_field(row, "type"),
        }
        problem = self._problem(question, answer, solution, named if named in self.splits else split, columns)
        return Read(row.where, problem, own_id or row.place)

    def own_columns(self, row: Row) -> dict[str, Any]:
        """Level and subject, where the row says them."""
        columns = {}
        for name in ("level_of_problem", "subject"):
            value = row.fields.get(name)
            if value is not None and not isinstance(value, str):
                raise row.fault(f"`{name}` must be text, not {sources.shown(value)}")
            columns[name] = value or ""
        return columns

    def difficulty(self, problem: Problem) -> str:
        """By the level that the source gives."""
        return str(problem.data["level_of_problem"])

    worked_examples: Sequence[tuple[str, str, str]] = (
        (
            "Find the sum of the solutions of $x^2 - 7x + 10 = 0$.",
            "7",
            "The left side factors as $(x - 2)(x - 5)$, so the solutions are $x = 2$ and $x = 5$.\n"
            f"Their sum is $2 + 5 = 7$.\n{closing('7')}",
        ),
        (
            "A bag holds 4 red and 6 blue marbles. Two marbles are drawn without putting the first one back. What is"
            " the probability that both are red?",
            r"\frac{2}{15}",
            "The first marble is red with probability $\\frac{4}{10}$, the second one then with $\\frac{3}{9}$.\n"
            "The product is $\\frac{4}{10} \\cdot \\frac{3}{9} = \\frac{12}{90} = \\frac{2}{15}$.\n"
            + closing(r"\frac{2}{15}"),
        ),
        (
            "The legs of a right triangle are $3\\sqrt{2}$ and $\\sqrt{7}$. How long is the hypotenuse?",
            "5",
            "The squares of the legs are $9 \\cdot 2 = 18$ and $7$.\n"
            f"The square of the hypotenuse is $18 + 7 = 25$, so it is $5$ long.\n{closing('5')}",
        ),
        (
            "What is the domain of $f(x) = \\sqrt{6 - 2x}$? Give your answer in interval notation.",
            r"(-\infty, 3]",
            "The square root needs $6 - 2x \\ge 0$, that is $2x \\le 6$ and so $x \\le 3$.\n"
            "There is no lower bound.\n" + closing(r"(-\infty, 3]"),
        ),
    )


TASK = Math()
