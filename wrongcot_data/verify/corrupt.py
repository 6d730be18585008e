"""Whether the rows of `corrupt` are what their labels say, from the data set alone.

Each row by itself: its steps are checked again, each invalid one has an operator and no other has, and their share is
its level's. Then the set: where the level 0 is there, the chain of each of its rows is made again, which finds every
row that is missing, one too many, or not the element it says it is. Where a teacher was asked for mistakes, each of its
replies is judged again, and the chains are made of those that the data set holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

from wrongcot_data.pool.grading import verdict as verdict_of
from wrongcot_data.publish.columns import problem_of, text_of
from wrongcot_data.receipt import LeftOut
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
from wrongcot_data.verify.parents import ReadRows, text_hash
from wrongcot_data.verify.replies import Row, verdict_faults


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


class _Chains:
    """Makes the chains of a data set again, of the replies that it holds.

    Args:
        teacher: who was asked for mistakes; empty where nobody was.
    """

    def __init__(self, task: Task, spec: BuildSpec, read: ReadRows, teacher: str) -> None:
        self._task, self._spec, self._teacher = task, spec, teacher
        self._replies: dict[str, dict[str, list[str]]] = {}
        self._texts: dict[str, set[bytes]] = {}
        for row in read(CORRUPT_SAMPLES) if teacher else ():
            self._texts.setdefault(row["parent_id"], set()).add(text_hash(row["parent_completion"]))
            of_step = self._replies.setdefault(row["parent_id"], {}).setdefault(row["step_text"], [])
            of_step += [row["answer"]] if row["grade"] == "correct" else []

    def is_about(self, name: str, base: Row) -> bool:
        """Whether all replies that are about a trace have the text of it that its row has."""
        return self._texts.get(name, set()) <= {text_hash(text_of(base))}

    def made_from(self, name: str, base: Row, top: int) -> Sequence[Element] | LeftOut:
        """The chain of a row's trace, as `rows.chain_of` makes it.

        Args:
            name: of the trace.
        """
        problem, text = problem_of(self._task, base), text_of(base)
        element = Element(text, tuple(self._task.steps(problem, text)), self._task.grade(problem, text, "stop"))
        asked = asking(self._teacher, self._task, Told(element.steps, self._replies.get(name, {})))
        rules = rules_of(self._task, self._spec.corrupt, self._spec.seed, asked)
        return chain_of(self._task, problem, element, rules, top)


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
    chains = _Chains(task, spec, read, teacher)
    found: dict[tuple[int, str], list[str]] = {}
    for level in levels:
        for row in read(config_of(level)):
            found.setdefault((level, row["parent_id"]), []).append(_mark(text_of(row), row["steps"]))
    for row in read(config_of(0)):
        if not chains.is_about(row["parent_id"], row):
            yield f"{CORRUPT_SAMPLES}: their parent_completion is not the text of {row['parent_id']} at level 0"
        made = chains.made_from(row["parent_id"], row, max(levels))
        for level in levels:
            yield from _element_faults(row["parent_id"], made, level, found.get((level, row["parent_id"]), []), spec)
    if spec.match == "none":
        yield from _missing_bases(chains, spec, read, found)


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
    chains: _Chains, spec: BuildSpec, read: ReadRows, found: Mapping[tuple[int, str], object]
) -> Iterator[str]:
    """Traces that have no row at level 0 though a chain of them begins, or one of another level without it."""
    bases = {parent for level, parent in found if level == 0}
    for level, parent in found:
        if parent not in bases:
            yield f"{config_of(0)}: the row of {parent} is missing, from which one of {config_of(level)} is made"
    base = spec.corrupt.base
    for row in read(base) if base in spec.variants else ():
        name = row["parent_id"] or f"{row['problem_id']}:{base}"
        known = {(level, name) for level in spec.corrupt.levels} & found.keys()
        if not known and not isinstance(chains.made_from(name, row, 0), str):
            yield f"{config_of(0)}: the row made from {name} is missing"


def _mark(text: str, steps: Iterable[Row]) -> str:
    """What is remembered of a row: its text and its operators, in short."""
    return content_hash([text, [step["operator"] for step in steps]])
