"""The stages of a build that ask a model about traces: after the pool is filled, by the same sampler, journal, engines.

What the stages of `paraphrase` and of `corrupt` have in common. A stage puts its questions in one round or in several,
each of which follows from the replies to those before it; so the same replies always make the same rounds.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from wrongcot_data.filling import Asked, Filling, Prompts, Report, ask, fill, taken
from wrongcot_data.plan import Plan, Writer
from wrongcot_data.pool.budget import Budget, Stopped
from wrongcot_data.pool.journal import Journal, Origin
from wrongcot_data.records import Problem, Trace
from wrongcot_data.spec import BaseName
from wrongcot_data.teachers.availability import require
from wrongcot_data.teachers.prompting import template_name
from wrongcot_data.variants.pooled import Pooled, Rewritten, Source
from wrongcot_data.variants.trace_tasks import N_SHOTS, TraceTask


@dataclass(frozen=True, slots=True)
class Stage:
    """Who is asked what about which traces, and as what its rows name it.

    Attributes:
        config: of the replies.
        of: the variant whose traces it is asked about.
        role: what the manifest calls the model.
        plan: the build's, with that model as the teacher and the questions as the task.
        run: asks, and stores every reply with its verdict.
    """

    config: str
    of: BaseName
    role: Literal["paraphraser", "teacher"]
    plan: Plan
    source: Source
    origin: Origin
    run: Callable[[Stage, Iterable[Pooled], Journal, Budget, Report], Done]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a trace.

    Attributes:
        place: of the trace among those of the stage.
        problem: of the stage's task.
        step: as that of `Rewritten`.
    """

    place: int
    base: Trace
    problem: Problem
    step: int = -1


@dataclass(frozen=True, slots=True)
class Round:
    """Questions in the order of their traces, put and answered.

    Attributes:
        stopped: why some want more replies; None if none does.
        n_charged: as that of `filling.Filled`.
    """

    questions: Sequence[Question]
    asked: Sequence[Asked]
    stopped: Stopped | None
    n_charged: int


@dataclass(frozen=True, slots=True)
class Done:
    """A stage that is done: its rounds, and where the replies are."""

    stage: Stage
    rounds: Sequence[Round]
    journal: Journal

    @property
    def stopped(self) -> Stopped | None:
        """Why something was left that wants more; None if nothing was."""
        return next((one.stopped for one in self.rounds if one.stopped), None)

    @property
    def n_charged(self) -> int:
        """Tokens that the budget was charged for it."""
        return sum(one.n_charged for one in self.rounds)


def origin_of(task: str, source: Source, seed: int) -> Origin:
    """What the journal says of all samples of a source."""
    return Origin(
        task=task,
        teacher=source.teacher,
        revision=source.teacher_revision,
        prompt_template=source.prompt_template,
        sampling=source.sampling,
        seed=seed,
    )


def staged(plan: Plan, writer: Writer, task: TraceTask, wanted: int) -> tuple[Plan, Source, Origin]:
    """The plan of a stage, the source of its rows, and what the journal says of both.

    Args:
        wanted: distinct accepted replies to each question.

    Raises:
        WrongcotError: the model cannot be had here.
    """
    require(writer.teacher, writer.engine_name)
    # the row names how many examples a prompt has
    teacher = replace(writer.teacher, shots=min(writer.teacher.shots, N_SHOTS))
    own = replace(
        plan,
        task=task,
        teacher=teacher,
        engine=writer.engine,
        engine_name=writer.engine_name,
        engine_options=writer.engine_options,
        style=plan.spec.prompt or teacher.style,
        quotas=replace(plan.quotas, wanted={"correct": wanted}),
    )
    source = Source(
        teacher=teacher.name,
        teacher_revision=writer.engine.revision(teacher, writer.engine_options),
        sampling=json.dumps(asdict(plan.sampling), sort_keys=True),
        prompt_template=template_name(task, own.style, teacher.shots),
    )
    return own, source, origin_of(plan.task.name, source, plan.spec.seed)


def put(stage: Stage, questions: Sequence[Question], journal: Journal, budget: Budget, report: Report) -> Round:
    """Ask a round of questions and store every reply with its verdict."""
    prompts = Prompts(stage.plan)
    asked = ask(stage.plan, [one.problem for one in questions], stage.source.teacher_revision, prompts)
    filled = fill(Filling(stage.plan, asked, prompts, journal, stage.origin, report, budget))
    return Round(questions, asked, filled.stopped, filled.n_charged)


def answers(stage: Stage, one: Round, journal: Journal) -> Iterator[tuple[int, Rewritten]]:
    """Exactly the replies of a round that the spec calls for, each question's with the place of its trace."""
    wanted = stage.plan.quotas.wanted["correct"]
    for question, has in zip(one.questions, taken(stage.plan, one.asked, journal), strict=True):
        yield (
            question.place,
            Rewritten(question.base, wanted, has.samples, stage.source, has.end, has.spare, question.step),
        )


def with_replies(pool: Iterable[Pooled], done: Done) -> Iterator[Pooled]:
    """The pool again, each problem with the replies about its traces."""
    rounds = [answers(done.stage, one, done.journal) for one in done.rounds]
    replies = heapq.merge(*rounds, key=lambda pair: pair[0])
    following = next(replies, None)
    for pooled in pool:
        found: list[Rewritten] = []
        while following and following[1].base.problem.id == pooled.problem.id:
            found.append(following[1])
            following = next(replies, None)
        yield replace(pooled, rewritten={**pooled.rewritten, done.stage.config: found})


def facts(stage: Stage, engines: Iterable[str]) -> dict[str, Any]:
    """What the manifest says of a stage."""
    teacher = stage.plan.teacher
    return {
        "of": stage.of,
        stage.role: {
            "name": teacher.name,
            "hub_id": teacher.hub_id,
            "revision": stage.source.teacher_revision,
            "licence": teacher.licence,
        },
        "engines": sorted(engines),
        "prompt_template": stage.source.prompt_template,
        "rules": stage.plan.task.grader_version,
    }
