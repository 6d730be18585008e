"""The matrix of a sweep, cell by cell, and the commands that fill a cell. Pure."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, unknown
from wrongcot_train.sweep.names import BASE
from wrongcot_train.sweep.spec import EvalPlan, SweepSpec

PROGRAM = (sys.executable, "-P", "-m", "wrongcot_train")
"""This very program: `-P`, so that no file in the current folder is taken for a library."""

CELLS = "cells"
STUDENT = "student"
SETTINGS = "sft.yaml"


@dataclass(frozen=True, slots=True)
class Cell:
    """One student trained on one variant with one seed, and scored; or scored as it is.

    Attributes:
        name: of its folder; no two cells of any sweep that share a folder have the same.
        student: its name in tables, `model` as the commands take it.
        data: the name of its data, `reference` as the commands take it; `base` and empty where nothing is trained.
        seed: None where nothing is trained.
    """

    name: str
    student: str
    model: str
    data: str
    reference: str
    seed: int | None

    @property
    def trained(self) -> bool:
        """Whether anything is."""
        return self.seed is not None


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a cell.

    Attributes:
        name: `student`, or `eval-NAME`.
        plan: of an eval; None of the training.
        asked: everything that decides what the command makes, for its fingerprint.
    """

    name: str
    plan: EvalPlan | None
    asked: dict[str, Any]


def cells_of(spec: SweepSpec) -> list[Cell]:
    """All cells in the order in which they run: the untrained students first, then seed by seed.

    The first seed of everything comes before the second of anything, so that a sweep that is stopped early has
    something to compare.
    """
    return [*_base_cells(spec), *_trained_cells(spec)]


def _base_cells(spec: SweepSpec) -> Iterator[Cell]:
    for student, model in spec.students.items() if spec.base else ():
        yield Cell(f"{student}--{BASE}", student, model, BASE, "", None)


def _trained_cells(spec: SweepSpec) -> Iterator[Cell]:
    for seed in spec.seeds:
        for student, model in spec.students.items():
            for data, reference in spec.data.items():
                yield Cell(f"{student}--{data}--seed{seed}", student, model, data, reference, seed)


def chosen(cells: Sequence[Cell], names: Sequence[str], patterns: Sequence[str]) -> list[Cell]:
    """The cells with one of these names or that fit one of the patterns; all where neither is given.

    Raises:
        BadInput: a name or pattern that fits none.
    """
    if not names and not patterns:
        return list(cells)
    known = [cell.name for cell in cells]
    for name in names:
        if name not in known:
            raise unknown("cell", name, known)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in known):
            raise BadInput(f"no cell is like {pattern!r}", try_=["--dry-run    (lists the cells)"])
    fits = {*names, *(name for name in known for pattern in patterns if fnmatchcase(name, pattern))}
    return [cell for cell in cells if cell.name in fits]


def steps_of(spec: SweepSpec, cell: Cell) -> list[Step]:
    """The commands of a cell, in order."""
    evals = [Step(f"eval-{plan.label}", plan, _asked_of_eval(plan)) for plan in spec.eval]
    if not cell.trained:
        return evals
    asked = {
        "student": cell.model,
        "dataset": cell.reference,
        "seed": cell.seed,
        "preset": spec.preset,
        "settings": spec.sft,
    }
    return [Step(STUDENT, None, asked), *evals]


def _asked_of_eval(plan: EvalPlan) -> dict[str, Any]:
    return plan.model_dump(mode="json", exclude={"name"}, exclude_none=True)


def command(spec: SweepSpec, cell: Cell, step: Step, folder: Path, *, resume: bool = False) -> list[str]:
    """What a person would type for a step, without the program's name.

    Args:
        folder: the cell's own.
        resume: whether a training run that was interrupted is to go on.
    """
    if step.plan is None:
        return _sft_command(spec, cell, folder, resume)
    model = str(folder / STUDENT) if cell.trained else cell.model
    return _eval_command(step.plan, model, folder / step.name)


def _sft_command(spec: SweepSpec, cell: Cell, folder: Path, resume: bool) -> list[str]:
    words = ["sft", "--student", cell.model, "--dataset", cell.reference, "--seed", str(cell.seed)]
    words += ["--preset", spec.preset] if spec.preset else []
    words += ["--config", str(folder / SETTINGS)] if spec.sft else []
    return [*words, *(["--resume"] if resume else []), "--out", str(folder / STUDENT)]


def _eval_command(plan: EvalPlan, model: str, out: Path) -> list[str]:
    repeated = {"trained_on", "problems", "engine_options"}
    asked = plan.model_dump(mode="json", exclude={"name", "task", *repeated}, exclude_none=True)
    words = ["eval", "--model", model, "--task", plan.task, *_flags(asked)]
    words += [word for text in plan.trained_on for word in ("--trained-on", text)]
    for flag, options in (("--problems", plan.problems), ("--engine-option", plan.engine_options)):
        for name, value in options.items():
            words += [flag, f"{name}={json.dumps(value, ensure_ascii=False)}"]  # JSON is YAML, which the flag takes
    return [*words, "--out", str(out)]


def _flags(values: dict[str, Any]) -> list[str]:
    return [word for name, value in values.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def shell_line(sweep: Path, out: Path, cell: Cell) -> str:
    """One line that a shell in any folder can run, and that fills this cell only."""
    words = [*PROGRAM, "sweep", str(sweep.resolve()), "--out", str(out.resolve()), "--cell", cell.name]
    return f"cd {shlex.quote(str(Path.cwd()))} && {shlex.join(words)}"
