"""MBPP: short Python programs from a sentence, judged by their assertions (Austin et al. 2021); full and sanitized.

A trace is a program alone (`code`, as in the released evaluator of "Shape of Thought") or an explanation and then the
program (`reasoned`). The first assertion is shown to the model, which needs it to know the name of the function; the
others are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from wrongcot_data.errors import unknown
from wrongcot_data.graders import code
from wrongcot_data.graders.sandbox import sandbox
from wrongcot_data.records import FinishReason, Problem, Reference, Step, Verdict
from wrongcot_data.spec import content_hash
from wrongcot_data.steps.programs import reply_steps
from wrongcot_data.tasks import sources
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.tasks.mbpp_shots import SHOTS
from wrongcot_data.tasks.sources import Read, Row, SourceOptions

TraceStyle = Literal["code", "reasoned"]

SPLITS: Mapping[str, range] = {
    "train": range(601, 975),
    "validation": range(511, 601),
    "test": range(11, 511),
    "prompt": range(1, 11),
}
"""The official splits by task id."""


class MbppOptions(SourceOptions):
    """Where the problems come from, and how they are to be answered."""

    HUB_ONLY: ClassVar[tuple[str, ...]] = ("revision", "edition")

    revision: str = Field(
        "4bb6404fdc6cacfda99d4ac4205087b89d32030c",
        description="commit of google-research-datasets/mbpp; pinned, so builds stay the same",
    )
    edition: Literal["full", "sanitized", ""] = Field(
        "full", description="the paper's; sanitized is the 427 checked by hand; empty for a file, which is what it is"
    )
    trace_style: TraceStyle = Field("code", description="as in the paper's release; or reasoned: words, then program")


class Mbpp:
    """The task; see `wrongcot_data.tasks.base.Task` for what each member promises."""

    name = "mbpp"
    title = "MBPP: short Python programs from a sentence, judged by their assertions"
    author: Literal["human", "solver"] = "human"
    licence = "cc-by-4.0"
    grader_version = code.GRADER_VERSION
    grader_waits = True
    columns: Mapping[str, str] = {
        "question": "string",
        "tests": "list<string>",
        "test_setup_code": "string",
        "trace_style": "string",
    }
    splits: Sequence[str] = tuple(SPLITS)
    stop: Sequence[str] = ()
    max_tokens = 512
    prompt_version = 1
    templates: Path | None = None
    scorers: Mapping[str, Callable[[Problem, str], float]] = {}
    options: type[BaseModel] = MbppOptions
    data_set = "google-research-datasets/mbpp"

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """The problems of an official split, in an order that the seed decides.

        Raises:
            BadInput: no such split, or a row of the source that cannot be read.
            Unavailable: the data set cannot be had from the Hub.
        """
        if split not in self.splits:
            raise unknown("split", split, self.splits)
        assert isinstance(options, MbppOptions)
        if options.source is None:
            rows = sources.hub_rows(self.data_set, [options.edition], split, options.revision)
        else:
            rows = sources.file_rows(Path(options.source))
        read = (_read_row(row, options.trace_style, options.edition) for row in rows)
        return iter(sources.distinct(read, options.source or self.data_set, split, seed))

    def origin(self, options: BaseModel) -> str:
        """The data set, its edition and revision, or the file and its checksum."""
        assert isinstance(options, MbppOptions)
        return sources.origin(options, f"{self.data_set} ({options.edition})")

    def check_grader(self) -> None:
        """See that there is a sandbox that holds.

        Raises:
            Unavailable: there is none; the message says why, layer by layer.
        """
        sandbox()

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row with `question`, `test_list` (or `tests`) and perhaps `test_setup_code`.

        Raises:
            BadInput: a field is missing or of a wrong type, or `problem_id` is there and names another problem.
        """
        one = Row("", row)
        if row.get("question") is None and row.get("problem_id") is not None:
            raise one.fault("no `question`: a problem of this task cannot be found by its problem_id alone")
        question = sources.text_field(one, "question")
        style = row.get("trace_style") or "code"
        if style not in ("code", "reasoned"):
            raise unknown("trace_style", str(style), ["code", "reasoned"])
        program = row.get("reference_answer") or ""
        if not isinstance(program, str):
            raise one.fault(f"`reference_answer` must be text, not {sources.shown(program)}")
        problem = _problem(question, _tests(one, "test_list", "tests"), _setup(one), program, style, "")
        if row.get("problem_id") not in (None, problem.id):
            raise one.fault(
                f"problem_id: {sources.shown(row['problem_id'])} is not the problem of `question` and its tests,"
                f" {problem.id}"
            )
        return problem

    def reference(self, problem: Problem) -> Reference:
        """The program that people wrote; in a fenced block where explanations are wanted."""
        program = problem.data["program"]
        fenced = problem.data["trace_style"] == "reasoned" and program
        return Reference(program, _fenced(program) if fenced else program)

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Four worked examples of our own, answered in the style that is asked of the problem."""
        style = problem.data["trace_style"]
        traces = (shot.program if style == "code" else f"{shot.idea}\n\n{_fenced(shot.program)}" for shot in SHOTS)
        problems = (_problem(shot.question, shot.tests, "", shot.program, style, "") for shot in SHOTS)
        return list(zip(problems, traces, strict=True))

    def difficulty(self, problem: Problem) -> str:
        """All alike: nothing in a problem tells."""
        return "all"

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Run the program in the sandbox and judge its values outside; see `code` for the reasons."""
        return code.grade(problem.data["tests"], problem.data["test_setup_code"], completion, finish_reason)

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """Prose as lines with their equations checked, then the program's statements."""
        program = code.program_of(problem.data["tests"], problem.data["test_setup_code"], completion)
        return reply_steps(completion, (program.start, program.end) if program else None)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind, from the human program."""
        program = problem.data["program"] or "def nothing():\n    pass"
        if kind == "truncated":
            return program[: max(1, int(len(program) * rng.uniform(0.3, 0.9)))]
        if kind == "malformed":
            return "I would rather not write this program."
        if kind == "wrong":
            names = sorted(set(_DEFINED.findall(program)))
            spoilt = [f"def {name}(*given, **named):\n    return 'attempt {rng.randrange(10**6)}'" for name in names]
            program = "\n\n".join([program, *spoilt])
        if problem.data["trace_style"] == "reasoned":
            return f"The function follows the task word by word.\n\n{_fenced(program)}"
        return program


_DEFINED = re.compile(r"^def (\w+)", re.MULTILINE)


def _fenced(program: str) -> str:
    return f"```python\n{program}\n```"


def _read_row(row: Row, style: TraceStyle, edition: str) -> Read:
    """A row of the full or the sanitized edition, which name the field of the task `text` and `prompt`.

    Args:
        edition: what it must be of; empty for either.
    """
    told = {"full": "text", "sanitized": "prompt"}.get(edition)
    if told and row.fields.get(told) is None and not {"text", "prompt"}.isdisjoint(row.fields):
        raise row.fault(f"no `{told}`, so it is not of the edition {edition}")
    number = row.fields.get("task_id")
    if type(number) is not int:
        raise row.fault(f"`task_id` must be an integer, not {sources.shown(number)}")
    split = next((name for name, numbers in SPLITS.items() if number in numbers), None)
    if split is None:
        raise row.fault(f"`task_id` {number} is of no official split (1 to 974)")
    question, program = sources.text_field(row, "text", "prompt"), sources.text_field(row, "code")
    problem = _problem(question, _tests(row, "test_list"), _setup(row), program, style, split)
    return Read(row.where, problem, f"{number}")


def _problem(question: str, tests: Sequence[str], setup: str, program: str, style: str, split: str) -> Problem:
    name = f"mbpp-{content_hash([question, list(tests), setup])[:16]}"
    data = {
        "question": question,
        "tests": list(tests),
        "test_setup_code": setup,
        "trace_style": style,
        "program": program,
    }
    return Problem(name, "mbpp", split, data)


def _tests(row: Row, *names: str) -> list[str]:
    name = next((name for name in names if row.fields.get(name) is not None), None)
    if name is None:
        raise row.fault(f"no `{names[0]}`")
    tests = row.fields[name]
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) and test.strip() for test in tests):
        raise row.fault(f"`{name}` must be a list of assertions, not {sources.shown(tests)}")
    return [sources.clean(test) for test in tests]


def _setup(row: Row) -> str:
    """Setup code of the full edition, or the imports of the sanitized one."""
    setup, imports = row.fields.get("test_setup_code") or "", row.fields.get("test_imports") or []
    if not isinstance(setup, str):
        raise row.fault(f"`test_setup_code` must be text, not {sources.shown(setup)}")
    if not isinstance(imports, list) or not all(isinstance(line, str) for line in imports):
        raise row.fault(f"`test_imports` must be a list of lines, not {sources.shown(imports)}")
    return "\n".join(part for part in (*map(sources.clean, imports), sources.clean(setup)) if part)


TASK = Mbpp()
