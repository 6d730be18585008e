"""The argument of every verb that reads a data set: a folder, or `ORG/NAME@v1.2.0:wrong`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import log

if TYPE_CHECKING:
    from wrongcot_data.publish.locate import Located

REF_HELP = "A data set is a folder, or ORG/NAME@v1.2.0 on the Hub; without a version the newest."


def dataset_argument(name: str = "dataset") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds the argument; what it is given is for `found`."""
    return click.argument(name, metavar=name.upper())


def found(text: str, configs: Sequence[str] | None = None) -> Located:
    """The files of the data set that a text names; says on stderr which version was taken.

    Raises:
        WrongcotError: it names none, or it cannot be had.
    """
    from wrongcot_data.publish.dataset_ref import parse_ref
    from wrongcot_data.publish.locate import locate

    ref = parse_ref(text)
    at = locate(ref, configs)
    if at.version or at.commit:
        log(f"{text} is {at}")
    return at
