"""What came out of a sweep, cell by cell, as plain values. Everything is read; nothing is run or computed anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_train.sweep.cells import STUDENT, Cell, steps_of
from wrongcot_train.sweep.chain import Sweep
from wrongcot_train.sweep.spec import EvalPlan
from wrongcot_train.sweep.state import Folder, State, cell_state

LOSSES = "training.jsonl"


@dataclass(frozen=True, slots=True)
class CellResult:
    """A cell with what it has so far.

    Attributes:
        states: of its steps.
        record: its `sft.json`; None where nothing was trained, or not to the end.
        log: TRL's log, a mapping a step.
        scores: `score.json` by the eval's name, of those that are done.
        errors: in a line, by step; `tails`, the last lines of the logs.
    """

    cell: Cell
    folder: Path
    states: Mapping[str, State]
    record: Mapping[str, Any] | None
    log: Sequence[Mapping[str, Any]]
    scores: Mapping[str, Mapping[str, Any]]
    errors: Mapping[str, str]
    tails: Mapping[str, str]

    @property
    def state(self) -> State:
        """Where the cell is."""
        return cell_state(self.states)


def read_cell(sweep: Sweep, cell: Cell) -> CellResult:
    """What a cell has. A step that is not done, or was done for another question, counts as not there."""
    folder = sweep.folder(cell)
    states = sweep.states(cell)
    note = folder.note()
    done = [name for name, state in states.items() if state == "done"]
    found = {name: folder.result(name) or {} for name in done}
    evals = [step for step in steps_of(sweep.spec, cell) if step.plan is not None]
    errors = {name: str(note[name]["error"]) for name, state in states.items() if state == "failed"}
    errors |= {name: "other settings made what is there" for name, state in states.items() if state == "changed"}
    return CellResult(
        cell,
        folder.path,
        states,
        found.get(STUDENT),
        read_log(folder) if STUDENT in done else (),
        {step.plan.label: found[step.name] for step in evals if step.plan and step.name in found},
        errors,
        {name: str(note[name].get("tail", "")) for name, state in states.items() if state == "failed"},
    )


def read_log(folder: Folder) -> list[dict[str, Any]]:
    """TRL's log of a training run; a line that cannot be read is left out."""
    try:
        lines = (folder.path / STUDENT / LOSSES).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict) and "step" in value:
            found.append(value)
    return found


def rows_of(result: CellResult, plans: Sequence[EvalPlan]) -> list[dict[str, Any]]:
    """The rows of a cell in the table: one an eval."""
    return [_row(result, plan) for plan in plans]


def _row(result: CellResult, plan: EvalPlan) -> dict[str, Any]:
    cell = result.cell
    score = result.scores.get(plan.label)
    state = result.states.get(f"eval-{plan.label}", "waiting")
    blocked = cell.trained and result.states[STUDENT] != "done"
    error = result.errors.get(f"eval-{plan.label}") or (result.errors.get(STUDENT) if blocked else "") or ""
    return {
        "cell": cell.name,
        "student": cell.student,
        "data": cell.data,
        "seed": cell.seed,
        "eval": plan.label,
        "task": plan.task,
        "split": plan.split,
        "state": result.states[STUDENT] if blocked else state,
        **_accuracies(score),
        **training_of(result),
        "eval_tokens": score["tokens"] if score else None,
        "eval_seconds": score["seconds"] if score else None,
        "error": error,
    }


def _accuracies(score: Mapping[str, Any] | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("strict", "answered"):
        share = score[name] if score else {}
        found |= {
            name: share.get("value"),
            **{f"{name}_{end}": share.get(end) for end in ("low", "high", "correct", "n")},
        }
    return found


def training_of(result: CellResult) -> dict[str, Any]:
    """What the training cost. `sft.json` of before these fields were kept tells less, and TRL's log tells the rest."""
    record = result.record or {}
    logged = result.log[-1].get("num_tokens") if result.log else None
    tokens = record.get("tokens", logged)
    return {
        "steps": record.get("steps"),
        "loss": record["losses"][-1] if record.get("losses") else None,
        "train_tokens": None if tokens is None else int(tokens),
        "trained_tokens": record.get("tokens_trained"),
        "train_seconds": record.get("seconds"),
    }


COLUMNS = (
    *("cell", "student", "data", "seed", "eval", "task", "split", "state"),
    *("strict", "strict_low", "strict_high", "strict_correct", "strict_n"),
    *("answered", "answered_low", "answered_high", "answered_correct", "answered_n"),
    *("steps", "loss", "train_tokens", "trained_tokens", "train_seconds", "eval_tokens", "eval_seconds", "error"),
)
"""Of the table, in order. Shares are shares (0.03 is 3 %), times are seconds."""
