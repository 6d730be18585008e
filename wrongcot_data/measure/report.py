"""The quality report of a data set: `report.json` and plots, computed from the published rows alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wrongcot_data.measure.quality import (
    Row,
    preference_quality,
    sample_quality,
    stepwise_quality,
    trace_quality,
)
from wrongcot_data.publish.dataset import config_columns, config_rows

REPORT = "report.json"
PLOTS = "report"
"""Folder of the plots in that of a data set."""

REPORT_VERSION = 1
"""Of what is computed; a change of a name or a meaning raises it."""

Measure = Callable[[Iterable[Row]], dict[str, Any]]

MEASURES: Mapping[str, tuple[Measure, tuple[str, ...]]] = {
    "steps": (
        trace_quality,
        ("problem_id", "level", "completion", "answer", "reference_answer", "grade", "steps", "n_tokens"),
    ),
    "sample_id": (sample_quality, ("completion", "grade", "n_tokens")),
    "rejected": (preference_quality, ("chosen", "rejected")),
    "labels": (stepwise_quality, ("labels", "verdicts")),
}
"""By the column that tells what a config holds: how it is measured, and the columns which that takes."""


def report_of(folder: Path, configs: Iterable[str]) -> dict[str, Any]:
    """The report of the rows in a folder, one config after the other.

    Raises:
        OSError, ArrowException: a file of a config cannot be read.
        KeyError: it lacks a column.
    """
    return {"report_version": REPORT_VERSION, "configs": {config: _measured(folder, config) for config in configs}}


def _measured(folder: Path, config: str) -> dict[str, Any]:
    present = config_columns(folder, config)
    for telling, (measure, columns) in MEASURES.items():
        if telling in present:
            return measure(config_rows(folder, config, columns))
    raise KeyError(f"{config} has none of the columns {', '.join(MEASURES)}")


def write_report(folder: Path, configs: Iterable[str]) -> None:
    """Compute the report of a data set and write it there, with its plots."""
    from wrongcot_data.measure.plots import draw

    report = report_of(folder, configs)
    (folder / REPORT).write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draw(report, folder / PLOTS)


def plots_of(folder: Path) -> list[str]:
    """The plots of a data set, in the order in which they are shown: paths in its folder."""
    from wrongcot_data.measure import plots

    return [f"{PLOTS}/{name}" for name in plots.PLOTS if (folder / PLOTS / name).is_file()]


def report_differences(folder: Path, configs: Iterable[str]) -> Iterator[str]:
    """Every value of the stored report that is not that of the rows, one line each."""
    try:
        stored = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        yield f"{REPORT}: cannot be read ({error})"
        return
    for path, told, found in unequal(stored, report_of(folder, configs)):
        yield f"{REPORT}: {path or 'it'} is {_short(told)}, but the rows make {_short(found)}"


def unequal(told: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two plain values differ: path, and what either has there (None where it has nothing)."""
    if isinstance(told, dict) and isinstance(found, dict):
        for name in {**found, **told}:
            yield from unequal(told.get(name), found.get(name), f"{path}.{name}" if path else str(name))
    elif told != found:
        yield path, told, found


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
