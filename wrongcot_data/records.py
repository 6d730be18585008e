"""The nouns: problem, verdict, sample, step, trace. Plain data; the rules are functions elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Grade = Literal["correct", "wrong", "no_answer", "truncated", "disputed", "error"]
GRADES: tuple[Grade, ...] = ("correct", "wrong", "no_answer", "truncated", "disputed", "error")

FinishReason = Literal["stop", "length", "error", "unknown"]

StepVerdict = Literal["valid", "invalid", "unchecked"]

SCHEMA_VERSION = 3
"""Of the published columns; a change of a name, a type or a meaning raises it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One question of a task.

    Attributes:
        id: content id: the same problem has the same id in every variant and version.
        task: name of the task.
        split: `train`, `validation`, `test` or a split of the task's own.
        data: the task's own columns, plain values only (Countdown: `nums`, `target`), and whatever else the task needs.
    """

    id: str
    task: str
    split: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reference:
    """What is right for a problem: its answer, and a trace that leads there (empty where there is none)."""

    answer: str
    trace: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a grader says of a completion.

    Attributes:
        grade: one of `GRADES`.
        reason: why, in plain words from the task's own closed list; never empty.
        answer: the answer that was read, as written but stripped; empty where there is none.
        form: how the answer was written where that is not the plain form (`equation`, `unicode`, `latex`, joined
            by `+`; `brackets` for square ones, `x` for the letter as times); empty for the plain form.
        sandbox: how code of the completion was confined when it was run (`bubblewrap`, `landlock`, or `none` where the
            user accepted that); empty where nothing was run.
    """

    grade: Grade
    reason: str
    answer: str = ""
    form: str = ""
    sandbox: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a trace: `text == trace[start:end]`, and what a checker says of it.

    Attributes:
        kind: for an invalid step what is wrong with it (`false equation`); empty otherwise.
        operator: the corruption that made the step wrong on purpose; empty where none did.
    """

    start: int
    end: int
    text: str
    verdict: StepVerdict
    kind: str = ""
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One chat turn."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """How a model is asked: chat turns, or plain text to continue; exactly one of the two is filled.

    Attributes:
        template: name and version of the template, such as `countdown/plain-few@1`.
        stop: strings that end the reply; the engine keeps the one that ended it in the text.
    """

    template: str
    messages: tuple[Message, ...] = ()
    text: str = ""
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """One attempt of a teacher at a problem, with its grade.

    Attributes:
        request_id: content hash of everything that decides the reply but the attempt (see `pool/journal.py`).
        attempt: 0, 1, 2, ... within the request id.
        error: why there is no reply, where `finish_reason` is `error`.
        seed: seed of this attempt; whether the engine honours it is in `engine`.
        engine: name and version of what ran the teacher.
    """

    request_id: str
    attempt: int
    problem_id: str
    completion: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_tokens: int
    seed: int
    engine: str
    error: str
    verdict: Verdict
    grader_version: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One published row of a variant, without the task's own columns, which are its problem's.

    Attributes:
        author: `human`, `solver` or `model`.
        level: percent of checkable steps made wrong; 0 outside `corrupt`.
        completion: the trace's text, stripped; step offsets count in it.
        teacher: empty where no model wrote it, as are `teacher_revision`, `engine`, `sampling`, `prompt_template`.
        attempt: of the sample it was made from; -1 where there is none.
        n_tokens: tokens the teacher wrote; 0 where none did.
        parent_id: sample or trace it was made from; empty where there is none.
        answer_kept: whether its answer is still that of the trace it was made from; true where it is no corruption.
        parent_completion: text of the trace that a paraphrase was made from; empty outside `paraphrase`.
        overlap: ROUGE-L F1 of a paraphrase with that trace; 0.0 outside `paraphrase`.
    """

    problem: Problem
    variant: str
    author: Literal["human", "solver", "model"]
    completion: str
    verdict: Verdict
    reference_answer: str
    steps: tuple[Step, ...]
    level: int = 0
    teacher: str = ""
    teacher_revision: str = ""
    engine: str = ""
    sampling: str = ""
    prompt_template: str = ""
    seed: int = 0
    attempt: int = -1
    finish_reason: FinishReason = "stop"
    n_tokens: int = 0
    parent_id: str = ""
    answer_kept: bool = True
    parent_completion: str = ""
    overlap: float = 0.0


def first_invalid_step(steps: tuple[Step, ...]) -> int:
    """Number of the first invalid step, from 0; -1 if none is."""
    return next((number for number, step in enumerate(steps) if step.verdict == "invalid"), -1)


def sample_id(sample: Sample) -> str:
    """The name by which a trace points to the sample it was made from."""
    return f"{sample.request_id}-{sample.attempt}"


def trace_id(trace: Trace) -> str:
    """The name by which a trace points to the one it was made from: its sample's, or its problem's and variant's."""
    return trace.parent_id or f"{trace.problem.id}:{trace.variant}"
