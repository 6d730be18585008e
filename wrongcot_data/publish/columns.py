"""The columns of published rows: names, Arrow types, and how a record becomes a row. docs/dataset.md has the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa

from wrongcot_data.records import SCHEMA_VERSION, Problem, Sample, Trace, first_invalid_step, sample_id, trace_id
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import question
from wrongcot_data.variants.paraphrase.acceptance import rewriting_overlap
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, PARAPHRASE_SAMPLES, Pooled, Rewritten

_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_STEPS = pa.list_(
    pa.struct(
        [
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("text", pa.string()),
            ("verdict", pa.string()),
            ("kind", pa.string()),
            ("operator", pa.string()),
        ]
    )
)

_TRACE_COLUMNS = [
    ("problem_id", pa.string()),
    ("task", pa.string()),
    ("variant", pa.string()),
    ("author", pa.string()),
    ("level", pa.int32()),
    ("prompt", _MESSAGES),
    ("completion", _MESSAGES),
    ("answer", pa.string()),
    ("reference_answer", pa.string()),
    ("grade", pa.string()),
    ("reason", pa.string()),
    ("sandbox", pa.string()),
    ("steps", _STEPS),
    ("first_invalid_step", pa.int32()),
    ("answer_kept", pa.bool_()),
    ("teacher", pa.string()),
    ("teacher_revision", pa.string()),
    ("engine", pa.string()),
    ("sampling", pa.string()),
    ("seed", pa.int64()),
    ("attempt", pa.int32()),
    ("finish_reason", pa.string()),
    ("n_tokens", pa.int32()),
    ("prompt_template", pa.string()),
    ("grader_version", pa.string()),
    ("schema_version", pa.int32()),
    ("parent_id", pa.string()),
    ("parent_completion", pa.string()),
    ("overlap", pa.float64()),
]

_SAMPLE_COLUMNS = [
    ("sample_id", pa.string()),
    ("problem_id", pa.string()),
    ("task", pa.string()),
    ("attempt", pa.int32()),
    ("completion", pa.string()),
    ("grade", pa.string()),
    ("reason", pa.string()),
    ("answer", pa.string()),
    ("reference_answer", pa.string()),
    ("form", pa.string()),
    ("sandbox", pa.string()),
    ("finish_reason", pa.string()),
    ("error", pa.string()),
    ("n_prompt_tokens", pa.int32()),
    ("n_tokens", pa.int32()),
    ("teacher", pa.string()),
    ("teacher_revision", pa.string()),
    ("engine", pa.string()),
    ("sampling", pa.string()),
    ("seed", pa.int64()),
    ("prompt_template", pa.string()),
    ("grader_version", pa.string()),
    ("schema_version", pa.int32()),
]

_OWN_TYPES = {
    "int32": pa.int32(),
    "string": pa.string(),
    "list<int32>": pa.list_(pa.int32()),
    "list<string>": pa.list_(pa.string()),
}

SAMPLES = "samples"
"""Name of the config that holds the pool itself."""

_PARENT_COLUMNS = [("parent_id", pa.string()), ("parent_completion", pa.string())]

_REPLY_COLUMNS = {
    PARAPHRASE_SAMPLES: [*_SAMPLE_COLUMNS, *_PARENT_COLUMNS, ("overlap", pa.float64())],
    CORRUPT_SAMPLES: [*_SAMPLE_COLUMNS, *_PARENT_COLUMNS, ("step", pa.int32()), ("step_text", pa.string())],
}

COMMON = frozenset(name for columns in (_TRACE_COLUMNS, *_REPLY_COLUMNS.values()) for name, _ in columns)
"""Names of the columns that are the same for every task; any other is the task's own."""


def schema(task: Task, config: str) -> pa.Schema:
    """The Arrow schema of a config: the same for every variant, another for the pool."""
    own = [(name, _OWN_TYPES[kind]) for name, kind in task.columns.items()]
    columns = {SAMPLES: _SAMPLE_COLUMNS, **_REPLY_COLUMNS}
    return pa.schema(columns.get(config, _TRACE_COLUMNS) + own)


