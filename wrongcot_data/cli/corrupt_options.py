"""The flags of `wrongcot-data build` for the variant `corrupt`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

_NAMES = {
    "corrupt_levels": "levels",
    "corrupt_base": "base",
    "corrupt_mode": "mode",
    "corrupt_answer": "answer",
    "corrupt_operators": "operators",
}


def corrupt_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the flags of the group `corrupt` to a command."""
    for option in (
        click.option(
            "--operator",
            "corrupt_operators",
            multiple=True,
            help="Of `corrupt`: who proposes errors; repeat. teacher:NAME asks a model.",
        ),
        click.option("--answer", "corrupt_answer", help="Of `corrupt`: keep, propagate or replace the answer."),
        click.option("--mode", "corrupt_mode", help="Of `corrupt`: slip, or propagate the wrong value."),
        click.option("--base", "corrupt_base", help="Of `corrupt`: reference or right traces."),
        click.option(
            "--level", "corrupt_levels", type=int, multiple=True, help="Of `corrupt`: percent made wrong; repeat."
        ),
    ):
        command = option(command)
    return command


def corrupt_fields(flags: dict[str, Any]) -> Mapping[str, Any]:
    """Take the flags of the group out of all flags: the fields that were given."""
    taken = {field: flags.pop(flag) for flag, field in _NAMES.items()}
    return {field: list(value) if isinstance(value, tuple) else value for field, value in taken.items() if value}
