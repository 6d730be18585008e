"""Whether the rows of `corrupt` are what their labels say, from the data set alone.

Each row by itself: its steps are checked again, each invalid one has an operator and no other has, and their share is
its level's. Then the set: where the level 0 is there, the chain of each of its rows is made again, which finds every
row that is missing, one too many, or not the element it says it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from wrongcot_data.publish.columns import problem_of, text_of
from wrongcot_data.records import Step, Verdict
from wrongcot_data.spec import BuildSpec, content_hash
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.chain import Element
from wrongcot_data.variants.corrupt.levels import wanted
from wrongcot_data.variants.corrupt.rows import chain_of, config_of, element_at, rules_of

Row = Mapping[str, Any]


def row_faults(row: Row, config: str, steps: Sequence[Step], verdict: Verdict) -> Iterator[str]:
    """What of a row is not so, given its steps and its grade as they are found now."""
    told = row["steps"]
    if row["variant"] != "corrupt" or config != config_of(row["level"] if row["level"] in range(101) else 0):
        yield f"variant is {row['variant']!r} and level {row['level']}, in {config}"
        return
    if verdict.grade not in ("correct", "wrong"):
        yield f"graded {verdict.grade}, which has no place in {config}"
    if row["answer_kept"] != (verdict.grade == "correct"):
        yield f"answer_kept is {row['answer_kept']}, but it is graded {verdict.grade}"
    if "tests" in row:
        yield from _program_faults(row, verdict)
        return
    for number, (label, step) in enumerate(zip(told, steps, strict=False)):
        if bool(label["operator"]) != (step.verdict == "invalid"):
            yield f"step {number} is {step.verdict}, but its operator is {label['operator']!r}"
    wrong = sum(step.verdict == "invalid" for step in steps)
    checkable = sum(step.verdict != "unchecked" for step in steps)
    if wrong != wanted(row["level"], checkable):
        yield f"{wrong} of {checkable} checkable steps are wrong, which is not level {row['level']}"


def _program_faults(row: Row, verdict: Verdict) -> Iterator[str]:
    """What of a program's row is not so: made wrong where its level says so, and failing then."""
    changed = sum(step["operator"] != "" for step in row["steps"])
    if bool(changed) != bool(row["level"]):
        yield f"{changed} statements are made wrong, which is not level {row['level']}"
    if verdict.grade != ("wrong" if row["level"] else "correct"):
        yield f"graded {verdict.grade}, which is not level {row['level']}"


def set_faults(task: Task, spec: BuildSpec, read: Callable[[str], Iterator[Row]]) -> Iterator[str]:
    """What of the levels together is not so; nothing can be said where the level 0 is not among them.

    Args:
        read: the rows of a config.

    Raises:
        BadInput: an operator of the spec is not installed here.
    """
    levels = spec.corrupt.levels
    if "corrupt" not in spec.variants or 0 not in levels:
        return
    rules, top = rules_of(task, spec.corrupt, spec.seed), max(levels)
    found: dict[tuple[int, str], list[str]] = {}
    for level in levels:
        for row in read(config_of(level)):
            found.setdefault((level, row["parent_id"]), []).append(_mark(text_of(row), row["steps"]))
    bases = set()
    for row in read(config_of(0)):
        bases.add(row["parent_id"])
        problem, text = problem_of(task, row), text_of(row)
        base = Element(text, tuple(task.steps(problem, text)), task.grade(problem, text, "stop"))
        made = chain_of(task, problem, base, rules, top)
        for level in levels:
            element = element_at(made, level)
            due = [_mark(element.text, map(asdict, element.steps))] if isinstance(element, Element) else []
            rows = found.get((level, row["parent_id"]), [])
            if len(rows) < len(due) and spec.match != "none":
                continue  # matched away
            if len(rows) < len(due):
                yield f"{config_of(level)}: the row made from {row['parent_id']} is missing"
            elif rows != due:
                yield f"{config_of(level)}: the row made from {row['parent_id']} is not what its level 0 becomes"
    for level, parent in found:
        if parent not in bases and spec.match == "none":
            yield f"{config_of(0)}: the row of {parent} is missing, from which one of {config_of(level)} is made"


def _mark(text: str, steps: Iterable[Row]) -> str:
    """What is remembered of a row: its text and its operators, in short."""
    return content_hash([text, [step["operator"] for step in steps]])
