"""`reference`: the traces that came with the problems (the paper's H); the column `author` says who wrote them."""

from __future__ import annotations

from wrongcot_data.receipt import LeftOut
from wrongcot_data.records import Trace
from wrongcot_data.variants.pooled import Pooled


def why_none(pooled: Pooled) -> LeftOut:
    """Why a problem has no row here."""
    return "reference trace not correct" if pooled.reference.trace.strip() else "no reference trace"


def traces(pooled: Pooled, count: int) -> list[Trace]:
    """The problem's one reference trace; none where it has none, or one that its own grader does not call correct."""
    text = pooled.reference.trace.strip()
    if not text or count < 1:
        return []
    verdict = pooled.task.grade(pooled.problem, text, "stop")
    if verdict.grade != "correct":
        return []
    return [
        Trace(
            problem=pooled.problem,
            variant="reference",
            author=pooled.task.author,
            completion=text,
            verdict=verdict,
            reference_answer=pooled.reference.answer,
            steps=tuple(pooled.task.steps(pooled.problem, text)),
        )
    ]
