"""The stage of a build that has traces rewritten: after the pool is filled, by the same sampler, journal and engines.

Of `reference`, a problem's one trace is rewritten until there are `per_problem` distinct paraphrases of it. Of `right`
and `wrong`, each of its `per_problem` traces is, once: the paraphrases then stand to those traces one to one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from wrongcot_data.filling import Asked, Filling, Prompts, Report, ask, fill, taken
from wrongcot_data.plan import Plan, Rewriters
from wrongcot_data.pool.budget import Budget, Stopped
from wrongcot_data.pool.journal import Journal, Origin
from wrongcot_data.records import Trace
from wrongcot_data.teachers.prompting import template_name
from wrongcot_data.variants import REGISTRY
from wrongcot_data.variants.paraphrase.rewriting import Rewriting
from wrongcot_data.variants.paraphrase.shots import N_SHOTS
from wrongcot_data.variants.pooled import Pooled, Rewritten, Source


@dataclass(frozen=True, slots=True)
class Stage:
    """Who is asked, and as what its rows name it.

    Attributes:
        plan: the build's, with the paraphraser as the teacher and rewriting as the task.
    """

    plan: Plan
    source: Source


@dataclass(frozen=True, slots=True)
class Rewritings:
    """A stage that is done: its traces, what was asked of each, and where the replies are.

    Attributes:
        stopped: why some traces were left that want more; None if none was.
    """

    stage: Stage
    bases: Sequence[Trace]
    asked: Sequence[Asked]
    journal: Journal
    stopped: Stopped | None


def prepare(plan: Plan, rewriters: Rewriters, revision: str) -> Stage:
    """The stage of a build.

    Args:
        revision: of the paraphraser.
    """
    task = Rewriting(plan.task)
    # the row names how many examples a prompt has
    teacher = replace(rewriters.teacher, shots=min(rewriters.teacher.shots, N_SHOTS))
    per_trace = plan.spec.per_problem if plan.spec.paraphrase.of == "reference" else 1
    own = replace(
        plan,
        task=task,
        teacher=teacher,
        engine=rewriters.engine,
        engine_name=rewriters.engine_name,
        engine_options=rewriters.engine_options,
        style=plan.spec.prompt or teacher.style,
        quotas=replace(plan.quotas, wanted={"correct": per_trace}),
    )
    source = Source(
        teacher=teacher.name,
        teacher_revision=revision,
        sampling=json.dumps(asdict(plan.sampling), sort_keys=True),
        prompt_template=template_name(task, own.style, teacher.shots),
    )
    return Stage(own, source)


def rewrite(stage: Stage, pool: Iterable[Pooled], journal: Journal, budget: Budget, report: Report) -> Rewritings:
    """Have the traces of a filled pool rewritten and store every reply with its judgement.

    Args:
        budget: what filling the pool has left.
    """
    plan = stage.plan
    assert isinstance(plan.task, Rewriting)
    base_of = REGISTRY[plan.spec.paraphrase.of]
    bases: list[Trace] = []
    for pooled in pool:
        bases += base_of.traces(pooled, base_of.asked(plan.spec.per_problem))
    prompts = Prompts(plan)
    asked = ask(plan, [plan.task.of_trace(base) for base in bases], stage.source.teacher_revision, prompts)
    origin = Origin(
        task=bases[0].problem.task if bases else "",
        teacher=stage.source.teacher,
        revision=stage.source.teacher_revision,
        prompt_template=stage.source.prompt_template,
        sampling=stage.source.sampling,
        seed=plan.spec.seed,
    )
    filled = fill(Filling(plan, asked, prompts, journal, origin, report, budget))
    return Rewritings(stage, bases, asked, journal, filled.stopped)


def with_rewritings(pool: Iterable[Pooled], done: Rewritings) -> Iterator[Pooled]:
    """The pool again, each problem with exactly the rewritings that the spec calls for."""
    wanted = done.stage.plan.quotas.wanted["correct"]
    replies = zip(done.bases, taken(done.stage.plan, done.asked, done.journal), strict=True)
    following = next(replies, None)
    for pooled in pool:
        found: list[Rewritten] = []
        while following and following[0].problem.id == pooled.problem.id:
            base, has = following
            found.append(Rewritten(base, wanted, has.samples, done.stage.source, has.end, has.spare))
            following = next(replies, None)
        yield replace(pooled, rewritten=found)


def facts(plan: Plan, stage: Stage, engines: Iterable[str]) -> dict[str, Any]:
    """What the manifest says of the stage."""
    teacher = stage.plan.teacher
    return {
        "of": plan.spec.paraphrase.of,
        "paraphraser": {
            "name": teacher.name,
            "hub_id": teacher.hub_id,
            "revision": stage.source.teacher_revision,
            "licence": teacher.licence,
        },
        "engines": sorted(engines),
        "prompt_template": stage.source.prompt_template,
        "rules": stage.plan.task.grader_version,
    }
