"""GSM8K: grade-school word problems, each with a solution by people that ends in a plain number (Cobbe et al. 2021)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, Field

from wrongcot_data.graders.plain_numbers import read_number
from wrongcot_data.tasks import sources
from wrongcot_data.tasks.questions import QuestionTask, closing
from wrongcot_data.tasks.sources import Read, Row, SourceOptions

_CALCULATOR = re.compile(r"<<[^<>\n]*>>")
_ANSWER_MARK = "####"


class Gsm8kOptions(SourceOptions):
    """Where the problems come from."""

    revision: str = Field(
        "740312add88f781978c0658806c59bc2815b9866",
        description="commit of openai/gsm8k; pinned, so builds stay the same",
    )


class Gsm8k(QuestionTask):
    """The task; see `wrongcot_data.tasks.base.Task`."""

    name = "gsm8k"
    title = "GSM8K: word problems of grade-school mathematics, answered by a number"
    licence = "mit"
    columns: Mapping[str, str] = {"question": "string"}
    options: type[BaseModel] = Gsm8kOptions
    max_tokens = 512  # human solutions stay well below it
    data_set = "openai/gsm8k"
    configs = ("main",)
    plain_numbers = True

    def read_row(self, row: Row, split: str) -> Read | None:
        """A row with `question` and `answer`, which ends in a line `#### N`.

        Raises:
            BadInput: a field is missing, or the answer has no such line.
        """
        question, solution = sources.text_field(row, "question"), sources.text_field(row, "answer")
        answer = solution.rpartition(_ANSWER_MARK)[2].strip()
        if _ANSWER_MARK not in solution or read_number(answer) is None:
            raise row.fault("`answer` has no final line `#### N`")
        trace = without_calculator_marks(solution)
        return Read(row.where, self._problem(question, answer, trace, split, {}), row.place)

    def reference_answer(self, row: Row, text: str) -> str:
        """The number, alone or behind `####` at the end of a solution."""
        answer = text.rpartition(_ANSWER_MARK)[2].strip()
        if read_number(answer) is None:
            raise row.fault(f"`reference_answer` must be a number, not {sources.shown(text)}")
        return answer

    worked_examples: Sequence[tuple[str, str, str]] = (
        (
            "A baker makes 12 trays of rolls with 15 rolls on each tray. She sells 140 rolls in the morning and gives"
            " half of what is left to a school. How many rolls does she still have?",
            "20",
            "The baker makes 12 * 15 = 180 rolls.\nAfter the morning 180 - 140 = 40 rolls are left.\n"
            f"She gives away 40 / 2 = 20 rolls, so 40 - 20 = 20 rolls remain.\n{closing('20')}",
        ),
        (
            "Omar rents a bicycle for 3 days at $8 a day and a helmet for $5 in all. He pays with two $20 notes. How"
            " many dollars does he get back?",
            "11",
            "The bicycle costs 3 * 8 = 24 dollars.\nWith the helmet it is 24 + 5 = 29 dollars.\n"
            f"He pays 2 * 20 = 40 dollars, so he gets back 40 - 29 = 11 dollars.\n{closing('11')}",
        ),
        (
            "A tank holds 240 litres and is 35% full. A pump adds 12 litres a minute. How many minutes does it take to"
            " fill the tank?",
            "13",
            "The tank holds 240 * 35 / 100 = 84 litres now.\nThere is room for 240 - 84 = 156 litres.\n"
            f"At 12 litres a minute that takes 156 / 12 = 13 minutes.\n{closing('13')}",
        ),
        (
            "Lena is 4 years older than twice the age of her cousin. Together they are 31 years old. How old is Lena?",
            "22",
            "Let the cousin be c years old. Then Lena is 2c + 4, and together they are 3c + 4 = 31.\n"
            f"So c is (31 - 4) / 3 = 9.\nLena is 2 * 9 + 4 = 22 years old.\n{closing('22')}",
        ),
    )


def without_calculator_marks(text: str) -> str:
    """GSM8K's text without `<<48/2=24>>`, which its authors put in for a calculator and no reader should see."""
    return _CALCULATOR.sub("", text)


TASK = Gsm8k()
