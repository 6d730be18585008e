"""The variants: sets of traces over problems, each a pure view of what is known of a problem."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from wrongcot_data.records import Grade, Trace
from wrongcot_data.spec import VariantName
from wrongcot_data.variants import reference, right, wrong
from wrongcot_data.variants.paraphrase import rows as paraphrase
from wrongcot_data.variants.pooled import Pooled


@dataclass(frozen=True, slots=True)
class Variant:
    """A named view.

    Attributes:
        wanted: grade of which it needs distinct samples of the pool; None if it needs none.
        traces: makes up to that many traces of one problem.
        summary: one line for the card.
    """

    name: VariantName
    wanted: Grade | None
    traces: Callable[[Pooled, int], list[Trace]]
    summary: str

    def asked(self, per_problem: int) -> int:
        """How many traces of a problem a build asks for: a problem has one reference, whatever `per_problem` says."""
        return 1 if self.name == "reference" else per_problem


REGISTRY: dict[VariantName, Variant] = {
    "reference": Variant("reference", None, reference.traces, "the trace that came with a problem, graded correct"),
    "right": Variant("right", "correct", right.traces, "finished traces of the teacher that end in a right answer"),
    "wrong": Variant("wrong", "wrong", wrong.traces, "finished traces of the teacher that end in a wrong answer"),
    "paraphrase": Variant(
        "paraphrase", None, paraphrase.traces, "traces that a model rewrote: other words, same steps"
    ),
}
