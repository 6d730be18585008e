"""`wrongcot-data show`: look at the rows of a data set."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option, log
from wrongcot_data.cli.datasets import dataset_argument, found_config

MOST = 2**31
COLOURS = {"valid": "green", "invalid": "red", "unchecked": None}


@click.command(short_help="Print rows of a data set, steps coloured by verdict.")
@dataset_argument()
@click.option("--variant", help="Config to show; the first one with rows if not given.")
@click.option("-n", "count", type=click.IntRange(1, MOST), default=3, show_default=True, help="Rows.")
@click.option("--skip", type=click.IntRange(0, MOST), default=0, help="Rows to pass over first.")
@click.option(
    "--grade", help="Only rows of this grade: `--variant samples --grade disputed` lists the disputed replies."
)
@json_option
def show(dataset: str, variant: str | None, count: int, skip: int, grade: str | None, as_json: bool) -> None:
    """Print the first rows of a variant of DATASET, a folder or ORG/NAME@v1.2.0; `--variant samples` shows the pool."""
    from wrongcot_data.errors import unknown
    from wrongcot_data.publish.manifest import read_manifest, read_rows
    from wrongcot_data.records import GRADES

    at = found_config(dataset, variant)
    manifest = read_manifest(at.folder)
    default = next(iter(manifest["rows"]))
    config = at.config or next((name for name, count in manifest["rows"].items() if count), default)
    if not at.config and config != default:
        log(f"{default} has no rows; showing {config}")
    if config not in manifest["rows"]:
        raise unknown("variant", config, manifest["rows"])
    if grade and grade not in GRADES:
        raise unknown("grade", grade, GRADES)
    wanted = (row for row in read_rows(at.folder, config) if grade in (None, row.get("grade")))
    rows = list(islice(wanted, skip, skip + count))
    total = manifest["rows"][config]
    result = {"dataset": at.name, "variant": config, "total": total, "rows": rows}

    def text() -> str:
        blocks = [_block(row, skip + number) for number, row in enumerate(rows)]
        shown = f"{len(rows)} of grade {grade}," if grade else f"{len(rows)}"
        return "\n".join([*blocks, f"{shown} of {total} rows of {config}"])

    emit(result, as_json, text)


def _block(row: dict[str, Any], number: int) -> str:
    head = click.style(f"--- {number}  {row['problem_id']}", bold=True)
    if "rejected" in row or "labels" in row:
        return f"{head}\n{_view_row(row)}\n"
    colour = {"correct": "green", "wrong": "red"}.get(row["grade"], "yellow")
    grade = click.style(f"{row['grade']}: {row['reason']}", fg=colour)
    fits = row["answer"] and "\n" not in row["answer"] + row["reference_answer"]  # a program stands in its trace
    answer = f"  answer {row['answer']!r}, right is {row['reference_answer']!r}" if fits else ""
    if isinstance(row["completion"], str):
        return f"{head}  {grade}{answer}\n{row['completion']}\n"
    return f"{head}  {grade}{answer}\n{row['prompt'][0]['content']}\n\n{_coloured(row)}\n"


def _view_row(row: dict[str, Any]) -> str:
    """A pair, or steps with their labels."""
    if "labels" in row:
        marks = [click.style("+", fg="green") if label else click.style("-", fg="red") for label in row["labels"]]
        steps = [f"{mark} {step}" for mark, step in zip(marks, row["completions"], strict=True)]
        return "\n".join([row["prompt"], "", *steps])
    chosen, rejected = (row[side][0]["content"] for side in ("chosen", "rejected"))
    sides = [click.style("chosen", fg="green"), chosen, "", click.style("rejected", fg="red"), rejected]
    return "\n".join([row["prompt"][0]["content"], "", *sides])


def _coloured(row: dict[str, Any]) -> str:
    from wrongcot_data.steps.faults import told_faults

    text = row["completion"][0]["content"]
    parts, at = [], 0
    for step, fault in zip(row["steps"], told_faults(text, row["steps"]), strict=True):
        parts.append(text[at : step["start"]])
        parts.append(click.style(text[step["start"] : step["end"]], fg=COLOURS[step["verdict"]]))
        if fault:
            parts.append(click.style(f"   [{fault}]", fg="red", dim=True))
        at = step["end"]
    return "".join([*parts, text[at:]])
