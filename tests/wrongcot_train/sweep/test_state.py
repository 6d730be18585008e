"""What of a sweep counts as done: only what was made for exactly this question, and is still there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wrongcot_train.cells import fail, fill, spec_of, write_eval
from wrongcot_train.sweep.cells import cells_of
from wrongcot_train.sweep.chain import Sweep
from wrongcot_train.sweep.state import is_locked, locked


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return Sweep(spec_of(), tmp_path / "out")


def test_nothing_is_waiting_and_a_filled_cell_is_done(sweep: Sweep) -> None:
    base, cell, *_ = cells_of(sweep.spec)
    assert (sweep.state(base), sweep.state(cell)) == ("waiting", "waiting")
    fill(sweep, cell, "+-" * 10)
    assert sweep.states(cell) == {"student": "done", "eval-countdown": "done"}
    assert sweep.is_done(cell)


def test_a_student_without_its_card_is_not_quite_done(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    (sweep.folder(cell).path / "student" / "README.md").unlink()
    assert (sweep.state(cell), sweep.is_done(cell)) == ("done", False)


def test_a_card_of_another_score_is_not_the_students_card(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    folder = sweep.folder(cell)
    write_eval(folder.path / "eval-countdown", "++" * 10)
    folder.keep(cell, "eval-countdown", {**folder.note()["eval-countdown"], "made": folder.made("eval-countdown")})
    assert (sweep.state(cell), sweep.is_done(cell)) == ("done", False)
    named = Sweep(spec_of(benchmarks={"countdown": "org/bench"}), sweep.out)
    fill(sweep, cell, "+-" * 10)
    assert (sweep.is_done(cell), named.is_done(cell)) == (True, False)


def test_a_result_that_is_gone_or_another_is_not_done(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    score = sweep.folder(cell).path / "eval-countdown" / "score.json"
    kept = score.read_text()
    score.write_text(kept.replace("12.5", "13.5"))
    assert sweep.states(cell)["eval-countdown"] == "unfinished"
    score.unlink()
    assert sweep.states(cell)["eval-countdown"] == "unfinished"
    score.write_text(kept)
    assert sweep.states(cell)["eval-countdown"] == "done"


def test_a_student_that_was_trained_anew_makes_its_evals_old(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    folder = sweep.folder(cell)
    record = folder.path / "student" / "sft.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"identity": "another"}))
    folder.keep(cell, "student", {**folder.note()["student"], "made": folder.made("student")})
    assert sweep.states(cell) == {"student": "done", "eval-countdown": "changed"}


@pytest.mark.parametrize(
    ("changes", "states"),
    [
        ({"sft": {"max_steps": 9}}, {"student": "changed", "eval-countdown": "done"}),
        ({"preset": "laptop"}, {"student": "changed", "eval-countdown": "done"}),
        ({"eval": [{"task": "countdown", "limit": 30}]}, {"student": "done", "eval-countdown": "changed"}),
        ({"seeds": [1, 2, 3]}, {"student": "done", "eval-countdown": "done"}),
        ({"against": "wrong"}, {"student": "done", "eval-countdown": "done"}),
    ],
)
def test_a_sweep_that_is_changed_keeps_what_still_applies(
    sweep: Sweep, changes: dict[str, object], states: dict[str, str]
) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    changed = Sweep(spec_of(**changes), sweep.out)
    assert changed.states(cells_of(changed.spec)[1]) == states


def test_data_that_was_built_anew_in_its_folder_is_other_data(
    tmp_path: Path, make_dataset: Callable[..., Path]
) -> None:
    data = make_dataset(tmp_path / "set", {"wrong": [("a", "b")], "right": [("c", "d")]})
    spec = spec_of(data={"wrong": f"{data}:wrong", "right": f"{data}:right"})
    sweep = Sweep(spec, tmp_path / "out")
    _, wrong, right, *_ = cells_of(spec)
    for cell in (wrong, right):
        fill(sweep, cell, "+-" * 10)
    make_dataset(tmp_path / "set", {"wrong": [("a", "another")], "right": [("c", "d")]})
    again = Sweep(spec, tmp_path / "out")
    assert (again.states(wrong)["student"], again.states(right)["student"]) == ("changed", "done")
    (data / "wrong" / "train-00000-of-00001.parquet").unlink()  # results can be read without their data
    assert Sweep(spec, tmp_path / "out").states(wrong)["student"] == "done"


def test_a_failure_is_remembered_with_its_error(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fail(sweep, cell, "the disk is full")
    assert sweep.state(cell) == "failed"
    assert sweep.folder(cell).note()["student"]["error"] == "the disk is full"


def test_a_note_that_a_crash_tore_costs_a_look_and_no_training(sweep: Sweep) -> None:
    cell = cells_of(sweep.spec)[1]
    fill(sweep, cell, "+-" * 10)
    (sweep.folder(cell).path / "cell.json").write_text('{"steps": {"stu')
    assert sweep.states(cell) == {
        "student": "unfinished",
        "eval-countdown": "unfinished",
    }  # the commands find them whole


def test_a_cell_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with locked(tmp_path / "cell", wait=False) as lock:
        assert lock is not None
        assert is_locked(tmp_path / "cell")
        with locked(tmp_path / "cell", wait=False) as other:
            assert other is None
    assert not is_locked(tmp_path / "cell")
    assert not is_locked(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
