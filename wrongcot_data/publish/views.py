"""Views into a data set's folder, and whether those there are what its variants make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any

from wrongcot_data.publish.dataset import ConfigWriter, config_rows
from wrongcot_data.views import VIEWS, View
from wrongcot_data.views.account import Account

_WHOSE = ("problem_id", "variant", "level", "parent_id")
"""Columns, where a view has them, that say what a row is made from."""


def write_views(folder: Path, split: str, views: Iterable[View], variants: Sequence[str]) -> dict[str, Account]:
    """Cut views from the variants in a folder and write them there. Returns their accounts."""
    accounts: dict[str, Account] = {}
    for view in views:
        account = accounts[view.name] = Account()
        with ConfigWriter(folder, view.name, split, view.schema) as writer:
            for row in view.cut(partial(config_rows, folder), variants, account):
                writer.write([row])
    return accounts


def view_faults(accounts: Mapping[str, Account], written: Mapping[str, int]) -> list[str]:
    """What of the accounts does not add up; empty if they balance.

    Args:
        written: rows by config as counted in the files themselves.
    """
    return [
        f"{name}: asked for {one.asked}, kept {one.kept}, left out {one.left_out.total()}, wrote {written.get(name)}"
        for name, one in accounts.items()
        if one.asked != one.kept + one.left_out.total() or written.get(name) != one.kept
    ]


def view_differences(folder: Path, name: str, variants: Sequence[str], told: Mapping[str, Any]) -> Iterator[str]:
    """Every row of a view that is not that which the variants' rows make, and whether its account is theirs.

    Args:
        told: its account as the receipt has it.

    Raises:
        OSError, ArrowException, ValueError: its files, or those of the variants, cannot be read.
    """
    account = Account()
    made = VIEWS[name].cut(partial(config_rows, folder), variants, account)  # type: ignore[index]
    for number, (found, stored) in enumerate(zip_longest(made, config_rows(folder, name))):
        if found is None or stored is None:
            yield f"{name} row {number}: {'missing' if stored is None else 'the variants make no such row'}"
            continue
        if any(found.get(column) != stored.get(column) for column in _WHOSE):
            yield f"{name} row {number}: is {stored['problem_id']}'s, but the variants make {found['problem_id']}'s"
            break  # what follows is only shifted
        for column in {**found, **stored}:
            if found.get(column) != stored.get(column):
                yield f"{name} row {number} ({found['problem_id']}): {column} is not that of the variants' rows"
    for _ in made:
        pass  # all are accounted for
    if account.to_json() != dict(told):
        yield f"receipt: {name} is {dict(told)}, but the variants make {account.to_json()}"
