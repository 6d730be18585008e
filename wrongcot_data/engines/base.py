"""The contract of an engine: what runs a teacher.

Requests go in one by one, completions come out as they finish, in any order. An engine keeps nothing and decides
nothing: who is asked next is the sampler's business, what is stored the journal's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from wrongcot_data.records import FinishReason, Problem, Prompt
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn. `temperature` 0 is greedy; `max_tokens` counts the reply's tokens only."""

    temperature: float
    top_p: float
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Request:
    """One reply that is wanted.

    Attributes:
        key: the caller's name for it, handed back with the completion.
        problem_id: for the scripted engine, which writes replies without a model.
        seed: 63-bit seed of this reply; engines that cannot honour it say so by `honours_seed`.
    """

    key: str
    problem_id: str
    prompt: Prompt
    seed: int


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply, or why there is none (`finish_reason` is `error` and `error` says why)."""

    key: str
    text: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_tokens: int
    error: str = ""


class Engine(Protocol):
    """What a build asks of an engine.

    Attributes:
        name: name and version for the row, such as `transformers 5.19.0 float32 cpu`.
        capacity: how many requests it likes to hold at once; more is an error of the caller.
        honours_seed: whether the same request gives the same reply again.
    """

    name: str
    capacity: int
    honours_seed: bool

    def submit(self, request: Request) -> None:
        """Take a request. Returns at once."""
        ...

    def wait(self) -> list[Completion]:
        """The completions that have finished since the last call; blocks until there is one.

        A request that fails for a reason of its own comes back as an `error` completion; anything else is raised.
        """
        ...

    def close(self) -> None:
        """Let go of the model, threads and connections. Safe to call twice."""
        ...


class EngineKind(Protocol):
    """One entry of the group `wrongcot.engines`: how an engine is set up and opened.

    Attributes:
        options: what can be set on it (`--engine-option`, `engine_options` in YAML). None of it may change what a
            reply is, other than through `revision`: options stand outside a build's identity.
    """

    options: type[BaseModel]

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        """The exact version of the teacher that `open` will run; fetches weights where needed, loads nothing."""
        ...

    def open(self, opening: Opening) -> Engine:
        """Load the teacher and get ready.

        Raises:
            Unavailable: this machine cannot run it; the message says what it needs and what to use instead.
        """
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What an engine is opened with. `task` and `problems` (by id) are for the scripted engine only."""

    teacher: Teacher
    options: BaseModel
    sampling: Sampling
    task: Task
    problems: Mapping[str, Problem]
