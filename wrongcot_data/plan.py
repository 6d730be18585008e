"""A spec with every name in it looked up: what a build will do, before it does anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import EngineKind, Sampling, SpreadingKind
from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.measure.tokens import token_counter
from wrongcot_data.pool.progress import Quotas
from wrongcot_data.records import GRADES, Problem
from wrongcot_data.spec import TEACHER, BuildSpec, parse_model
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.registry import PromptStyle, Teacher, get_teacher
from wrongcot_data.variants import REGISTRY, Variant, variants_of
from wrongcot_data.variants.matching import mixes_of
from wrongcot_data.views import View, chosen_views

DEFAULT_ENGINE = "transformers"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a spec's names stand for; `quotas` wants nothing where no variant needs a teacher.

    Attributes:
        rewriting: who rewrites traces for `paraphrase`; None where nobody does.
        spoiling: who is asked for mistakes for `corrupt`; None where nobody is.
    """

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
    views: Sequence[View]
    quotas: Quotas
    rewriting: Writer | None = None
    spoiling: Writer | None = None


@dataclass(frozen=True, slots=True)
class Writer:
    """A model that is asked about traces, and its engine."""

    teacher: Teacher
    engine: EngineKind
    engine_name: str
    engine_options: BaseModel


SELF = "self:"
"""Before the name of a student, which rewrites what it will be trained on."""


def make_plan(spec: BuildSpec) -> Plan:
    """Look up every name of a spec.

    Raises:
        BadInput: a task, split, teacher, engine or option that there is not, a view or a mix without its variants, or a
            token budget below one reply.
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
        flag = "--engine-option engine=" if isinstance(engine, SpreadingKind) else "--engine "
        served = "    (and no --base-url)" if engine_name == "server" else ""
        raise BadInput(
            f"teacher {teacher.name} runs on the engine {teacher.engine} only, not on {runs}",
            try_=[f"{flag}{teacher.engine}{served}", "--teacher NAME    (another one; see `wrongcot-data teachers`)"],
        )
    spoiling = _spoiler(spec, engine_name, engine_options)
    variants = [variant for name in spec.variants for variant in variants_of(name, spec, task)]
    _check_mixes(spec, [variant.name for variant in variants])
    rewriting = _paraphraser(spec, engine_name, engine_options) if "paraphrase" in spec.variants else None
    wanted = {variant.wanted for variant in variants}
    if rewriting:
        wanted.add(REGISTRY[spec.paraphrase.of].wanted)
    views = chosen_views(spec.views, spec.variants)
    if "source" in spec.problems and "source" not in task.options.model_fields:
        raise BadInput(f"{task.name} makes its own problems; drop --source")
    task_options = parse_model(task.options, spec.problems, "problems.")
    sampling = Sampling(spec.sampling.temperature, spec.sampling.top_p, spec.sampling.max_tokens or task.max_tokens)
    quotas = Quotas(
        {grade: spec.per_problem for grade in GRADES if grade in wanted},
        spec.max_attempts if spec.sampling.temperature else 1,  # a greedy reply is the same again
        spec.give_up_below,
        spec.ask_ahead,
    )
    if quotas.wanted:
        _check_budget(spec, sampling)
    return Plan(
        # the task's defaults, such as the revision of its source, are part of what is built, and so are the views
        spec=spec.model_copy(
            update={
                "problems": task_options.model_dump(mode="json"),
                "views": tuple(view.name for view in views),
            }
        ),
        task=task,
        task_options=task_options,
        teacher=teacher,
        engine=engine,
        engine_name=engine_name,
        engine_options=engine_options,
        style=spec.prompt or teacher.style,
        sampling=sampling,
        variants=variants,
        views=views,
        quotas=quotas,
        rewriting=rewriting,
        spoiling=spoiling,
    )


def _paraphraser(spec: BuildSpec, engine_name: str, engine_options: BaseModel) -> Writer:
    """The paraphraser of a spec.

    Raises:
        BadInput: no such model or engine.
    """
    name = spec.paraphrase.paraphraser or spec.teacher
    teacher = get_teacher(name.removeprefix(SELF))
    if name.startswith(SELF) and teacher.engine:
        raise BadInput(f"{name}: {teacher.name} has no weights to train", try_=[f"--paraphraser {teacher.name}"])
    return _writer(teacher, spec, engine_name, engine_options)


def _spoiler(spec: BuildSpec, engine_name: str, engine_options: BaseModel) -> Writer | None:
    """The model that a spec asks for mistakes; None where it asks none.

    Raises:
        BadInput: no such model or engine, or no name of one.
    """
    if "corrupt" not in spec.variants:
        return None
    if not {TEACHER, TEACHER.rstrip(":")}.isdisjoint(spec.corrupt.operators):
        raise BadInput(
            "which teacher is to be asked for mistakes?",
            try_=[f"--operator {TEACHER}NAME    (see `wrongcot-data teachers`)"],
        )
    name = spec.corrupt.teacher
    return None if name is None else _writer(get_teacher(name), spec, engine_name, engine_options)


def _writer(teacher: Teacher, spec: BuildSpec, engine_name: str, engine_options: BaseModel) -> Writer:
    """A model on the engine that it must have, else on the one that the spec names.

    The engine's options are the build's where it is the same engine.

    Raises:
        BadInput: no such engine.
    """
    named = teacher.engine or spec.engine or DEFAULT_ENGINE
    if named == engine_name:
        return Writer(teacher, get_engine(named), named, engine_options)
    engine = get_engine(named)
    return Writer(teacher, engine, named, parse_model(engine.options, {}, "engine_options."))


def _check_mixes(spec: BuildSpec, built: Sequence[str]) -> None:
    """See, before anything is asked, that parts of mixes are built and that a tokenizer can be had."""
    for part in {part for shares in spec.mixes for part in shares}:
        if part not in built:
            raise unknown("part of a mix", part, built)
    if len(mixes_of(spec)) < len(spec.mixes):
        raise BadInput(
            "two mixes have one name, since their shares round alike", try_=["--mix NAME=SHARE,...    (once)"]
        )
    if spec.tokenizer:
        token_counter(spec.tokenizer)


def _check_budget(spec: BuildSpec, sampling: Sampling) -> None:
    if spec.max_tokens_total is not None and spec.max_tokens_total < sampling.max_tokens:
        raise BadInput(
            f"max_tokens_total {spec.max_tokens_total} is too small for one reply, which may have"
            f" {sampling.max_tokens} tokens",
            try_=[
                f"--max-tokens-total N    (at least {sampling.max_tokens})",
                f"--max-tokens N    (at most {spec.max_tokens_total})",
            ],
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
