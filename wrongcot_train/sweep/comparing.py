"""Students of a sweep held against each other, by `wrongcot_train.compare`: runs of one recipe are its seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wrongcot_data.errors import WrongcotError
from wrongcot_train import statistics as stats
from wrongcot_train.sweep.names import BASE
from wrongcot_train.sweep.results import CellResult
from wrongcot_train.sweep.spec import SweepSpec

REFERENCE = ":reference"

FAMILIES = ("strict", "answered", "runs")
"""Kinds of tests that are adjusted apart, as in a single comparison."""


def against(spec: SweepSpec) -> str:
    """Whom the others are held against: as the sweep says; else the first `reference`, the untrained student, or the
    first data set.
    """
    if spec.against:
        return spec.against
    references = [name for name, text in spec.data.items() if text.endswith(REFERENCE)]
    return [*references, *([BASE] if spec.base else []), *spec.data][0]


def comparisons(spec: SweepSpec, results: Sequence[CellResult]) -> list[dict[str, Any]]:
    """A comparison of each student and eval: `student`, `eval`, and `result` or the reason `why` there is none.

    Holm's adjustment is over all comparisons of the sweep, each family apart.
    """
    found = []
    for student in spec.students:
        for plan in spec.eval:
            groups = _groups(spec, [one for one in results if one.cell.student == student], plan.label)
            found.append({"student": student, "eval": plan.label, **_compared(groups)})
    _adjust([one["result"] for one in found if one["result"]])
    return found


def _groups(spec: SweepSpec, results: Sequence[CellResult], label: str) -> dict[str, list[Path]]:
    """The evals that are done by the name of their data, whom all are held against first."""
    first = against(spec)
    order = [first, *(name for name in (BASE, *spec.data) if name != first)]
    groups = {
        name: [one.folder / f"eval-{label}" for one in results if one.cell.data == name and label in one.scores]
        for name in order
    }
    return {name: folders for name, folders in groups.items() if folders}


def _compared(groups: Mapping[str, list[Path]]) -> dict[str, Any]:
    from wrongcot_train.compare import compare, read_groups

    if len(groups) < 2:
        return {"result": None, "why": f"nothing to compare with: only {', '.join(groups) or 'nothing'} is scored"}
    try:
        # a sweep that grows may have scored more items of one than of another: it is over those that all have
        return {"result": compare(read_groups(groups), common=True), "why": ""}
    except WrongcotError as error:
        return {"result": None, "why": error.message}


def _adjust(results: Sequence[Mapping[str, Any]]) -> None:
    """Holm's p values over all comparisons of the sweep, in place of those over the comparisons of one call."""
    for family in FAMILIES:
        tests = [one[family] for result in results for one in result["comparisons"] if one[family] is not None]
        for test, adjusted in zip(tests, stats.holm([test["p"] for test in tests]), strict=True):
            test["p_holm"] = adjusted
