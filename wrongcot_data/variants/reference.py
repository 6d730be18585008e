"""`reference`: the traces that came with the problems (the paper's H); the column `author` says who wrote them."""

from __future__ import annotations

from wrongcot_data.records import Trace
from wrongcot_data.variants.pooled import Pooled


def traces(pooled: Pooled, count: int) -> list[Trace]:
    """The problem's one reference trace; none where it has none."""
    text = pooled.reference.trace.strip()
    if not text or count < 1:
        return []
    return [
        Trace(
            problem=pooled.problem,
            variant="reference",
            author=pooled.task.author,
            completion=text,
            verdict=pooled.task.grade(pooled.problem, text, "stop"),
            reference_answer=pooled.reference.answer,
            steps=tuple(pooled.task.steps(pooled.problem, text)),
        )
    ]
