"""`wrongcot-data verify`: compute every grade and hash of a data set again."""

from __future__ import annotations

import sys

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.cli.datasets import dataset_argument, found
from wrongcot_data.cli.options import unsafe_option

SHOWN = 50
"""Differences printed for people; `--json` has all of them."""


@click.command(short_help="Compute every grade and hash of a data set again.")
@dataset_argument()
@unsafe_option
@json_option
def verify(dataset: str, as_json: bool) -> None:
    """Recompute every hash, count, grade, prompt and step of DATASET from its files alone.

    It is a folder, or ORG/NAME@v1.2.0 on the Hub. Exits with 1 and a list where anything differs.
    """
    from wrongcot_data.publish.manifest import read_manifest
    from wrongcot_data.verify.differences import differences

    at = found(dataset)
    faults = list(differences(at.folder))
    rows = read_manifest(at.folder)["rows"]
    result = {"dataset": at.name, "verified": not faults, "rows": rows, "differences": faults}

    def text() -> str:
        checked = ", ".join(f"{count} {config}" for config, count in rows.items())
        if not faults:
            return f"{at.name}: every hash and grade holds ({checked})"
        more = [f"... and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        return "\n".join([f"{at.name}: {len(faults)} differences ({checked})", *faults[:SHOWN], *more])

    emit(result, as_json, text)
    if faults:
        sys.exit(1)
