"""What a card is of: a student's record, and the scores of exactly these weights."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_data.teachers.registry import Teacher

RECORD, SCORE = "sft.json", "score.json"

NEEDED = ("student", "variant", "dataset", "config")
"""Of a record, for a card to say anything."""


@dataclass(frozen=True, slots=True)
class Scored:
    """An eval of the student.

    Attributes:
        name: of its folder, without `eval-`.
        score: its `score.json`.
    """

    name: str
    score: Mapping[str, Any]


def read_record(student: Path) -> dict[str, Any]:
    """The record of a student that `sft` made.

    Raises:
        BadInput: there is none.
        CheckFailed: it cannot be read, or the student lacks files that it names.
    """
    if not (student / RECORD).is_file():
        raise BadInput(
            f"{student} holds no student that is finished: it has no {RECORD}",
            try_=[f"wrongcot-train sft --student ... --dataset ... --out {student}"],
        )
    record = _read(student / RECORD)
    missing = [name for name in NEEDED if name not in record]
    if missing:
        raise CheckFailed(
            f"{student / RECORD} has no {missing[0]}; it is damaged", try_=["wrongcot-train sft    (again)"]
        )
    files = record.get("files", {})  # records of before there were sizes have none
    if not isinstance(files, dict):
        raise CheckFailed(f"{student / RECORD} is damaged", try_=["wrongcot-train sft    (again)"])
    gone = [name for name in files if not (student / name).is_file()]
    if gone:
        raise CheckFailed(f"{student / gone[0]} is gone", try_=["wrongcot-train sft    (again)"])
    return record


def read_scores(student: Path, evals: Sequence[Path]) -> list[Scored]:
    """The scores of a student, each of exactly these weights.

    Raises:
        BadInput: a folder without a finished eval, one given twice, or one of other weights.
        CheckFailed: a score cannot be read.
    """
    if len({folder.resolve() for folder in evals}) < len(evals):
        raise BadInput("one eval is given twice")
    found = []
    revision = revision_of(student) if evals else ""
    for folder in evals:
        if not (folder / SCORE).is_file():
            hint = f"wrongcot-train eval --model {student} --task ... --out {folder}"
            raise BadInput(f"{folder} holds no eval that is finished", try_=[hint])
        score = _read(folder / SCORE)
        if score.get("revision") != revision:
            raise BadInput(
                f"{folder} scored other weights than those in {student}",
                try_=[f"wrongcot-train eval --model {student} --task {score.get('task')} --out ANOTHER"],
            )
        found.append(Scored(folder.resolve().name.removeprefix("eval-"), score))
    return found


def revision_of(student: Path) -> str:
    """The name of exactly the weights in a folder, as evals tell it."""
    from wrongcot_data.teachers.weights import find_weights

    return find_weights(Teacher(name=student.name, path=str(student.resolve()))).revision


def base_of(record: Mapping[str, Any]) -> Teacher | None:
    """The model that was trained, where its name says which; None for one that was only a folder."""
    from wrongcot_train.students import get_student

    try:
        model = get_student(str(record["student"]))
    except BadInput:
        return None
    return model if model.hub_id else None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckFailed(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise CheckFailed(f"{path} is damaged: it holds no object")
    return value