def text_of(row: Mapping[str, Any]) -> str:
    """The trace of a published row; empty where somebody made more or fewer than one turn of it."""
    turns = row["completion"]
    return str(turns[0]["content"]) if len(turns) == 1 else ""


def trace_row(task: Task, trace: Trace) -> dict[str, Any]:
    """A trace as a published row."""
    return {
        "problem_id": trace.problem.id,
        "task": trace.problem.task,
        "variant": trace.variant,
        "author": trace.author,
        "level": trace.level,
        "prompt": [{"role": "user", "content": question(task, trace.problem)}],
        "completion": [{"role": "assistant", "content": trace.completion}],
        "answer": trace.verdict.answer,
        "reference_answer": trace.reference_answer,
        "grade": trace.verdict.grade,
        "reason": trace.verdict.reason,
        "sandbox": trace.verdict.sandbox,
        "steps": [asdict(step) for step in trace.steps],
        "first_invalid_step": first_invalid_step(trace.steps),
        "answer_kept": trace.answer_kept,
        "teacher": trace.teacher,
        "teacher_revision": trace.teacher_revision,
        "engine": trace.engine,
        "sampling": trace.sampling,
        "seed": trace.seed,
        "attempt": trace.attempt,
        "finish_reason": trace.finish_reason,
        "n_tokens": trace.n_tokens,
        "prompt_template": trace.prompt_template,
        "grader_version": task.grader_version,
        "schema_version": SCHEMA_VERSION,
        "parent_id": trace.parent_id,
        "parent_completion": trace.parent_completion,
        "overlap": trace.overlap,
        **own_columns(task, trace.problem),
    }


def reply_row(config: str, pooled: Pooled, asked: Rewritten, sample: Sample) -> dict[str, Any]:
    """A reply about a trace as a row of its config: its grade says whether it was accepted as what was asked for."""
    base = asked.base
    own = (
        {"overlap": rewriting_overlap(pooled.task, base.completion, sample.completion)}
        if config == PARAPHRASE_SAMPLES
        else {"step": asked.step, "step_text": base.steps[asked.step].text}
    )
    return {
        **sample_row(replace(pooled, source=asked.source), sample),
        "parent_id": trace_id(base),
        "parent_completion": base.completion,
        **own,
    }


def sample_row(pooled: Pooled, sample: Sample) -> dict[str, Any]:
    """A sample as a row of the pool."""
    return {
        "sample_id": sample_id(sample),
        "problem_id": pooled.problem.id,
        "task": pooled.problem.task,
        "attempt": sample.attempt,
        "completion": sample.completion,
        "grade": sample.verdict.grade,
        "reason": sample.verdict.reason,
        "answer": sample.verdict.answer,
        "reference_answer": pooled.reference.answer,
        "form": sample.verdict.form,
        "sandbox": sample.verdict.sandbox,
        "finish_reason": sample.finish_reason,
        "error": sample.error,
        "n_prompt_tokens": sample.n_prompt_tokens,
        "n_tokens": sample.n_tokens,
        "teacher": pooled.source.teacher,
        "teacher_revision": pooled.source.teacher_revision,
        "engine": sample.engine,
        "sampling": pooled.source.sampling,
        "seed": sample.seed,
        "prompt_template": pooled.source.prompt_template,
        "grader_version": sample.grader_version,
        "schema_version": SCHEMA_VERSION,
        **own_columns(pooled.task, pooled.problem),
    }


def own_columns(task: Task, problem: Problem) -> dict[str, Any]:
    """The task's own columns of a problem."""
    return {name: problem.data[name] for name in task.columns}


def problem_of(task: Task, row: Mapping[str, Any]) -> Problem:
    """The problem of a published row, from the task's own columns, its reference answer and its id."""
    own = {name: row[name] for name in ("problem_id", "reference_answer", *task.columns)}
    return task.read_problem(own)
