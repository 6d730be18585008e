"""`wrongcot-train sweep`."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wrongcot_data.cli.console import emit, json_option, log

if TYPE_CHECKING:
    from wrongcot_train.sweep.cells import Cell
    from wrongcot_train.sweep.chain import Sweep

FAILED = 1


@click.command(short_help="Train and score data sets by students by seeds; one table and one report at the end.")
@click.argument("sweep_file", metavar="SWEEP.yaml", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the sweep.")
@click.option("--dry-run", is_flag=True, help="Say what would run and what is done; run nothing.")
@click.option("--print-commands", is_flag=True, help="One shell line a cell that is not done, for a scheduler.")
@click.option("--status", is_flag=True, help="Say where every cell is; run nothing.")
@click.option("--report-only", is_flag=True, help="Table and report from what is done; run nothing.")
@click.option("--cell", "names", multiple=True, metavar="NAME", help="Fill this cell only, and write no report.")
@click.option("--only", "patterns", multiple=True, metavar="GLOB", help="Fill the cells like this; repeat for more.")
@click.option("--replace", is_flag=True, help="Move what other settings made to OUT/replaced, where it is in the way.")
@json_option
def sweep(
    *,
    sweep_file: Path,
    out: Path,
    dry_run: bool,
    print_commands: bool,
    status: bool,
    report_only: bool,
    names: tuple[str, ...],
    patterns: tuple[str, ...],
    replace: bool,
    as_json: bool,
) -> None:
    """Train every student on every data set with every seed, and score them all: SWEEP.yaml says which.

    Cells run one after another, by the commands that you would type. Give the same command again to go on after an
    interruption; what is done is skipped. A cell that fails is noted, and the sweep goes on.
    """
    modes = {"--dry-run": dry_run, "--print-commands": print_commands, "--status": status, "--report-only": report_only}
    asked = [name for name, on in modes.items() if on]
    if len(asked) > 1:
        raise click.UsageError(f"{' and '.join(asked)} exclude each other")
    from wrongcot_train.sweep.cells import cells_of, chosen
    from wrongcot_train.sweep.chain import Sweep, check_folder, run_cells
    from wrongcot_train.sweep.spec import check_names, read_sweep

    spec = read_sweep(sweep_file)
    this = Sweep(spec, out, replace=replace, say=log)
    every = cells_of(spec)
    cells = chosen(every, names, patterns)
    check_folder(out, begun=report_only)
    if not (status or report_only):
        check_names(spec)
    if dry_run or status:
        plan = _plan(this, cells, with_commands=dry_run)
        emit(plan, as_json, lambda: plan_text(plan))
    elif print_commands:
        _print_commands(this, sweep_file, cells, as_json)
    else:
        if not report_only:
            run_cells(this, cells)
        result = _part(this, cells) if names else _whole(this, every)
        emit(result, as_json, lambda: result_text(result))
        if not report_only:
            _exit(this, cells)


def _plan(this: Sweep, cells: Sequence[Cell], *, with_commands: bool) -> dict[str, Any]:
    """Where every cell is, and for a dry run the commands of the steps that are not done."""
    from wrongcot_train.sweep.cells import command, steps_of
    from wrongcot_train.sweep.results import read_cell
    from wrongcot_train.sweep.state import is_locked

    found = []
    for cell in cells:
        read = read_cell(this, cell)
        folder = this.folder(cell)
        running = is_locked(folder.path)
        one: dict[str, Any] = {"cell": cell.name, "state": read.state, "running": running, "steps": dict(read.states)}
        one["errors"] = dict(read.errors)
        if with_commands:
            steps = [step for step in steps_of(this.spec, cell) if read.states[step.name] != "done"]
            words = [command(this.spec, cell, step, folder.path) for step in steps]
            one["commands"] = [shlex.join(["wrongcot-train", *line]) for line in words]
        found.append(one)
    return {"out": str(this.out), "cells": found, "states": dict(Counter(one["state"] for one in found))}


def plan_text(plan: dict[str, Any]) -> str:
    """A line a cell, with what is missing in it."""
    lines = []
    for one in plan["cells"]:
        missing = [f"{step} {state}" for step, state in one["steps"].items() if state != "done"]
        state = f"{one['state']}, at work now" if one["running"] else one["state"]
        lines.append(f"{one['cell']}  {state}{'  (' + ', '.join(missing) + ')' if missing else ''}")
        lines += [f"    {step}: {error}" for step, error in one["errors"].items()]
        lines += [f"    {command}" for command in one.get("commands", ())]
    counts = ", ".join(f"{count} {state}" for state, count in plan["states"].items())
    return "\n".join([*lines, "", f"{len(plan['cells'])} cells in {plan['out']}: {counts}"])


def _print_commands(this: Sweep, sweep_file: Path, cells: Sequence[Cell], as_json: bool) -> None:
    from wrongcot_train.sweep.cells import shell_line

    lines = [shell_line(sweep_file, this.out, cell) for cell in cells if this.state(cell) != "done"]
    log(f"{len(lines)} cells to run, {len(cells) - len(lines)} done")
    if lines or as_json:
        emit({"commands": lines}, as_json, "\n".join(lines))


def _part(this: Sweep, cells: Sequence[Cell]) -> dict[str, Any]:
    """The rows of some cells; nothing is written, for others may be at work in the folder."""
    from wrongcot_train.sweep.results import read_cell, rows_of

    return {
        "out": str(this.out),
        "rows": [row for cell in cells for row in rows_of(read_cell(this, cell), this.spec.eval)],
    }


def _whole(this: Sweep, cells: Sequence[Cell]) -> dict[str, Any]:
    """The table and the report, written and as plain values."""
    from wrongcot_train.sweep.results import read_cell
    from wrongcot_train.sweep.write import write_report

    return write_report(this.spec, this.out, [read_cell(this, cell) for cell in cells], cells)


def result_text(result: dict[str, Any]) -> str:
    """The table for people, and where it is."""
    from wrongcot_train.cli.sweep_text import as_text, rows_text

    if "report" not in result:
        return rows_text(result["rows"])
    return f"{as_text(result)}\n\ntable   {result['table']}\nreport  {result['report']}"


def _exit(this: Sweep, cells: Sequence[Cell]) -> None:
    """Non-zero where a cell is not done, or has no card."""
    missing = [cell.name for cell in cells if not this.is_done(cell)]
    if missing:
        log(
            f"{len(missing)} of {len(cells)} cells are not done: {', '.join(missing[:5])}{', ...' * (len(missing) > 5)}"
        )
        log("  try:  the same command again    (only these cells run)")
        sys.exit(FAILED)
