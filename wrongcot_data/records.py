"""The nouns: problem, verdict, sample, step, trace. Plain data; the rules are functions elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Grade = Literal["correct", "wrong", "no_answer", "truncated", "disputed", "error"]
GRADES: tuple[Grade, ...] = ("correct", "wrong", "no_answer", "truncated", "disputed", "error")

FinishReason = Literal["stop", "length", "error", "unknown"]

StepVerdict = Literal["valid", "invalid", "unchecked"]

SCHEMA_VERSION = 1
"""Of the published columns; a change of a name, a type or a meaning raises it."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One question of a task.

    Attributes:
        id: content id: the same problem has the same id in every variant and version.
        task: name of the task.
        split: `train`, `validation`, `test` or a split of the task's own.
        data: the task's own columns, plain values only (Countdown: `nums`, `target`).
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
            by `+`); empty for the plain form.
    """

    grade: Grade
    reason: str
    answer: str = ""
    form: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a trace: `text == trace[start:end]`, and what a checker says of it.

    Attributes:
        kind: for an invalid step what is wrong with it (`false equation`); empty otherwise.
    """

    start: int
    end: int
    text: str
    verdict: StepVerdict
    kind: str = ""


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
        stop: strings that end the reply; the one that ended it is kept in the text.
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
