"""The one table of a sweep: as plain values with all comparisons, and as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wrongcot_train.sweep.cells import CELLS, Cell
from wrongcot_train.sweep.comparing import against, comparisons
from wrongcot_train.sweep.results import COLUMNS, CellResult, rows_of, training_of
from wrongcot_train.sweep.spec import SweepSpec

TABLE, RESULT, REPORT = "table.csv", "table.json", "report.html"

COSTS = ("train_tokens", "trained_tokens", "train_seconds", "eval_tokens", "eval_seconds")


def result_of(spec: SweepSpec, out: Path, results: Sequence[CellResult], cells: Sequence[Cell]) -> dict[str, Any]:
    """All that came out of a sweep, as plain values."""
    return {
        "out": str(out),
        "states": dict(Counter(one.state for one in results)),
        "against": against(spec),
        "rows": [row for one in results for row in rows_of(one, spec.eval)],
        "comparisons": comparisons(spec, results),
        "cost": cost(results),
        "others": others(out, cells),
    }


def cost(results: Sequence[CellResult]) -> dict[str, float]:
    """Tokens and seconds of all that is done; what is not known of a cell is not in it."""
    found = Counter[str]()
    for one in results:
        found.update({name: value for name, value in training_of(one).items() if name in COSTS and value})
        for score in one.scores.values():
            found.update({"eval_tokens": score["tokens"], "eval_seconds": score["seconds"]})
    return {name: round(found[name], 1) for name in COSTS}


def others(out: Path, cells: Sequence[Cell]) -> list[str]:
    """Cells in the folder that are not of this sweep; they are left as they are."""
    known = {cell.name for cell in cells}
    folder = out / CELLS
    return sorted(path.name for path in folder.iterdir() if path.name not in known) if folder.is_dir() else []


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table with its columns as they are named in `results.COLUMNS`; empty where a value is not known."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def seconds(value: float | None) -> str:
    """Seconds, with a tenth where they are few."""
    return "-" if value is None else f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
