"""The account of a view: everything it could have been cut from is kept or left out by a named reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Read = Callable[[str, Sequence[str]], Iterator[dict[str, Any]]]
"""Gives the rows of a variant, in order, with the columns that are named."""


@dataclass(slots=True)
class Account:
    """Counts of a view's rows.

    Attributes:
        asked: rows there could be: pairs for `preference`, traces for `stepwise`.
    """

    asked: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def leave_out(self, reason: str, count: int = 1) -> None:
        """Account for rows that could not be cut."""
        if count > 0:
            self.left_out[reason] += count

    def to_json(self) -> dict[str, Any]:
        """As it stands in the receipt."""
        return {"asked": self.asked, "kept": self.kept, "left_out": dict(sorted(self.left_out.items()))}
