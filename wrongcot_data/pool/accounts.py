"""What a journal holds, read without changing it: sums for people, and every sample as a row for other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.pool.journal import COLUMNS, LAYOUT, Origin, faults_explained

ORIGIN = tuple(field.name for field in fields(Origin) if field.name != "seed")
FILTERS = ("task", "teacher", "grade")
EXPORTED = (*COLUMNS, *ORIGIN)
"""The columns of an exported row: those of a sample, then what it came from."""

_FROM = "FROM samples s LEFT JOIN origins o ON o.id = s.origin"


def sums(path: Path) -> list[dict[str, Any]]:
    """Replies, problems, tokens and grades by what they came from, the largest first; `seed` is the build's.

    Raises:
        BadInput: there is no journal there.
        CheckFailed: it is damaged.
    """
    origin = ", ".join([*(f"coalesce(o.{name}, '') AS {name}" for name in ORIGIN), "o.seed"])
    query = (
        f"SELECT {origin}, count(*) AS replies, count(DISTINCT s.request_id) AS problems,"
        f" sum(s.n_tokens) AS tokens, sum(s.n_prompt_tokens) AS prompt_tokens {_FROM} GROUP BY s.origin"
        " ORDER BY replies DESC"
    )
    grades = f"SELECT s.origin, s.grade, count(*) {_FROM} GROUP BY s.origin, s.grade ORDER BY s.grade"
    with closing(_open(path)) as db, faults_explained(path):
        by_origin: dict[int, dict[str, int]] = {}
        for number, grade, count in db.execute(grades):
            by_origin.setdefault(number, {})[grade] = count
        rows = db.execute(query.replace("SELECT ", "SELECT s.origin, ", 1))
        names = [column[0] for column in rows.description[1:]]
        return [{**dict(zip(names, row, strict=True)), "grades": by_origin[number]} for number, *row in rows]


def rows(path: Path, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Every sample with what it came from, in the order they were stored.

    Args:
        wanted: what must hold, by a name of `FILTERS`.

    Raises:
        BadInput: there is no journal there.
        CheckFailed: it is damaged; the rows before the damage have been given.
    """
    columns = [f"s.{name}" for name in COLUMNS] + [f"coalesce(o.{name}, '')" for name in ORIGIN]
    tests = [f"{'s' if name == 'grade' else 'o'}.{name} = ?" for name in wanted]
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    query = f"SELECT {', '.join(columns)} {_FROM} {where} ORDER BY s.rowid"
    with closing(_open(path)) as db, faults_explained(path):
        for row in db.execute(query, tuple(wanted.values())):
            yield dict(zip(EXPORTED, row, strict=True))


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise BadInput(f"there is no journal {path}", try_=["--journal PATH", "wrongcot-data build    (makes one)"])
    with faults_explained(path):
        db = sqlite3.connect(path, timeout=60)
        (layout,) = db.execute("PRAGMA user_version").fetchone()
    if layout != LAYOUT:
        db.close()
        raise BadInput(
            f"{path} is a journal of layout {layout}, not {LAYOUT}",
            try_=["wrongcot-data build ... --journal PATH    (brings an older one up to date)"],
        )
    return db
