"""From what the cells have to the files that a sweep ends in: each replaced in one step."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wrongcot_data.page.write import save_page
from wrongcot_train.outputs import write_json
from wrongcot_train.page.html import render
from wrongcot_train.page.model import page_of
from wrongcot_train.sweep.cells import Cell
from wrongcot_train.sweep.results import CellResult
from wrongcot_train.sweep.spec import SweepSpec
from wrongcot_train.sweep.table import REPORT, RESULT, TABLE, as_csv, result_of


def write_report(spec: SweepSpec, out: Path, results: Sequence[CellResult], cells: Sequence[Cell]) -> dict[str, Any]:
    """Write the table, its JSON and the page.

    Returns:
        what is in the JSON, and where the files are.

    Raises:
        BadInput: a file of somebody else is where the page would be.
    """
    out.mkdir(parents=True, exist_ok=True)
    result = result_of(spec, out, results, cells)
    half = out / f".{TABLE}.{os.getpid()}"
    half.write_text(as_csv(result["rows"]), encoding="utf-8", errors="replace")
    half.replace(out / TABLE)
    write_json(out / RESULT, result)
    save_page(out / REPORT, render(page_of(spec, result, results)))
    return {**result, "table": str(out / TABLE), "report": str(out / REPORT)}
