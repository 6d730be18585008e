"""Graded replies, and the file that holds them: one row an item, however many replies it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.pool.grading import verdict
from wrongcot_data.tasks.base import Task
from wrongcot_train.evaluate.exam import Exam
from wrongcot_train.evaluate.prompts import prompt_text
from wrongcot_train.evaluate.samples import first_alike, vote_at
from wrongcot_train.replies import Reply

if TYPE_CHECKING:
    import pyarrow as pa

ITEMS = "items.parquet"

OF_ITEM = ("problem_id", "prompt")
OF_REPLY = (
    *("completion", "finish_reason", "grade", "reason", "answer", "sandbox", "correct"),
    *("n_prompt_tokens", "n_tokens", "error", "engine"),
)
"""Of the items, before the task's own; those that the pool of a data set has too mean and hold the same there. Where an
item has several replies, those of a reply hold a list each, in the order of the samples."""

OF_VOTE = ("alike", "majority")
"""Of an item with several replies: for each the number of the first one with the same answer (-1: it has none; empty
where a task's answers cannot be told equal), and how much of the majority is right (null there)."""

Item = Sequence[Mapping[str, Any]]
"""The graded replies to one problem, in the order of the samples."""


def grade_reply(exam: Exam, reply: Reply) -> dict[str, Any]:
    """A reply with its verdict and its problem's columns."""
    problem = exam.problems[reply.problem_id]
    found = verdict(exam.task, problem, reply.completion, reply.finish_reason, reply.error)
    return {
        **asdict(reply),
        "prompt": prompt_text(exam.prompts[reply.problem_id]),
        "grade": found.grade,
        "reason": found.reason,
        "answer": found.answer,
        "sandbox": found.sandbox,
        "correct": found.grade == "correct",
        **{name: problem.data[name] for name in exam.task.columns},
    }


def item_row(exam: Exam, item: Item) -> dict[str, Any]:
    """The row of an item: of a single reply its values, of several a list in each of their columns."""
    if len(item) == 1:
        return dict(item[0])
    alike = first_alike(exam.task, exam.problems[item[0]["problem_id"]], item)
    return {
        **{name: item[0][name] for name in (*OF_ITEM, *exam.task.columns)},
        **{name: [reply[name] for reply in item] for name in OF_REPLY},
        "alike": alike,
        "majority": vote_at(alike, [reply["correct"] for reply in item], len(item)) if alike else None,
    }


def write_items(path: Path, task: Task, rows: Sequence[Mapping[str, Any]], samples: int) -> None:
    """One row an item, in the order of the items."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    half_written = path.with_name(f".{path.name}")
    pq.write_table(pa.Table.from_pylist(list(rows), schema=items_schema(task, samples)), half_written)
    half_written.replace(path)


def items_schema(task: Task, samples: int) -> pa.Schema:
    """The columns of the file with their types."""
    import pyarrow as pa

    from wrongcot_data.publish.columns import SAMPLES, schema

    shared = schema(task, SAMPLES)
    of_reply = {name: pa.bool_() if name == "correct" else shared.field(name).type for name in OF_REPLY}
    of_vote = dict(zip(OF_VOTE, (pa.list_(pa.int32()), pa.float64()), strict=True))
    if samples > 1:
        of_reply = {name: pa.list_(kind) for name, kind in of_reply.items()} | of_vote
    own = {name: shared.field(name).type for name in task.columns}
    return pa.schema([*dict.fromkeys(OF_ITEM, pa.string()).items(), *of_reply.items(), *own.items()])
