"""`wrong`: the teacher's traces that are finished, answered, and wrong by every grader (the paper's W).

A cut-off or unreadable reply is not wrong: it stays in the pool under its own grade.
"""

from __future__ import annotations

from wrongcot_data.pool.distinct import distinct
from wrongcot_data.records import Trace
from wrongcot_data.variants.pooled import Pooled, trace_of


def traces(pooled: Pooled, count: int) -> list[Trace]:
    """The first `count` distinct wrong samples, by attempt."""
    return [trace_of(pooled, sample, "wrong") for sample in distinct(pooled.samples, "wrong")[:count]]
