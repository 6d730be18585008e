"""What the variants are cut from: a problem with its reference and its samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wrongcot_data.pool.progress import End
from wrongcot_data.records import Problem, Reference, Sample, Trace, sample_id
from wrongcot_data.tasks.base import Task

PARAPHRASE_SAMPLES = "paraphrase_samples"
"""Name of the config that holds every rewriting, accepted or refused."""

CORRUPT_SAMPLES = "corrupt_samples"
"""Name of the config that holds every step that a model wrote again with a mistake, accepted or refused."""

REPLIES = (PARAPHRASE_SAMPLES, CORRUPT_SAMPLES)
"""The configs of what models were asked about traces."""


@dataclass(frozen=True, slots=True)
class Source:
    """What all samples of a build have in common; columns of every row made from them."""

    teacher: str
    teacher_revision: str
    sampling: str
    prompt_template: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A trace of a problem, or one step of it, that a model was to write again, with its replies by attempt.

    Attributes:
        wanted: how many distinct replies are to be accepted.
        samples: `correct` are those that were accepted.
        end, spare: as those of `Pooled`.
        step: number of the step; -1 where it is the whole trace.
    """

    base: Trace
    wanted: int
    samples: Sequence[Sample]
    source: Source
    end: End | None = None
    spare: Sequence[Sample] = ()
    step: int = -1


@dataclass(frozen=True, slots=True)
class Pooled:
    """One problem, what is right for it, and its graded samples in the order of their attempts.

    Attributes:
        end: why no more were asked for; None if more are wanted.
        spare: samples of it that the journal has and the build does not call for.
        rewritten: what models were asked about its traces, by the config of the replies (of `REPLIES`).
    """

    task: Task
    problem: Problem
    reference: Reference
    samples: Sequence[Sample]
    source: Source
    end: End | None = None
    spare: Sequence[Sample] = ()
    rewritten: Mapping[str, Sequence[Rewritten]] = field(default_factory=dict)


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
