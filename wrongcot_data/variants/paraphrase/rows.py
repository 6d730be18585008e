"""`paraphrase`: traces in a model's own words, cut from the accepted rewritings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from wrongcot_data.pool.budget import Stopped
from wrongcot_data.pool.distinct import distinct
from wrongcot_data.receipt import LeftOut, refusal_of
from wrongcot_data.records import Sample, Trace, trace_id
from wrongcot_data.variants.paraphrase.acceptance import Base, judge
from wrongcot_data.variants.pooled import Pooled, Rewritten, trace_of


def traces(pooled: Pooled, count: int) -> list[Trace]:
    """The first distinct accepted rewritings of each trace, by attempt, at most `count` in all."""
    return [
        _trace(pooled, rewritten, sample)
        for rewritten in pooled.rewritten
        for sample in distinct(rewritten.samples, "correct")[: rewritten.wanted]
    ][:count]


def lost(pooled: Pooled, asked: int, stopped: Stopped | None) -> Counter[LeftOut]:
    """Why a problem has fewer paraphrases than were asked for, a reason for each that is missing."""
    reasons: Counter[LeftOut] = Counter()
    for rewritten in pooled.rewritten:
        short = rewritten.wanted - len(distinct(rewritten.samples, "correct")[: rewritten.wanted])
        if short:
            reasons[why_short(rewritten, stopped)] += short
    without = asked - sum(rewritten.wanted for rewritten in pooled.rewritten)
    if without:
        reasons["no trace to paraphrase"] += without
    return reasons


def why_short(rewritten: Rewritten, stopped: Stopped | None) -> LeftOut:
    """Why a trace has fewer paraphrases than were wanted.

    Where some were accepted, the others were duplicates. Where none was, the commonest refusal of its rewritings; of
    equally common ones the one that came last. Where none was asked for, it was hopeless.
    """
    if rewritten.end is None:
        return stopped or "stopped early"
    if any(sample.verdict.grade == "correct" for sample in rewritten.samples):
        return "only duplicates left"
    return _commonest(rewritten.samples) if rewritten.samples else "hopeless"


def _commonest(samples: Sequence[Sample]) -> LeftOut:
    refusals = [refusal_of(sample.verdict.grade, sample.verdict.reason) for sample in samples]
    last = {refusal: number for number, refusal in enumerate(refusals)}
    counts = Counter(refusals)
    return max(counts, key=lambda refusal: (counts[refusal], last[refusal]))


def _trace(pooled: Pooled, rewritten: Rewritten, sample: Sample) -> Trace:
    """The published row of an accepted rewriting, graded as a trace of its problem."""
    base = rewritten.base
    found = judge(
        pooled.task, pooled.problem, Base(base.completion, base.verdict), sample.completion, sample.finish_reason
    )
    return replace(
        trace_of(replace(pooled, source=rewritten.source), sample, "paraphrase"),
        verdict=found.verdict,
        parent_id=trace_id(base),
        parent_completion=base.completion,
        overlap=found.overlap,
    )
