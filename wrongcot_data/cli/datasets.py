"""The argument of every verb that reads a data set: a folder, or `ORG/NAME@v1.2.0:wrong`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import log

if TYPE_CHECKING:
    from wrongcot_data.versions.dataset_ref import DatasetRef
    from wrongcot_data.versions.locate import Located


def dataset_argument(name: str = "dataset") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds the argument; what it is given is for `found`."""
    return click.argument(name, metavar=name.upper())


def found(text: str) -> Located:
    """All files of the data set that a text names; says on stderr which version was taken.

    Raises:
        WrongcotError: it names none, or it cannot be had.
    """
    from wrongcot_data.versions.dataset_ref import parse_ref

    return _told(text, parse_ref(text), None)


def found_config(text: str, config: str | None) -> Located:
    """The files of one config of a data set, which a flag names or the text itself does; of all where none does.

    Raises:
        WrongcotError: as `found`.
    """
    from wrongcot_data.versions.dataset_ref import parse_ref

    ref = parse_ref(text)
    chosen = config or ref.config
    return _told(text, replace(ref, config=chosen), [chosen] if chosen else None)


def _told(text: str, ref: DatasetRef, configs: Sequence[str] | None) -> Located:
    from wrongcot_data.versions.locate import locate

    at = locate(ref, configs)
    if at.version or at.commit:
        log(f"{text} is {f'commit {at.commit}' if text == at.name and at.commit else at}")
    return at
