"""Measures the step checker against people's labels: does a trace with a false equation have an error, and where?

Every function takes the rows of one data set as their file has them and returns a dict of counts, shares and, under
`doubtful`, each case that speaks against the checker, to be read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from wrongcot_data.steps.equations import Equation, false_equations

Row = Mapping[str, Any]

_MARKS = re.compile(r"<<.*?>>")


def first_false(steps: Sequence[str]) -> tuple[int, Equation] | None:
    """The first of the steps that has a false equation, and that equation."""
    for number, step in enumerate(steps):
        found = false_equations(step)
        if found:
            return number, found[0]
    return None


def labelled_steps(rows: Iterable[tuple[str, Sequence[str], int]]) -> dict[str, Any]:
    """Precision and recall on traces whose first wrong step people have labelled.

    Args:
        rows: id, steps, number of the first wrong step from 0 (-1: none) of each trace.

    Returns:
        `flagged`: traces with a false equation; `right_flagged`: those that have an error; `precision`; `recall`: of
        the traces with an error; `early`: false equations before the labelled step; `at`: in it; `doubtful`.
    """
    wrong = flagged = right_flagged = early = at = n_traces = 0
    doubtful = []
    for name, steps, label in rows:
        n_traces += 1
        wrong += label >= 0
        found = first_false(steps)
        if not found:
            continue
        flagged += 1
        right_flagged += label >= 0
        early += 0 <= found[0] < label
        at += found[0] == label
        if label < 0 or found[0] < label:
            doubtful.append({"id": name, "label": label, **_shown(found[0], steps[found[0]], found[1])})
    return {
        "traces": n_traces,
        "wrong": wrong,
        "flagged": flagged,
        "right_flagged": right_flagged,
        "precision": _share(right_flagged, flagged),
        "recall": _share(right_flagged, wrong),
        "early": early,
        "at": at,
        "doubtful": doubtful,
    }


def human_solutions(traces: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """How many solutions by people have an equation that is called false; nearly all are right."""
    n_traces = 0
    doubtful = []
    for name, trace in traces:
        n_traces += 1
        found = false_equations(trace)
        if found:
            doubtful.append({"id": name, **_shown(-1, trace, found[0])})
    return {"traces": n_traces, "flagged": len(doubtful), "rate": _share(len(doubtful), n_traces), "doubtful": doubtful}


def graded_solutions(traces: Iterable[tuple[str, bool]]) -> dict[str, Any]:
    """How many of the right and of the wrong solutions (by their answer only) have a false equation."""
    counts = {True: [0, 0], False: [0, 0]}
    doubtful = []
    for trace, right in traces:
        found = false_equations(trace)
        counts[right][0] += 1
        counts[right][1] += bool(found)
        if found and right:
            doubtful.append(_shown(-1, trace, found[0]))
    (n_right, flagged_right), (n_wrong, flagged_wrong) = counts[True], counts[False]
    return {
        "right": n_right,
        "right_flagged": flagged_right,
        "wrong": n_wrong,
        "wrong_flagged": flagged_wrong,
        "share_of_right": _share(flagged_right, n_right),
        "share_of_wrong": _share(flagged_wrong, n_wrong),
        "doubtful": doubtful,
    }


def processbench(rows: Iterable[Row]) -> dict[str, Any]:
    """ProcessBench: `label` is the first wrong step, -1 for none."""
    return labelled_steps((row["id"], row["steps"], row["label"]) for row in rows)


def mr_gsm8k(rows: Iterable[Row]) -> dict[str, Any]:
    """MR-GSM8K's wrong solutions: every trace has an error, so only early alarms speak against the checker."""
    return labelled_steps(
        (row["uuid"], row["model_output_steps"], int(row["model_output_solution_first_error_step"]) - 1) for row in rows
    )


def bigbench_mistake(rows: Iterable[Row]) -> dict[str, Any]:
    """BIG-Bench Mistake: `mistake_index`, null for none."""
    return labelled_steps(
        (row["id"], row["steps"], -1 if row["mistake_index"] is None else row["mistake_index"]) for row in rows
    )


def champ(rows: Iterable[Row]) -> dict[str, Any]:
    """CHAMP: the trace before its first wrong step is step 0, what follows is step 1."""

    def cut(row: Row) -> tuple[str, Sequence[str], int]:
        start = row["first_wrong_start"]
        if start is None:
            return row["id"], [row["trace"]], -1
        return row["id"], [row["trace"][:start], row["trace"][start:]], 1

    return labelled_steps(cut(row) for row in rows)


def prm800k(rows: Iterable[Row]) -> dict[str, Any]:
    """PRM800K: each rated candidate as a trace of one step; the steps before it are rated themselves."""
    return labelled_steps(
        (f"{row['math_id']}:{place}", [candidate["text"]], 0 if candidate["rating"] == -1 else -1)
        for row in rows
        for place, step in enumerate(row["steps"])
        for candidate in step["candidates"]
        if candidate["rating"] is not None
    )


def gsm8k(rows: Iterable[Row], *, marks: bool = False) -> dict[str, Any]:
    """GSM8K's human solutions, with or without their calculator marks."""
    return human_solutions(
        (str(number), row["answer"] if marks else _MARKS.sub("", row["answer"])) for number, row in enumerate(rows)
    )


def math(rows: Iterable[Row]) -> dict[str, Any]:
    """MATH's human solutions."""
    return human_solutions((row["id"], row["solution"]) for row in rows)


def gsm8k_model_solutions(rows: Iterable[Row], *, marks: bool = False) -> dict[str, Any]:
    """GSM8K's model solutions, four a question."""
    names = ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification")
    solutions = [row[name] for row in rows for name in names]
    return graded_solutions(
        (solution["solution"] if marks else _MARKS.sub("", solution["solution"]), solution["is_correct"])
        for solution in solutions
    )


def _shown(number: int, step: str, equation: Equation) -> dict[str, Any]:
    around = step[max(0, equation.start - 80) : equation.end + 60]
    return {"step": number, "equation": equation.text, "value": str(equation.value), "around": around}


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
