"""The views: more configs of a data set, cut from the rows of its variants alone, at no cost.

A build and `verify` cut them by the same function from the same files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from wrongcot_data.errors import BadInput
from wrongcot_data.spec import ViewName
from wrongcot_data.views import preference, stepwise
from wrongcot_data.views.account import Account, Read


@dataclass(frozen=True, slots=True)
class View:
    """A named view.

    Attributes:
        needs: variants without which it cannot be made.
        schema: its columns; docs/dataset.md has the table.
        cut: its rows, from what reads the rows of a variant, the names of the variants there are, and the account to
            keep. The variants hold the rows of a problem one after the other, and the problems in the same order.
        summary: one line for the card.
    """

    name: ViewName
    needs: tuple[str, ...]
    schema: pa.Schema
    cut: Callable[[Read, Sequence[str], Account], Iterator[dict[str, Any]]]
    summary: str


VIEWS: Mapping[ViewName, View] = {
    "preference": View(
        "preference",
        ("right", "wrong"),
        preference.SCHEMA,
        preference.cut,
        "pairs of a right and a wrong trace of the same problem, for DPO and reward models",
    ),
    "stepwise": View(
        "stepwise",
        (),
        stepwise.SCHEMA,
        stepwise.cut,
        "steps with labels, up to the first wrong one, for process reward models",
    ),
}


def chosen_views(asked: Iterable[ViewName] | None, variants: Sequence[str]) -> list[View]:
    """The views of a build; those that can be made where none are asked for by name.

    Raises:
        BadInput: one that is asked for lacks a variant.
    """
    if asked is None:
        both = {"right", "wrong"} <= set(variants)
        return list(VIEWS.values()) if both else []
    views = [VIEWS[name] for name in VIEWS if name in set(asked)]
    for view in views:
        lacking = [name for name in view.needs if name not in variants]
        if lacking:
            raise BadInput(
                f"the view {view.name} needs the variants {' and '.join(view.needs)}; without: {', '.join(lacking)}",
                try_=[" ".join(f"--variant {name}" for name in [*variants, *lacking])],
            )
    return views
