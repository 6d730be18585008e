"""The variants: sets of traces over problems, each a pure view of what is known of a problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from wrongcot_data.pool.budget import Stopped
from wrongcot_data.receipt import LeftOut
from wrongcot_data.records import Grade, Trace
from wrongcot_data.spec import BuildSpec, VariantName
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants import reference, right, wrong
from wrongcot_data.variants.corrupt.rows import CONFIGS as CORRUPT_CONFIGS
from wrongcot_data.variants.corrupt.rows import Corruption, config_of, summary_of
from wrongcot_data.variants.paraphrase import rows as paraphrase
from wrongcot_data.variants.pooled import Pooled


def none_lost(pooled: Pooled, count: int, stopped: Stopped | None) -> Counter[LeftOut]:
    """Every trace that there is becomes a row."""
    return Counter()


@dataclass(frozen=True, slots=True)
class Variant:
    """A named view.

    Attributes:
        name: of its config.
        wanted: grade of which it needs distinct samples of the pool; None if it needs none.
        traces: makes up to that many traces of one problem.
        summary: one line for the card.
        lost: traces of one problem that were there and could not become rows, by reason; the same arguments, and why
            the build stopped.
        one_each: whether a problem has one at most, whatever `per_problem` says: it has one reference trace.
    """

    name: str
    wanted: Grade | None
    traces: Callable[[Pooled, int], list[Trace]]
    summary: str
    lost: Callable[[Pooled, int, Stopped | None], Counter[LeftOut]] = none_lost
    one_each: bool = False

    def asked(self, per_problem: int) -> int:
        """How many traces of a problem a build asks for."""
        return 1 if self.one_each else per_problem


REGISTRY: dict[str, Variant] = {
    "reference": Variant(
        "reference", None, reference.traces, "the trace that came with a problem, graded correct", one_each=True
    ),
    "right": Variant("right", "correct", right.traces, "finished traces of the teacher that end in a right answer"),
    "wrong": Variant("wrong", "wrong", wrong.traces, "finished traces of the teacher that end in a wrong answer"),
    "paraphrase": Variant(
        "paraphrase", None, paraphrase.traces, "traces that a model rewrote: other words, same steps", paraphrase.lost
    ),
}

CONFIGS: tuple[str, ...] = (*REGISTRY, *CORRUPT_CONFIGS)
"""Every config of traces that a data set can have."""


def variants_of(name: VariantName, spec: BuildSpec, task: Task) -> list[Variant]:
    """The views that a name of a spec stands for: one, or one for each level.

    Raises:
        BadInput: the spec names what there is not.
    """
    if name != "corrupt":
        return [REGISTRY[name]]
    corruption = Corruption(task, spec.corrupt, spec.seed)
    return [
        Variant(
            config_of(level),
            "correct" if spec.corrupt.base == "right" else None,
            partial(corruption.traces, level),
            summary_of(level, spec.corrupt),
            partial(corruption.lost, level),
            one_each=spec.corrupt.base == "reference",
        )
        for level in spec.corrupt.levels
    ]
