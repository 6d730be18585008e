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
from wrongcot_data.receipt import LeftOut
from wrongcot_data.records import Step, Verdict
from wrongcot_data.spec import BuildSpec, content_hash
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.chain import Element, Rules
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
    rules = rules_of(task, spec.corrupt, spec.seed)
    found: dict[tuple[int, str], list[str]] = {}
    for level in levels:
        for row in read(config_of(level)):
            found.setdefault((level, row["parent_id"]), []).append(_mark(text_of(row), row["steps"]))
    for row in read(config_of(0)):
        made = _made_from(task, row, rules, max(levels))
        for level in levels:
            yield from _element_faults(row["parent_id"], made, level, found.get((level, row["parent_id"]), []), spec)
    if spec.match == "none":
        yield from _missing_bases(task, spec, read, found)


def _element_faults(
    parent: str, made: Sequence[Element] | LeftOut, level: int, rows: list[str], spec: BuildSpec
) -> Iterator[str]:
    """Whether the rows that one base has at a level are those that its chain makes."""
    element = element_at(made, level)
    due = [_mark(element.text, map(asdict, element.steps))] if isinstance(element, Element) else []
    if len(rows) < len(due):
        if spec.match == "none":  # else it is matched away
            yield f"{config_of(level)}: the row made from {parent} is missing"
    elif rows != due:
        yield f"{config_of(level)}: the row made from {parent} is not what its level 0 becomes"


def _missing_bases(
    task: Task, spec: BuildSpec, read: Callable[[str], Iterator[Row]], found: Mapping[tuple[int, str], object]
) -> Iterator[str]:
    """Traces that have no row at level 0 though a chain of them begins, or one of another level without it."""
    bases = {parent for level, parent in found if level == 0}
    for level, parent in found:
        if parent not in bases:
            yield f"{config_of(0)}: the row of {parent} is missing, from which one of {config_of(level)} is made"
    rules, base = rules_of(task, spec.corrupt, spec.seed), spec.corrupt.base
    for row in read(base) if base in spec.variants else ():
        name = row["parent_id"] or f"{row['problem_id']}:{base}"
        known = {(level, name) for level in spec.corrupt.levels} & found.keys()
        if not known and not isinstance(_made_from(task, row, rules, 0), str):
            yield f"{config_of(0)}: the row made from {name} is missing"


def _made_from(task: Task, base: Row, rules: Rules, top: int) -> Sequence[Element] | LeftOut:
    """The chain of a row's trace, as `rows.chain_of` makes it."""
    problem, text = problem_of(task, base), text_of(base)
    element = Element(text, tuple(task.steps(problem, text)), task.grade(problem, text, "stop"))
    return chain_of(task, problem, element, rules, top)


def _mark(text: str, steps: Iterable[Row]) -> str:
    """What is remembered of a row: its text and its operators, in short."""
    return content_hash([text, [step["operator"] for step in steps]])
