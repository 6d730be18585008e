"""What a page shows of a row: its text in pieces, its verdicts, and where it comes from. Pure.

The text is cut into pieces here and not in the browser, which counts characters in another way than Python: offsets
behind a character outside of Unicode's first plane would be wrong there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wrongcot_data.page.choice import Entry, kind_of
from wrongcot_data.publish.columns import COMMON
from wrongcot_data.steps.faults import told_faults
from wrongcot_data.variants.corrupt.rows import CONFIGS as CORRUPT_CONFIGS

Row = Mapping[str, Any]

Piece = str | list[str]
"""Text between steps, or a step: its text, verdict, what is wrong with it and the operator that made it wrong."""

MOST_CHARACTERS = 20_000
"""Of a trace or a prompt; the row has all of it."""

MOST_OF_A_WORD = 1_000
"""Characters of anything else."""

ABOUT = {
    "author": "author",
    "teacher": "teacher",
    "teacher_revision": "revision",
    "engine": "engine",
    "prompt_template": "prompt",
    "sampling": "sampling",
    "n_tokens": "tokens",
    "finish_reason": "finish",
    "parent_id": "made from",
    "step_text": "step",
    "form": "form of the answer",
    "sandbox": "sandbox",
    "error": "error",
    "grader_version": "grader",
}
"""Columns that tell of a row, and their names on the page; empty ones are left out."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A row as the page has it.

    Attributes:
        id: config and number in it, which finds the row again: `wrong/17`.
        variant: its config, but `corrupt` for every level of it.
        role: the variant it is of, which in a mix is not its config.
        reason: without what was found; `told` is the whole of it.
        cut: characters left out at the end.
        about: more of it, name and value.
        name: by which others point to it; `parent` is what it points to.
        parent_text: text of the trace, or of the step of one, that it rewrites; empty where it does not.
    """

    id: str
    problem_id: str
    variant: str
    role: str
    level: int
    grade: str
    reason: str
    told: str
    answer: str
    pieces: list[Piece]
    cut: int
    about: list[tuple[str, str]]
    name: str
    parent: str
    parent_text: str


def shown(entry: Entry, row: Row) -> Shown:
    """A row as the page has it."""
    text = turns(row["completion"])
    steps = row.get("steps") or []
    parent = row.get("parent_id") or ""
    role = row.get("variant") or entry.config
    return Shown(
        id=f"{entry.config}/{entry.number}",
        problem_id=entry.problem_id,
        variant="corrupt" if entry.config in CORRUPT_CONFIGS else entry.config,
        role=role,
        level=row.get("level") or 0,
        grade=entry.grade,
        reason=shortened(kind_of(entry).reason),
        told=shortened(entry.reason),
        answer=shortened(row["answer"]),
        pieces=pieces(text[:MOST_CHARACTERS], steps),
        cut=max(0, len(text) - MOST_CHARACTERS),
        about=_about(row),
        name=row.get("sample_id") or parent or f"{entry.problem_id}:{role}",  # as records.trace_id has it
        parent=parent,
        parent_text=(row.get("step_text") or row.get("parent_completion") or "")[:MOST_CHARACTERS],
    )


def pieces(text: str, steps: Sequence[Row]) -> list[Piece]:
    """A text cut at its steps; together the pieces are the text, whatever the offsets say."""
    found: list[Piece] = []
    at = 0
    for step, fault in zip(steps, told_faults(text, steps), strict=True):
        start, end = max(at, step["start"]), min(len(text), step["end"])
        if start >= end:
            continue
        found += [text[at:start]] if start > at else []
        found.append([text[start:end], step["verdict"], shortened(fault), shortened(step["operator"])])
        at = end
    return found + ([text[at:]] if at < len(text) else [])


def own_columns(row: Row) -> list[tuple[str, str]]:
    """The task's own columns of a row, name and value."""
    return [(name, shortened(_plain(value))) for name, value in row.items() if name not in COMMON and value is not None]


def turns(value: Any) -> str:
    """The text of a prompt or completion, plain or in turns."""
    if isinstance(value, str):
        return value
    return "\n\n".join(str(turn["content"] or "") for turn in value or [])


def shortened(value: str | None, most: int = MOST_OF_A_WORD) -> str:
    """A text that is not longer than that, or its beginning."""
    text = value or ""
    return text if len(text) <= most else f"{text[:most]} ..."


def _about(row: Row) -> list[tuple[str, str]]:
    about = [(told, shortened(str(row[name]))) for name, told in ABOUT.items() if row.get(name)]
    if row.get("teacher"):
        about.append(("attempt", str(row.get("attempt"))))
    if row.get("parent_completion") and "overlap" in row:
        about.append(("overlap with it", f"{row['overlap']:.2f}"))
    if row.get("variant") == "corrupt":
        about.append(("answer kept", "yes" if row["answer_kept"] else "no"))
    return about


def _plain(value: Any) -> str:
    if isinstance(value, list):
        between = "\n" if any(isinstance(one, str) for one in value) else ", "
        return between.join(str(one) for one in value)
    return str(value)
