"""`right`: the teacher's traces that end in a right answer (the paper's G).

A right answer is no proof of right steps.
"""

from __future__ import annotations

from wrongcot_data.pool.distinct import distinct
from wrongcot_data.records import Trace
from wrongcot_data.variants.pooled import Pooled, trace_of


def traces(pooled: Pooled, count: int) -> list[Trace]:
    """The first `count` distinct right samples, by attempt."""
    return [trace_of(pooled, sample, "right") for sample in distinct(pooled.samples, "correct")[:count]]
