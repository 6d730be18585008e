"""`wrongcot-data show`: look at the rows of a data set."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option

MOST = 2**31
COLOURS = {"valid": "green", "invalid": "red", "unchecked": None}


@click.command(short_help="Print rows of a data set, steps coloured by verdict.")
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--variant", help="Config to show; the default one of the data set if not given.")
@click.option("-n", "count", type=click.IntRange(1, MOST), default=3, show_default=True, help="Rows.")
@click.option("--skip", type=click.IntRange(0, MOST), default=0, help="Rows to pass over first.")
@json_option
def show(dataset: Path, variant: str | None, count: int, skip: int, as_json: bool) -> None:
    """Print the first rows of a variant of DATASET, a folder; `--variant samples` shows the pool itself."""
    from wrongcot_data.errors import unknown
    from wrongcot_data.publish.verify import read_manifest, read_rows

    manifest = read_manifest(dataset)
    config = variant or next(iter(manifest["rows"]))
    if config not in manifest["rows"]:
        raise unknown("variant", config, manifest["rows"])
    rows = list(islice(read_rows(dataset, config), skip, skip + count))
    total = manifest["rows"][config]
    result = {"dataset": str(dataset), "variant": config, "total": total, "rows": rows}

    def text() -> str:
        blocks = [_block(row, skip + number) for number, row in enumerate(rows)]
        return "\n".join([*blocks, f"{len(rows)} of {total} rows of {config}"])

    emit(result, as_json, text)


def _block(row: dict[str, Any], number: int) -> str:
    head = click.style(f"--- {number}  {row['problem_id']}", bold=True)
    colour = {"correct": "green", "wrong": "red"}.get(row["grade"], "yellow")
    grade = click.style(f"{row['grade']}: {row['reason']}", fg=colour)
    answer = f"  answer {row['answer']!r}, right is {row['reference_answer']!r}" if row["answer"] else ""
    if isinstance(row["completion"], str):
        return f"{head}  {grade}{answer}\n{row['completion']}\n"
    return f"{head}  {grade}{answer}\n{row['prompt'][0]['content']}\n\n{_coloured(row)}\n"


def _coloured(row: dict[str, Any]) -> str:
    text = row["completion"][0]["content"]
    parts, at = [], 0
    for step in row["steps"]:
        parts.append(text[at : step["start"]])
        parts.append(click.style(text[step["start"] : step["end"]], fg=COLOURS[step["verdict"]]))
        if step["kind"]:
            parts.append(click.style(f"   [{step['kind']}]", fg="red", dim=True))
        at = step["end"]
    return "".join([*parts, text[at:]])
