"""`wrongcot-data report`: what the traces of a data set are like."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from wrongcot_data.cli.console import emit, json_option

LABEL = 24
"""Columns of the words before a value."""


@click.command(short_help="Print the quality report of a data set.")
@click.argument("dataset", type=click.Path(path_type=Path))
@json_option
def report(dataset: Path, as_json: bool) -> None:
    """Print the quality report of DATASET, a folder: counts, lengths, steps and errors.

    It is computed again from the rows. The plots, and samples of what it speaks of, are in the card, README.md.
    """
    from wrongcot_data.errors import BadInput
    from wrongcot_data.measure.report import report_of
    from wrongcot_data.publish.verify import UNFIT, UNREADABLE, read_manifest

    manifest = read_manifest(dataset)
    try:
        found = report_of(dataset, manifest["rows"])
    except (*UNREADABLE, *UNFIT) as error:
        raise BadInput(
            f"cannot read the rows of {dataset}: {error}", try_=[f"wrongcot-data verify {dataset}"]
        ) from error
    emit({"dataset": str(dataset), **found}, as_json, lambda: "\n".join(_text(found["configs"])))


def _text(configs: dict[str, Any]) -> Iterator[str]:
    for config, one in configs.items():
        yield click.style(config, bold=True)
        lines = {"rows": f"{one['rows']:,}", **_grades(one), **_lengths(one)}
        if "kinds" in one:
            lines |= {**_steps(one), **_answers(one)}
        if "labels" in one:
            lines |= _labels(one)
        yield from (f"  {name:<{LABEL}}{text}" for name, text in lines.items())
        yield ""
    yield "The share of answers is of the traces in which it can be told: see docs/report.md."


def _grades(one: dict[str, Any]) -> dict[str, str]:
    grades = one.get("grades", {})
    return {"grades": ", ".join(f"{count:,} {grade}" for grade, count in grades.items())} if grades else {}


def _lengths(one: dict[str, Any]) -> dict[str, str]:
    names = ("characters", "tokens", "chosen_characters", "rejected_characters", "steps_per_row")
    return {name.replace("_", " "): _spread(one[name]) for name in names if one.get(name)}


def _spread(lengths: dict[str, float]) -> str:
    return f"median {lengths['median']:,}, 5 % to 95 % {lengths['p5']:,} to {lengths['p95']:,}"


def _steps(one: dict[str, Any]) -> dict[str, str]:
    from wrongcot_data.measure.quality import VERDICTS, median_part

    steps, first = one["steps"], one["first_invalid_step"]
    lines = {"steps": ", ".join(f"{_of(steps[verdict], steps['total'])} {verdict}" for verdict in VERDICTS)}
    if one["kinds"]:
        lines["kinds of error"] = ", ".join(f"{count['steps']:,} {kind}" for kind, count in one["kinds"].items())
        middle = median_part(first["by_part"])
        lines["first invalid step"] = f"median {middle} into the trace, of {first['rows']:,} that have one"
    if one["operators"]:
        lines["made wrong by"] = ", ".join(f"{count:,} {name}" for name, count in one["operators"].items())
    return lines


def _answers(one: dict[str, Any]) -> dict[str, str]:
    right, wrong = one["right_answers"], one["wrong_answers"]
    lines = {}
    if right["checked"]:
        lines["right, invalid step"] = _among(right["with_invalid_step"], right["checked"])
    if wrong["checked"]:
        lines["wrong, no invalid step"] = _among(wrong["without_invalid_step"], wrong["checked"])
    if wrong["two_checked"]:
        lines["wrong, sound prefix"] = _among(wrong["sound_prefix"], wrong["two_checked"])
    return lines


def _labels(one: dict[str, Any]) -> dict[str, str]:
    labels = one["labels"]
    right = f"{labels['true']:,} right ({labels['true_and_checked']:,} of them checked)"
    return {"steps": f"{right}, {labels['false']:,} wrong"}


def _of(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"


def _among(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,} ({_of(part, whole)})"
