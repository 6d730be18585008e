"""`wrongcot-data pull` and `list`: versions that were published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option, log
from wrongcot_data.cli.datasets import dataset_argument


@click.command(short_help="Fetch a published version into a folder.")
@dataset_argument()
@click.option("--out", type=click.Path(path_type=Path), help="Folder.  [default: its name and version]")
@json_option
def pull(dataset: str, out: Path | None, as_json: bool) -> None:
    """Fetch DATASET, such as ORG/NAME@v1.2.0 or ORG/NAME@v1.2.0:wrong, into a folder, and check every file's checksum.

    With `:VARIANT` only that variant's files come, with manifest, card and changelog.
    """
    from wrongcot_data.versions.pull import pull as fetch

    at = fetch(dataset, out, tell=log)
    result = {
        "dataset": dataset,
        "name": at.name,
        "folder": str(at.folder),
        "version": str(at.version) if at.version else "",
        "commit": at.commit,
        "rows": at.rows,
    }
    rows = ", ".join(f"{count:,} {config}" for config, count in at.rows.items())
    # one variant is not the whole that `verify` asks for
    look = f"verify {at.folder}" if not at.config else f"show {at.folder}:{at.config}"
    emit(result, as_json, lambda: f"{at.folder}: {at.name}, {rows}\n\nnext:  wrongcot-data {look}")


@click.command("list", short_help="List the versions of a published data set.")
@dataset_argument()
@json_option
def list_versions(dataset: str, as_json: bool) -> None:
    """List the versions of DATASET, ORG/NAME or a folder of versions, the newest first."""
    from wrongcot_data.versions.pull import versions_of

    found = versions_of(dataset)
    emit({"dataset": dataset, "versions": found}, as_json, lambda: "\n".join(map(_line, found)))


def _line(version: dict[str, Any]) -> str:
    because = "; ".join(version["because"][:2])
    return f"v{version['version']:<10} {version['commit'][:8]:<9} {version['rows']:>9,} rows   {because}"
