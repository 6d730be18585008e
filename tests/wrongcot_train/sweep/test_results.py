"""Table and comparisons of cells that are done, failed and missing."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from tests.wrongcot_train.cells import fail, fill, spec_of
from wrongcot_train.cli.sweep_text import as_text
from wrongcot_train.compare import compare, read_groups
from wrongcot_train.statistics import holm
from wrongcot_train.sweep.cells import Cell, cells_of
from wrongcot_train.sweep.chain import Sweep
from wrongcot_train.sweep.comparing import comparisons
from wrongcot_train.sweep.results import read_cell
from wrongcot_train.sweep.spec import SweepSpec
from wrongcot_train.sweep.table import as_csv, result_of

MARKS = {
    "small--base": "+" * 4 + "-" * 12 + "." * 4,
    "small--reference--seed1": "+" * 6 + "-" * 14,
    "small--wrong--seed1": "+" * 15 + "-" * 4 + ".",
    "small--reference--seed2": "+" * 8 + "-" * 12,
    "small--wrong--seed2": "+" * 13 + "-" * 7,
}


def filled(tmp_path: Path, spec: SweepSpec, marks: dict[str, str] = MARKS, **record: Any) -> Sweep:
    sweep = Sweep(spec, tmp_path / "out")
    for cell in cells_of(spec):
        if cell.name in marks:
            fill(sweep, cell, marks[cell.name], **record)
    return sweep


def told(sweep: Sweep) -> dict[str, Any]:
    cells = cells_of(sweep.spec)
    return result_of(sweep.spec, sweep.out, [read_cell(sweep, cell) for cell in cells], cells)


def cell_of(sweep: Sweep, name: str) -> Cell:
    return next(cell for cell in cells_of(sweep.spec) if cell.name == name)


def test_a_row_has_both_scores_with_intervals_and_what_they_cost(tmp_path: Path) -> None:
    sweep = filled(tmp_path, spec_of(), tokens=900, tokens_trained=500)
    row = next(row for row in told(sweep)["rows"] if row["cell"] == "small--wrong--seed1")
    assert (row["strict"], row["strict_correct"], row["strict_n"]) == (0.75, 15, 20)
    assert row["strict_low"] < 0.75 < row["strict_high"]
    assert (row["answered"], row["answered_n"]) == (pytest.approx(15 / 19), 19)
    assert (row["train_tokens"], row["trained_tokens"], row["train_seconds"], row["steps"], row["loss"]) == (
        *(900, 500, 40.0, 3, 1.0),
    )
    assert (row["eval_tokens"], row["eval_seconds"], row["state"]) == (600, 12.5, "done")
    base = told(sweep)["rows"][0]
    assert (base["data"], base["seed"], base["train_tokens"], base["strict"]) == ("base", None, None, 0.2)


def test_records_of_before_tokens_were_counted_take_them_from_the_log(tmp_path: Path) -> None:
    row = told(filled(tmp_path, spec_of()))["rows"][1]
    assert (row["train_tokens"], row["trained_tokens"]) == (270, None)


def test_what_it_cost_in_all_is_the_sum_of_the_cells(tmp_path: Path) -> None:
    cost = told(filled(tmp_path, spec_of(), tokens=900, tokens_trained=500))["cost"]
    assert cost == {
        "train_tokens": 3600,
        "trained_tokens": 2000,
        "train_seconds": 160.0,
        "eval_tokens": 3000,
        "eval_seconds": 62.5,
    }


def test_comparisons_are_those_of_compare_with_seeds_as_runs(tmp_path: Path) -> None:
    sweep = filled(tmp_path, spec_of())
    (found,) = told(sweep)["comparisons"]
    places = {
        name: [sweep.out / "cells" / f"small--{name}--seed{seed}" / "eval-countdown" for seed in (1, 2)]
        for name in ("reference", "wrong")
    }
    base = sweep.out / "cells" / "small--base" / "eval-countdown"
    same = compare(read_groups({"reference": places["reference"], "base": [base], "wrong": places["wrong"]}))
    assert found["result"]["comparisons"] == same["comparisons"]
    assert [group["name"] for group in found["result"]["groups"]] == ["reference", "base", "wrong"]
    wrong = found["result"]["comparisons"][1]
    assert (wrong["runs"]["n"], wrong["strict"]["difference"]) == ([2, 2], pytest.approx(0.35))


def test_holm_is_over_all_comparisons_of_the_sweep(tmp_path: Path) -> None:
    spec = spec_of(students={"a": "smollm2-135m", "b": "gemma-2b"})
    marks = {name.replace("small", student): mark for name, mark in MARKS.items() for student in "ab"}
    found = comparisons(
        spec, [read_cell(sweep, cell) for sweep in [filled(tmp_path, spec, marks)] for cell in cells_of(spec)]
    )
    tests = [pair["strict"] for one in found for pair in one["result"]["comparisons"]]
    assert len(tests) == 4
    assert [test["p_holm"] for test in tests] == holm([test["p"] for test in tests])


def test_a_failed_cell_is_in_the_table_with_its_error_and_out_of_the_comparison(tmp_path: Path) -> None:
    sweep = filled(tmp_path, spec_of(), {name: MARKS[name] for name in MARKS if name != "small--wrong--seed2"})
    fail(sweep, cell_of(sweep, "small--wrong--seed2"), "the loss is nan at step 3")
    result = told(sweep)
    row = result["rows"][-1]
    assert (row["state"], row["error"], row["strict"]) == ("failed", "the loss is nan at step 3", None)
    assert [len(group["runs"]) for group in result["comparisons"][0]["result"]["groups"]] == [2, 1, 1]
    assert "small--wrong--seed2      countdown  failed: the loss is nan at step 3" in as_text(result)


def test_what_cannot_be_compared_is_said(tmp_path: Path) -> None:
    (alone,) = told(filled(tmp_path / "a", spec_of(), {"small--base": MARKS["small--base"]}))["comparisons"]
    assert (alone["result"], alone["why"]) == (None, "nothing to compare with: only base is scored")
    few = {name: marks[:5] for name, marks in MARKS.items()}
    result = told(filled(tmp_path / "b", spec_of(), few))
    assert "5 items cannot show a difference" in result["comparisons"][0]["why"]
    assert "not compared: small, countdown: 5 items" in as_text(result)


def test_items_that_not_all_were_asked_are_left_out_and_that_is_said(tmp_path: Path) -> None:
    marks = MARKS | {"small--wrong--seed1": MARKS["small--wrong--seed1"] + "+" * 5}
    result = told(filled(tmp_path, spec_of(), marks))
    assert result["comparisons"][0]["result"]["n"] == 20
    assert "over the 20 items that all were asked" in as_text(result)


def test_cells_of_another_sweep_in_the_folder_are_named_and_not_counted(tmp_path: Path) -> None:
    filled(tmp_path, spec_of())
    fewer = Sweep(spec_of(seeds=[1]), tmp_path / "out")
    result = told(fewer)
    assert result["others"] == ["small--reference--seed2", "small--wrong--seed2"]
    assert len(result["rows"]) == 3
    assert "not of this sweep, and left as they are: small--reference--seed2" in as_text(result)


def test_csv_reads_back_as_the_rows(tmp_path: Path) -> None:
    result = told(filled(tmp_path, spec_of()))
    read = list(csv.DictReader(io.StringIO(as_csv(result["rows"]))))
    assert [row["cell"] for row in read] == [row["cell"] for row in result["rows"]]
    assert [float(row["strict"]) for row in read] == [row["strict"] for row in result["rows"]]
    assert (read[0]["seed"], read[0]["error"]) == ("", "")


def test_text_is_one_table_and_its_differences(tmp_path: Path) -> None:
    lines = as_text(told(filled(tmp_path, spec_of()))).splitlines()
    assert " ".join(lines[0].split()) == "scores in % eval strict over items right answered tokens s written s"
    assert lines[1].startswith("small--base")
    assert any(line.startswith("wrong - reference") and "+35.0" in line for line in lines)
    assert any("over runs" in line for line in lines)
    assert all(len(line) <= 120 for line in lines)
