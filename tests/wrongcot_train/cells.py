"""Cells of a sweep as the commands would leave them, made by hand in milliseconds: for what is read from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wrongcot_data.spec import content_hash
from wrongcot_train.statistics import wilson
from wrongcot_train.sweep.cells import STUDENT, Cell, steps_of
from wrongcot_train.sweep.chain import CARD, Sweep
from wrongcot_train.sweep.spec import SweepSpec, make_sweep
from wrongcot_train.sweep.state import fingerprint

GRADES = {"+": "correct", "-": "wrong", ".": "no_answer"}
"""Of items, written as marks."""

MATRIX = {
    "students": {"small": "smollm2-135m"},
    "data": {"reference": "org/set:reference", "wrong": "org/set:wrong"},
    "seeds": [1, 2],
    "base": True,
    "eval": [{"task": "countdown", "limit": 20}],
}


def spec_of(**changes: Any) -> SweepSpec:
    return make_sweep(MATRIX | changes)


def share(correct: int, n: int) -> dict[str, Any]:
    low, high = wilson(correct, n)
    return {"value": correct / n if n else None, "low": low, "high": high, "correct": correct, "n": n}


def write_eval(folder: Path, marks: str, **changes: Any) -> Path:
    """An eval with a grade an item."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [
        {
            "problem_id": f"p{number}",
            "prompt": f"What is {number}?",
            "completion": "so",
            "grade": GRADES[mark],
            "reason": "equals" if mark == "+" else "wrong value",
            "answer": "1" if mark in "+-" else "",
            "correct": mark == "+",
        }
        for number, mark in enumerate(marks)
    ]
    pq.write_table(pa.Table.from_pylist(rows), folder / "items.parquet")
    score = {
        "strict": share(marks.count("+"), len(marks)),
        "answered": share(marks.count("+"), len(marks) - marks.count(".")),
        "grades": {grade: marks.count(mark) for mark, grade in GRADES.items()},
        "n": len(marks),
        "tokens": 30 * len(marks),
        "model": "student",
        "task": "countdown",
        "split": "test",
        "revision": str(folder),
        "options": {},
        "prompt_template": "countdown/chat-zero@1",
        "temperature": 0.0,
        "top_p": 1.0,
        "max_tokens": 64,
        "engine": "transformers 5 float32 cpu",
        "items_sha256": content_hash([row["problem_id"] for row in rows]),
        "grader_version": "countdown-1",
        "seconds": 12.5,
    }
    (folder / "score.json").write_text(json.dumps(score | changes))
    return folder


def record_of(cell: Cell, losses: list[float], **changes: Any) -> dict[str, Any]:
    """What `sft` writes of a run."""
    return {
        "student": cell.model,
        "student_revision": "sha256:0",
        "variant": cell.reference.rpartition(":")[2],
        "config": {"learning_rate": 1e-5, "max_steps": len(losses), "seed": cell.seed},
        "format": "chat",
        "audit": {"rows": 48, "tokens": 900, "trained_tokens": 500, "cut": 0},
        "steps": len(losses),
        "dataset": "org/set@v1.2.0",
        "dataset_commit": "c" * 40,
        "dataset_spec_hash": "v1:0",
        "dataset_manifest_sha256": "d" * 64,
        "rows_sha256": "e" * 64,
        "config_hash": "v1:1",
        "identity": f"identity of {cell.name}",
        "losses": losses,
        "seconds": 40.0,
        "versions": {"wrongcot": "0.1.0", "torch": "2"},
    } | changes


def fill(sweep: Sweep, cell: Cell, marks: str, *, losses: list[float] | None = None, **record: Any) -> None:
    """A cell that is done, with this eval; `record` changes its `sft.json`."""
    folder = sweep.folder(cell)
    for step in steps_of(sweep.spec, cell):
        place = folder.path / step.name
        place.mkdir(parents=True, exist_ok=True)
        if step.name == STUDENT:
            told = losses or [3.0, 2.0, 1.0]
            lines = [json.dumps({"step": n, "loss": loss, "num_tokens": 90.0 * n}) for n, loss in enumerate(told, 1)]
            (place / "training.jsonl").write_text("\n".join(lines))
            (place / "sft.json").write_text(json.dumps(record_of(cell, told, **record)))
            (place / "README.md").write_text("a card")
        else:
            write_eval(place, marks)
        folder.keep(cell, step.name, {**fingerprint(cell, step, folder, sweep.inputs), "made": folder.made(step.name)})
    folder.keep(cell, CARD, {"of": sweep.of_card(cell)})


def fail(sweep: Sweep, cell: Cell, error: str) -> None:
    """A cell whose training failed."""
    folder = sweep.folder(cell)
    folder.path.mkdir(parents=True, exist_ok=True)
    (step, *_) = steps_of(sweep.spec, cell)
    told = {**fingerprint(cell, step, folder, sweep.inputs), "error": error, "exit": 1, "tail": f"step 1\n{error}"}
    folder.keep(cell, step.name, told)


def curve_of(right: dict[int, int]) -> list[dict[str, Any]]:
    """A learning curve as `sft.json` has it: so many of 32 items right, by step."""
    return [
        {
            "step": step,
            "task": "countdown",
            "split": "validation",
            "n": 32,
            "strict": share(count, 32),
            "answered": share(count, 30),
            "tokens": 960,
        }
        for step, count in right.items()
    ]
