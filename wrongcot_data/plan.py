"""A spec with every name in it looked up: what a build will do, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import EngineKind, Sampling, SpreadingKind
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.pool.progress import Quotas
from wrongcot_data.records import Problem
from wrongcot_data.spec import BuildSpec, parse_model
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import PromptStyle, Teacher, get_teacher
from wrongcot_data.variants import Variant, variants_of

DEFAULT_ENGINE = "transformers"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a spec's names stand for; `quotas` wants nothing where no variant needs a teacher."""

    spec: BuildSpec
    task: Task
    task_options: BaseModel
    teacher: Teacher
    engine: EngineKind
    engine_name: str
    engine_options: BaseModel
    style: PromptStyle
    sampling: Sampling
    variants: Sequence[Variant]
    quotas: Quotas


def make_plan(spec: BuildSpec) -> Plan:
    """Look up every name of a spec.

    Raises:
        BadInput: a task, split, teacher, engine or option that there is not.
    """
    task = get_task(spec.task)
    if spec.split not in task.splits:
        raise unknown("split", spec.split, task.splits)
    teacher = get_teacher(spec.teacher)
    engine_name = spec.engine or teacher.engine or DEFAULT_ENGINE
    engine = get_engine(engine_name)
    engine_options = parse_model(engine.options, spec.engine_options, "engine_options.")
    runs = engine.runs(engine_options) if isinstance(engine, SpreadingKind) else engine_name
    if teacher.engine and runs != teacher.engine:
        raise BadInput(f"teacher {teacher.name} runs on the engine {teacher.engine} only, not on {runs}")
    variants = [variant for name in spec.variants for variant in variants_of(name, spec, task)]
    task_options = parse_model(task.options, spec.problems, "problems.")
    return Plan(
        # the task's defaults, such as the revision of its source, are part of what is built
        spec=spec.model_copy(update={"problems": task_options.model_dump(mode="json")}),
        task=task,
        task_options=task_options,
        teacher=teacher,
        engine=engine,
        engine_name=engine_name,
        engine_options=engine_options,
        style=spec.prompt or teacher.style,
        sampling=Sampling(spec.sampling.temperature, spec.sampling.top_p, spec.sampling.max_tokens or task.max_tokens),
        variants=variants,
        quotas=Quotas(
            {v.wanted: spec.per_problem for v in variants if v.wanted},
            spec.max_attempts,
            spec.give_up_below,
            spec.ask_ahead,
        ),
    )


def problems_of(plan: Plan) -> list[Problem]:
    """The problems of a build, `limit` of them or as many as there are.

    Raises:
        BadInput: there are none.
    """
    problems = list(islice(plan.task.problems(plan.task_options, plan.spec.split, plan.spec.seed), plan.spec.limit))
    if not problems:
        raise BadInput(f"task {plan.task.name} has no problems in the split {plan.spec.split}")
    return problems
