"""A teacher without a model: seeded, with known rates of every kind of reply, and with a real engine's faults.

It makes crash tests, receipts and tutorials run in seconds. Every row it writes says `teacher: scripted`.
"""

from __future__ import annotations

import heapq
import time
from random import Random

from pydantic import BaseModel, Field, model_validator

from wrongcot_data import __version__
from wrongcot_data.engines.base import Completion, Engine, NotHonoured, Opening, Request
from wrongcot_data.records import FinishReason
from wrongcot_data.spec import content_hash
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.teachers.registry import Teacher

RATES = ("right", "wrong", "truncated", "malformed", "failure")

SCRIPT_VERSION = 2
"""Part of the teacher's revision. A change of what a task's imitations write raises it; else a journal would give what
was written before as what is written now.
"""


class ScriptedOptions(BaseModel, extra="forbid"):
    """How often each kind of reply comes, and how slowly."""

    right: float = Field(0.35, ge=0, le=1, description="share of right replies")
    wrong: float = Field(0.45, ge=0, le=1, description="share of finished, wrong replies")
    truncated: float = Field(0.08, ge=0, le=1, description="share of replies that are cut off")
    malformed: float = Field(0.08, ge=0, le=1, description="share of replies without a readable answer")
    failure: float = Field(0.04, ge=0, le=1, description="share of requests that fail")
    latency_ms: float = Field(0.0, ge=0, description="between a request and its reply")
    capacity: int = Field(256, ge=1, description="requests in flight")

    @model_validator(mode="after")
    def _rates_add_up(self) -> ScriptedOptions:
        total = sum(getattr(self, rate) for rate in RATES)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"the rates {', '.join(RATES)} must add up to 1, not {total:g}")
        return self


class _Kind:
    options = ScriptedOptions

    def revision(self, teacher: Teacher, options: BaseModel) -> str:
        rates = options.model_dump(include=set(RATES))
        return f"rates:{content_hash({**rates, 'script': SCRIPT_VERSION})[:12]}"

    def open(self, opening: Opening) -> Engine:
        return ScriptedEngine(opening)


KIND = _Kind()


class ScriptedEngine:
    """Replies by the task's own imitations; the kind and the text follow from the request's seed alone."""

    not_honoured: tuple[NotHonoured, ...] = ()
    name = f"scripted {__version__}"

    def __init__(self, opening: Opening) -> None:
        assert isinstance(opening.options, ScriptedOptions)
        self._options = opening.options
        self._task = opening.task
        self._problems = opening.problems
        self._due: list[tuple[float, int, Request]] = []
        self._count = 0
        self.capacity = opening.options.capacity

    def submit(self, request: Request) -> None:
        self._count += 1
        heapq.heappush(self._due, (time.monotonic() + self._options.latency_ms / 1000, self._count, request))

    def wait(self) -> list[Completion]:
        time.sleep(max(0.0, self._due[0][0] - time.monotonic()))
        now = time.monotonic()
        finished: list[Completion] = []
        while self._due and self._due[0][0] <= now:
            finished.append(self._reply(heapq.heappop(self._due)[2]))
        return finished

    def withdraw(self) -> list[str]:
        return []  # a reply is on its way from the moment it is asked for

    def close(self) -> None:
        self._due.clear()

    def _reply(self, request: Request) -> Completion:
        rng = Random(request.seed)
        (kind,) = rng.choices(RATES, weights=[getattr(self._options, rate) for rate in RATES])
        n_prompt = len(request.prompt.text.split()) + sum(len(turn.content.split()) for turn in request.prompt.messages)
        if kind == "failure":
            return Completion(request.key, "", "error", n_prompt, 0, "scripted failure")
        imitation: Imitation = kind  # type: ignore[assignment]
        text = self._task.imitate(self._problems[request.problem_id], imitation, rng)
        finish: FinishReason = "length" if kind == "truncated" else "stop"
        return Completion(request.key, text, finish, n_prompt, len(text.split()))
