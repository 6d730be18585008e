"""`wrongcot-data diff`: what became of a data set from one version to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.cli.datasets import dataset_argument, found

SHOWN = 5
"""Rows, columns or changes of grade that are named for people; `--json` has more."""


@click.command(short_help="Say what changed between two data sets.")
@dataset_argument("old")
@dataset_argument("new")
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """Say what became of OLD in NEW: spec, rows added, removed and changed, grades that are others.

    Each is a folder or ORG/NAME@v1.2.0. Rows are told apart by what they are rows of, not by their place.
    """
    from wrongcot_data.errors import BadInput
    from wrongcot_data.publish.manifest import UNFIT, UNREADABLE, read_manifest
    from wrongcot_data.versions.diff import dataset_diff

    before, after = found(old), found(new)
    manifests = read_manifest(before.folder), read_manifest(after.folder)
    try:
        told = dataset_diff(before.folder, after.folder, *manifests).to_json()
    except (*UNREADABLE, *UNFIT) as error:
        raise BadInput(
            f"cannot compare them: {error}",
            try_=[f"wrongcot-data verify {before.folder}", f"wrongcot-data verify {after.folder}"],
        ) from error
    result = {"old": before.name, "new": after.name, **told}
    emit(result, as_json, lambda: "\n".join(_text(result)))


def _text(result: dict[str, Any]) -> Iterator[str]:
    size, reasons = result["change"]["size"], result["change"]["reasons"]
    yield click.style(f"{result['old']} -> {result['new']}: {size}", bold=True)
    yield from (f"  {reason}" for reason in reasons[:SHOWN])
    yield from _more(len(reasons))
    if result["spec"]:
        yield "spec"
        yield from (f"  {name}: {told['from']!r} -> {told['to']!r}" for name, told in result["spec"].items())
    for config, columns in result["columns"].items():
        for what, names in columns.items():
            if names:
                yield f"{config}: columns {what}: {', '.join(names)}"
    for config, became in result["configs"].items():
        yield from _config(config, became)
    if not result["configs"]:
        yield "the rows are the same"


def _config(config: str, found: dict[str, Any]) -> Iterator[str]:
    rows = found["rows"]
    counts = ", ".join(f"{found[what]:,} {what}" for what in ("added", "removed", "changed"))
    yield f"{config}: {rows['before']:,} -> {rows['after']:,} rows: {counts}"
    for what, names in found["named"].items():
        if names:
            more = " ..." if found[what] > SHOWN else ""
            yield f"  {what}: {', '.join(names[:SHOWN])}{more}"
    if found["columns"]:
        yield f"  changed in: {', '.join(f'{name} ({count:,})' for name, count in found['columns'].items())}"
    for one in found["regraded"][:SHOWN]:
        yield f"  {one['rows']:,} rows: {one['from']} -> {one['to']}"
    yield from _more(len(found["regraded"]))


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"  ... and {count - SHOWN} more"
