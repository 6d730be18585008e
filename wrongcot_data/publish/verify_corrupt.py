"""Whether the rows of `corrupt` are what their labels say, from the data set alone.

Each row by itself: its steps are checked again, each invalid one has an operator and no other has, and their share is
its level's. Then the set: where the level 0 is there, the chain of each of its rows is made again, which finds every
row that is missing, one too many, or not the element it says it is. Where a teacher was asked for mistakes, each of its
replies is judged again, and the chains are made of those that the data set holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field

from wrongcot_data.pool.grading import verdict as verdict_of
from wrongcot_data.publish.columns import problem_of, text_of
from wrongcot_data.publish.verify_replies import ReadRows, Row, verdict_faults
from wrongcot_data.records import Problem, Step, Verdict
from wrongcot_data.spec import BuildSpec, content_hash
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.corrupt.base import Place
from wrongcot_data.variants.corrupt.chain import Element
from wrongcot_data.variants.corrupt.levels import wanted
from wrongcot_data.variants.corrupt.rows import chain_of, config_of, element_at, rules_of
from wrongcot_data.variants.corrupt.teacher.operator import Told, asking
from wrongcot_data.variants.corrupt.teacher.spoiling import Spoiling, askable
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES


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


def reply_faults(task: Task, problem: Problem, row: Row) -> Iterator[str]:
    """Whether a row of `corrupt_samples` has the verdict that it says, about a step that can be asked about."""
    text, number = row["parent_completion"], row["step"]
    steps = tuple(task.steps(problem, text))
    if askable(Place(task, problem, text, steps, 0)).get(row["step_text"]) != number:
        yield f"step {number} with its step_text is none of parent_completion that can be asked about"
        return
    spoiling = Spoiling(task)
    asked = spoiling.of(problem, text, steps, number, row["parent_id"])
    yield from verdict_faults(row, verdict_of(spoiling, asked, row["completion"], row["finish_reason"], row["error"]))


@dataclass(slots=True)
class _Asked:
    """What a teacher was asked about one trace.

    Attributes:
        texts: of the trace, as the replies have it.
        replies: those that were accepted, by the text of the step.
    """

    texts: set[str] = field(default_factory=set)
    replies: dict[str, list[str]] = field(default_factory=dict)


def _asked(rows: Iterable[Row]) -> dict[str, _Asked]:
    """What a teacher was asked, by the name of the trace."""
    found: dict[str, _Asked] = {}
    for row in rows:
        one = found.setdefault(row["parent_id"], _Asked())
        one.texts.add(row["parent_completion"])
        replies = one.replies.setdefault(row["step_text"], [])
        if row["grade"] == "correct":
            replies.append(row["answer"])
    return found


def set_faults(task: Task, spec: BuildSpec, read: ReadRows, teacher: str) -> Iterator[str]:
    """What of the levels together is not so; nothing can be said where the level 0 is not among them.

    Args:
        read: the rows of a config.
        teacher: who was asked for mistakes; empty where nobody was.

    Raises:
        BadInput: an operator of the spec is not installed here.
    """
    levels = spec.corrupt.levels
    if "corrupt" not in spec.variants or 0 not in levels:
        return
    top = max(levels)
    asked = _asked(read(CORRUPT_SAMPLES)) if teacher else {}
    found: dict[tuple[int, str], list[str]] = {}
    for level in levels:
        for row in read(config_of(level)):
            found.setdefault((level, row["parent_id"]), []).append(_mark(text_of(row), row["steps"]))
    bases = set()
    for row in read(config_of(0)):
        bases.add(row["parent_id"])
        problem, text = problem_of(task, row), text_of(row)
        base = Element(text, tuple(task.steps(problem, text)), task.grade(problem, text, "stop"))
        about = asked.get(row["parent_id"], _Asked())
        if about.texts - {text}:
            yield f"{CORRUPT_SAMPLES}: parent_completion is not the text of {row['parent_id']}"
        told = Told(base.steps, about.replies)
        rules = rules_of(task, spec.corrupt, spec.seed, asking(teacher, task, told))
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
