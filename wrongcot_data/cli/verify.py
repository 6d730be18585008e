"""`wrongcot-data verify`: compute every grade and hash of a data set again."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.cli.options import unsafe_option

SHOWN = 50
"""Differences printed for people; `--json` has all of them."""


@click.command(short_help="Compute every grade and hash of a data set again.")
@click.argument("dataset", type=click.Path(path_type=Path))
@unsafe_option
@json_option
def verify(dataset: Path, as_json: bool) -> None:
    """Recompute every hash, count, grade, prompt and step of DATASET, a folder, from its files alone.

    Exits with 1 and a list where anything differs.
    """
    from wrongcot_data.publish.verify import differences, read_manifest

    found = list(differences(dataset))
    rows = read_manifest(dataset)["rows"]
    result = {"dataset": str(dataset), "verified": not found, "rows": rows, "differences": found}

    def text() -> str:
        checked = ", ".join(f"{count} {config}" for config, count in rows.items())
        if not found:
            return f"{dataset}: every hash and grade holds ({checked})"
        more = [f"... and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        return "\n".join([f"{dataset}: {len(found)} differences ({checked})", *found[:SHOWN], *more])

    emit(result, as_json, text)
    if found:
        sys.exit(1)
