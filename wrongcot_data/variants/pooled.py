"""What the variants are cut from: a problem with its reference and its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from wrongcot_data.pool.sampler import trace_digest
from wrongcot_data.records import Grade, Problem, Reference, Sample, Trace, sample_id
from wrongcot_data.tasks.base import Task


@dataclass(frozen=True, slots=True)
class Source:
    """What all samples of a build have in common; columns of every row made from them."""

    teacher: str
    teacher_revision: str
    sampling: str
    prompt_template: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """One problem, what is right for it, and its graded samples in the order of their attempts."""

    task: Task
    problem: Problem
    reference: Reference
    samples: Sequence[Sample]
    source: Source


def distinct(samples: Sequence[Sample], grade: Grade) -> list[Sample]:
    """The samples of a grade; of traces that differ only in white space, the first."""
    first: dict[bytes, Sample] = {}
    for sample in samples:
        if sample.verdict.grade == grade:
            first.setdefault(trace_digest(sample.completion), sample)
    return list(first.values())


def trace_of(pooled: Pooled, sample: Sample, variant: str) -> Trace:
    """The published row of a sample."""
    text = sample.completion.strip()
    return Trace(
        problem=pooled.problem,
        variant=variant,
        author="model",
        completion=text,
        verdict=sample.verdict,
        reference_answer=pooled.reference.answer,
        steps=tuple(pooled.task.steps(pooled.problem, text)),
        teacher=pooled.source.teacher,
        teacher_revision=pooled.source.teacher_revision,
        engine=sample.engine,
        sampling=pooled.source.sampling,
        prompt_template=pooled.source.prompt_template,
        seed=sample.seed,
        attempt=sample.attempt,
        finish_reason=sample.finish_reason,
        n_tokens=sample.n_tokens,
        parent_id=sample_id(sample),
    )
