"""Grades other people's completions, a row each. A row that cannot be graded is a fault, never a stop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, get_args

from wrongcot_data.errors import Unavailable, WrongcotError
from wrongcot_data.parallel import in_order
from wrongcot_data.pool.journal import storable
from wrongcot_data.records import FinishReason
from wrongcot_data.tasks.base import Task

FINISH_REASONS: tuple[FinishReason, ...] = get_args(FinishReason)


@dataclass(frozen=True, slots=True)
class GradedLine:
    """What became of a line: its row with the verdict added, or why there is none.

    Attributes:
        line: number in the file, from 1.
    """

    line: int
    row: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


def grade_lines(task: Task, lines: Iterable[bytes], scorer: str | None = None) -> Iterator[GradedLine]:
    """Grade each line; blank ones are passed over.

    Args:
        scorer: one of the task's other scorers; its score is added as the field `SCORER_score`.
    """
    numbered = ((number, raw) for number, raw in enumerate(lines, start=1) if raw.strip())
    return in_order(lambda one: _grade_line(task, *one, scorer), numbered)


def _grade_line(task: Task, number: int, raw: bytes, scorer: str | None) -> GradedLine:
    try:
        row = json.loads(raw.decode("utf-8-sig" if number == 1 else "utf-8"))  # some editors put a mark before it
    except UnicodeDecodeError:
        return GradedLine(number, fault="not UTF-8")
    except (ValueError, RecursionError) as error:
        return GradedLine(number, fault=f"not JSON: {str(error)[:100]}")
    return grade_row(task, row, number, scorer)


def grade_row(task: Task, row: Any, number: int, scorer: str | None = None) -> GradedLine:
    """Grade one row: a mapping with `completion` and a problem by id or inline, as the task reads it.

    `completion` is text, or chat turns of which the assistant's are read; `finish_reason` counts where it is one of
    ours. What is graded is the text as UTF-8 can hold it, and the offsets of the steps count in that.

    Raises:
        Unavailable: this machine cannot grade for this task at all.
    """
    if not isinstance(row, dict):
        return GradedLine(number, fault=f"not an object but {type(row).__name__}")
    text = _completion(row)
    if text is None:
        return GradedLine(number, fault="no `completion` in text or chat turns")
    text = storable(text)
    try:
        problem = task.read_problem(row)
    except Unavailable:
        raise
    except WrongcotError as error:
        return GradedLine(number, fault=error.message)
    finish = row.get("finish_reason")
    known: FinishReason = next((reason for reason in FINISH_REASONS if reason == finish), "unknown")
    verdict = task.grade(problem, text, known)
    added: dict[str, Any] = {
        **asdict(verdict),
        "steps": [asdict(step) for step in task.steps(problem, text)],
    }
    if scorer:
        added[f"{scorer}_score"] = task.scorers[scorer](problem, text)
    return GradedLine(number, {**row, "problem_id": problem.id, **added})


def _completion(row: Mapping[str, Any]) -> str | None:
    completion = row.get("completion")
    if isinstance(completion, str):
        return completion
    if not isinstance(completion, list) or not all(isinstance(turn, dict) for turn in completion):
        return None
    said = [turn.get("content") for turn in completion if turn.get("role") == "assistant"]
    return "\n".join(said) if said and all(isinstance(text, str) for text in said) else None
