"""`wrongcot-data report`: what the traces of a data set are like, in numbers and as a page to read them in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option
from wrongcot_data.cli.datasets import dataset_argument, found_config
from wrongcot_data.page import MOST_ROWS, ROWS

if TYPE_CHECKING:
    from wrongcot_data.page.write import Page
    from wrongcot_data.versions.locate import Located

LABEL = 24
"""Columns of the words before a value."""


@click.command(short_help="Print the quality report of a data set, and write it as a page to read its traces in.")
@dataset_argument()
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page goes; ./NAME-report.html if not given.",
)
@click.option("--no-html", is_flag=True, help="The numbers alone; `--json` without `--html` implies it.")
@click.option("--open", "open_it", is_flag=True, help="Open the page in the browser.")
@click.option(
    "--rows",
    type=click.IntRange(1, MOST_ROWS),
    default=ROWS,
    show_default=True,
    help="Rows that the page holds at most.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of which rows these are.")
@json_option
def report(dataset: str, html: Path | None, no_html: bool, open_it: bool, rows: int, seed: int, as_json: bool) -> None:
    """Print the quality report of DATASET: counts, lengths, steps and errors; and write it as a page.

    It is a folder, or ORG/NAME@v1.2.0 on the Hub; `:wrong` behind it takes that config alone. The page is one HTML file
    that asks for nothing else: the report, its plots, and some of the traces, to filter and to set side by side. All of
    it is computed again from the rows.
    """
    from wrongcot_data.errors import BadInput, unknown
    from wrongcot_data.measure.report import report_of
    from wrongcot_data.page.write import make_page
    from wrongcot_data.publish.manifest import UNFIT, UNREADABLE, read_manifest

    if no_html and (html or open_it):
        raise BadInput("--no-html leaves nothing to write or to open", try_=["the same without --no-html"])
    wanted = bool(html or open_it or not (no_html or as_json))
    at = found_config(dataset, None)
    manifest = read_manifest(at.folder)
    if at.config and at.config not in manifest["rows"]:
        raise unknown("config", at.config, manifest["rows"])
    name = at.name if at.version or at.commit else ""
    try:
        found = report_of(at.folder, [at.config] if at.config else manifest["rows"])
        page = make_page(at.folder, manifest, found, rows, seed, name) if wanted else None
    except (*UNREADABLE, *UNFIT) as error:
        raise BadInput(
            f"cannot read the rows of {at.name}: {error}", try_=[f"wrongcot-data verify {at.name}"]
        ) from error
    written = _written(page, html or _place(at), open_it) if page else {}
    result = {"dataset": at.name, **({"page": written} if page else {}), **found}
    emit(result, as_json, lambda: "\n".join([*_text(found["configs"]), *_page_text(written)]))


def _place(at: Located) -> Path:
    """Where a page goes that nobody gave a place: named after the data set, in the current folder."""
    named = at.name.rpartition("/")[2].replace("@", "-") if at.version or at.commit else at.folder.resolve().name
    return Path(f"{named}-report.html")


def _written(page: Page, path: Path, open_it: bool) -> dict[str, Any]:
    """Write a page, open it where that is wanted, and tell of it."""
    from wrongcot_data.page.write import save_page

    size = save_page(path, page.html)
    if open_it:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return {"path": str(path), "bytes": size, "rows": page.rows, "shown": page.shown, "problems": page.problems}


def _page_text(written: dict[str, Any]) -> Iterator[str]:
    if written:
        yield ""
        yield f"page  {written['path']}"
        shown = f"{written['shown']:,} of {written['rows']:,} rows, of {written['problems']:,} problems"
        yield f"      {shown}; {-(-written['bytes'] // 1000):,} kB"


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
