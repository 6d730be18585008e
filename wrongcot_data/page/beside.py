"""Which trace of a problem is worth reading beside which. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from wrongcot_data.page.traces import Shown
from wrongcot_data.variants.pooled import REPLIES

Test = Callable[[Shown], bool]

MADE_OF_OTHERS = ("corrupt", "paraphrase", *REPLIES)

NEXT_BEST = {"right": ("wrong", "reference"), "wrong": ("right", "reference")}


def counterparts(traces: Sequence[Shown]) -> list[int]:
    """For each trace of one problem the number of the one to set beside it; -1 where there is none.

    A paraphrase or a corrupted trace has the one it was made from beside it, a right trace a wrong one, a wrong one a
    right one, a reference its paraphrase. Where there is none, the next best.
    """
    return [_first(traces, number) for number in range(len(traces))]


def _first(traces: Sequence[Shown], number: int) -> int:
    this = traces[number]
    for fits in _wishes(this, traces):
        for place, other in enumerate(traces):
            if place != number and fits(other):
                return place
    return -1


def _wishes(this: Shown, traces: Sequence[Shown]) -> Iterator[Test]:
    """Tests for what shall stand beside a trace, the best one first."""
    if this.role == "corrupt":
        levels = [other.level for other in traces if _same_chain(this, other)]
        level = 0 if this.level else max(levels)
        if level != this.level:
            yield lambda other: _same_chain(this, other) and other.level == level
    if this.role in MADE_OF_OTHERS:
        yield lambda other: other.name == this.parent and other.role in ("reference", "right")
    if this.role == "reference":
        yield lambda other: other.role == "paraphrase" and other.parent == this.name
    for role in NEXT_BEST.get(this.role, ("right", "reference", "wrong")):
        yield partial(_is_other_of, role, this)
    if this.role not in MADE_OF_OTHERS:
        yield lambda other: _is_made_of(this, other)


def _same_chain(this: Shown, other: Shown) -> bool:
    return other.role == "corrupt" and other.parent == this.parent


def _is_other_of(role: str, this: Shown, other: Shown) -> bool:
    """Whether it is of the role, and no copy of this: a reply of the pool may be a trace too, and a row of a mix is."""
    return other.role == role and other.name != this.name


def _is_made_of(this: Shown, other: Shown) -> bool:
    """Whether it was made of this and is not just the same again, as level 0 is."""
    return other.role in MADE_OF_OTHERS and other.parent == this.name and (other.role != "corrupt" or other.level > 0)
