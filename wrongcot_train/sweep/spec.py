"""What a sweep is of, as data: a YAML file in, a checked matrix out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from wrongcot_data.errors import BadInput, Unavailable, unknown
from wrongcot_data.spec import parse_model, read_config
from wrongcot_train.sweep.names import BASE, check_name, named

OF_THE_MATRIX = {
    "seed": "seeds",
    "student": "students",
    "model_name_or_path": "students",
    "dataset": "data",
    "dataset_name": "data",
    "dataset_config": "data    (DATASET:VARIANT)",
    "variant": "data    (DATASET:VARIANT)",
    "output_dir": "--out",
    "out": "--out",
}
"""Settings that a sweep decides itself, and where they are said instead."""

_HAS_VARIANT = re.compile(r".+:[a-z][\w-]*")


class EvalPlan(BaseModel, extra="forbid", frozen=True):
    """One eval of every student; the names are the flags of `wrongcot-train eval`."""

    task: str
    name: str = Field("", description="of its folder and its rows; none: the task's")
    split: str = "test"
    limit: int = Field(200, ge=1)
    seed: int = Field(0, ge=0, description="which problems, where they are generated; not the seed of training")
    max_tokens: int | None = Field(None, ge=1)
    engine: str = "transformers"
    batch_size: int | None = Field(None, ge=1)
    samples: int | None = Field(None, ge=1, description="none: one, greedy")
    temperature: float | None = Field(None, ge=0)
    top_p: float | None = Field(None, gt=0, le=1)
    prompt: str | None = None
    shots: int | None = Field(None, ge=0)
    source: str | None = None
    trained_on: tuple[str, ...] = Field((), description="data sets in which its items are looked for")
    problems: dict[str, Any] = Field(default_factory=dict, description="the task's own options")
    engine_options: dict[str, Any] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """What it is called in folders and tables."""
        return self.name or self.task


class SweepSpec(BaseModel, extra="forbid", frozen=True):
    """Students by data sets by seeds. Lists may be mappings too: `name: reference`, to say what each is called."""

    students: dict[str, str] = Field(min_length=1, description="registry names, Hub ids or paths")
    data: dict[str, str] = Field(min_length=1, description="references with their variant, DATASET:VARIANT")
    seeds: tuple[int, ...] = Field((42,), min_length=1, description="sft's default; three or more show a spread")
    preset: str | None = Field(None, description="of sft, under the settings")
    sft: dict[str, Any] = Field(
        default_factory=dict, description="settings of all cells, in TRL's words, as `sft --config` reads them"
    )
    eval: tuple[EvalPlan, ...] = Field(min_length=1, description="what every student is asked")
    base: bool = Field(False, description="score each untrained student, too")
    against: str | None = Field(None, description="whom the others are compared with; none: see `docs/sweeps.md`")
    benchmarks: dict[str, str] = Field(
        default_factory=dict, description="ORG/NAME:TASK_ID on the Hub by task, for `.eval_results` of the cards"
    )


def read_sweep(path: Path) -> SweepSpec:
    """The sweep in a YAML file; names are checked as far as this costs nothing.

    Raises:
        BadInput: the file cannot be read, or says something that no sweep takes; unknown names come with the nearest.
    """
    return make_sweep(read_config(path, "wrongcot-train sweep FILE    (YAML; docs/sweeps.md has an example)"))


def make_sweep(fields: Mapping[str, Any]) -> SweepSpec:
    """A sweep from plain values.

    Raises:
        BadInput: as `read_sweep`.
    """
    for name in fields:
        if name not in SweepSpec.model_fields:
            raise unknown("sweep key", name, SweepSpec.model_fields)
    for name in ("students", "data", "eval"):
        if not fields.get(name):
            raise BadInput(f"a sweep needs {name}", try_=["docs/sweeps.md has an example"])
    given = {**fields, "students": named("students", fields["students"]), "data": named("data", fields["data"])}
    given["eval"] = _evals(fields["eval"])
    spec = parse_model(SweepSpec, given)
    _check_data(spec)
    _check_unique(spec)
    _check_against(spec)
    return spec


def _evals(given: Any) -> list[EvalPlan]:
    if isinstance(given, str | Mapping):
        given = [given]
    if not isinstance(given, Sequence):
        raise BadInput("eval must be a list of tasks", try_=["eval: [{task: countdown, limit: 100}]"])
    plans = []
    for number, entry in enumerate(given):
        fields = {"task": entry} if isinstance(entry, str) else entry
        if not isinstance(fields, Mapping) or not fields.get("task"):
            raise BadInput(f"eval.{number} names no task", try_=["eval: [{task: countdown, limit: 100}]"])
        plans.append(parse_model(EvalPlan, fields, where=f"eval.{number}."))
        check_name("eval", plans[-1].label)
    return plans


def _check_data(spec: SweepSpec) -> None:
    if BASE in spec.data:
        raise BadInput(f"{BASE!r} is the untrained student; call the data set something else")
    for text in spec.data.values():
        if not _HAS_VARIANT.fullmatch(text):
            raise BadInput(f"data {text!r} does not say which traces", try_=[f"{text}:wrong"])
    for name in spec.sft:
        if name in OF_THE_MATRIX:
            raise BadInput(f"sft.{name} is decided by the sweep", try_=[OF_THE_MATRIX[name]])


def _check_unique(spec: SweepSpec) -> None:
    if len(set(spec.seeds)) < len(spec.seeds) or min(spec.seeds) < 0:
        raise BadInput(f"seeds must be different numbers from 0 on, not {list(spec.seeds)}")
    labels = [plan.label.casefold() for plan in spec.eval]
    if len(set(labels)) < len(labels):
        twice = next(plan for plan in spec.eval if labels.count(plan.label.casefold()) > 1)
        raise BadInput(f"two evals are called {twice.label}", try_=[f"eval: [{{task: {twice.task}, name: ANOTHER}}]"])


def _check_against(spec: SweepSpec) -> None:
    known = [*spec.data, *([BASE] if spec.base else [])]
    if spec.against is not None and spec.against not in known:
        raise unknown("name in against", spec.against, known)


def check_names(spec: SweepSpec) -> None:
    """Look up every student, task, split, engine and setting before any time is spent. Nothing is loaded or fetched.

    Raises:
        BadInput: one is not known; the message has the nearest that is.
    """
    from wrongcot_data.engines import get_engine
    from wrongcot_data.tasks import get_task
    from wrongcot_data.versions.dataset_ref import parse_ref
    from wrongcot_train.data import variants
    from wrongcot_train.students import get_student

    for text in spec.students.values():
        get_student(text)
    for text in spec.data.values():
        ref = parse_ref(text)
        if ref.folder and not ref.version and ref.config not in (present := variants(ref.folder)):
            raise unknown("variant", ref.config, present)
    _check_settings(spec)
    for plan in spec.eval:
        task = get_task(plan.task)
        if plan.split not in task.splits:
            raise unknown(f"split of {task.name}", plan.split, task.splits)
        parse_model(get_engine(plan.engine).options, plan.engine_options, where=f"{plan.engine}.")
        parse_model(task.options, plan.problems, where="problems.")


def _check_settings(spec: SweepSpec) -> None:
    """As `sft` itself would, where TRL is there to ask; a machine that only prints the commands may lack it."""
    from wrongcot_train.config import Layer, resolve
    from wrongcot_train.presets import get_preset
    from wrongcot_train.words import typed_layer, words

    preset = get_preset(spec.preset).settings if spec.preset else {}
    try:
        named = words()
    except Unavailable:
        return
    layers = [Layer(f"preset {spec.preset}", typed_layer(preset)), Layer("sft", typed_layer(spec.sft))]
    not_of_run = {*named.launch, "env"}
    resolve(
        [
            Layer(layer.origin, {name: value for name, value in layer.values.items() if name not in not_of_run})
            for layer in layers
        ],
        named.trl,
    )
