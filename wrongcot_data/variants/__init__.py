"""The variants: sets of traces over problems, each a pure view of what is known of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wrongcot_data.records import Grade, Trace
from wrongcot_data.spec import VariantName
from wrongcot_data.variants import reference, right, wrong
from wrongcot_data.variants.pooled import Pooled


@dataclass(frozen=True, slots=True)
class Variant:
    """A named view.

    Attributes:
        wanted: grade of which it needs distinct samples; None if it needs no teacher.
        traces: makes up to that many traces of one problem.
        summary: one line for the card.
    """

    name: VariantName
    wanted: Grade | None
    traces: Callable[[Pooled, int], list[Trace]]
    summary: str

    def asked(self, per_problem: int) -> int:
        """How many traces of a problem a build asks for: a problem has one reference, whatever `per_problem` says."""
        return per_problem if self.wanted else 1


REGISTRY: dict[VariantName, Variant] = {
    "reference": Variant("reference", None, reference.traces, "the trace that came with a problem, graded correct"),
    "right": Variant("right", "correct", right.traces, "finished traces of the teacher that end in a right answer"),
    "wrong": Variant("wrong", "wrong", wrong.traces, "finished traces of the teacher that end in a wrong answer"),
}
