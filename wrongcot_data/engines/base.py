"""The contract of an engine: what runs a teacher.

A stream of requests goes in, a stream of completions comes out as they finish, in any order: there are no batches and
no rounds. An engine keeps nothing and decides nothing: who is asked next is the sampler's business, what is stored the
journal's.

Three kinds of trouble, and what becomes of each:

* One request cannot be served (too long, refused, garbage for a reply, after every retry): an `error` completion.
* A request got lost through no fault of its own (an actor died, one server of several went away): the engine asks it
  again itself.
* Nothing can be served any more (the only server is gone, the GPU fell off): it raises `Unavailable`. What was stored
  stays, and the same command goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from wrongcot_data.records import FinishReason, Problem, Prompt
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import Teacher

NotHonoured = Literal["seed", "stop"]
"""What an engine may be unable to do: draw by a request's own seed, end a reply at its stop strings by itself (the
engine then cuts it there afterwards, so the text is the same and only tokens are lost)."""


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
        seed: 63-bit seed of this reply; engines that cannot honour it say so by `not_honoured`.
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
        capacity: how many requests it likes to hold at once; it may rise and fall while the engine runs. More is
            allowed and waits within the engine.
        not_honoured: what of a request it cannot do, such as `seed`: the same request need not give the same reply
            again.
    """

    name: str
    not_honoured: tuple[NotHonoured, ...]

    @property
    def capacity(self) -> int: ...

    def submit(self, request: Request) -> None:
        """Take a request. Returns at once.

        Raises:
            BadInput: no request of this kind can ever be served, such as chat turns for a model without a template.
        """
        ...

    def wait(self) -> list[Completion]:
        """The completions that have finished since the last call; blocks until there is one.

        A request that fails for a reason of its own comes back as an `error` completion; anything else is raised.

        Raises:
            Unavailable: nothing more can be served; the message says why and how to go on.
        """
        ...

    def withdraw(self) -> list[str]:
        """Take back what was never begun: the keys of requests that still wait, which the engine forgets.

        None of them comes back by `wait`. An engine that begins everything at once, or cannot tell, gives none.
        """
        ...

    def close(self) -> None:
        """Let go of the model, threads, processes and connections, at once. Safe to call twice."""
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


@runtime_checkable
class SpreadingKind(Protocol):
    """What an engine kind has besides where it runs another engine."""

    def runs(self, options: BaseModel) -> str:
        """The name of the engine that runs the teacher in the end."""
        ...


@dataclass(frozen=True, slots=True)
class Opening:
    """What an engine is opened with. `task` and `problems` (by id) are for the scripted engine only."""

    teacher: Teacher
    options: BaseModel
    sampling: Sampling
    task: Task
    problems: Mapping[str, Problem]


def engine_column(engine: Engine) -> str:
    """What a row says of the engine that ran its teacher: name, version, and what it could not honour."""
    ignored = " and ".join(engine.not_honoured)
    return f"{engine.name}, {ignored} not honoured" if ignored else engine.name
