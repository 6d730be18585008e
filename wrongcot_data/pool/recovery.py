"""What can still be read from a damaged journal."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from wrongcot_data.pool.journal import COLUMNS, Journal, Origin, column_names, from_row
from wrongcot_data.records import Sample


def recover(path: Path, into: Path) -> int:
    """Copy every sample that can still be read from a damaged journal into a new one. Returns how many.

    Reads from the front and from the back, up to the damage on each side. The damaged file is left as it is.
    """
    with tempfile.TemporaryDirectory(dir=into.parent) as folder:
        copy = Path(folder) / "copy.sqlite"
        _copy_padded(path, copy)
        origins = _origins(copy)
        saved: dict[tuple[str, int], tuple[Sample, Origin]] = {}
        for order in ("ASC", "DESC"):
            for sample, origin in _readable(copy, order):
                saved.setdefault((sample.request_id, sample.attempt), (sample, origins.get(origin, Origin())))
    with Journal(into) as journal:
        for sample, told in saved.values():
            journal.add([sample], told)
    return len(saved)


def _origins(path: Path) -> dict[int, Origin]:
    """The origins that can be read; samples of others are saved without."""
    db = sqlite3.connect(path)
    try:
        names = ", ".join(field.name for field in fields(Origin))
        return {number: Origin(*told) for number, *told in db.execute(f"SELECT id, {names} FROM origins")}  # noqa: S608
    except sqlite3.DatabaseError:
        return {}
    finally:
        db.close()


def _copy_padded(path: Path, copy: Path) -> None:
    """Copy a journal with its write-ahead log, a cut-off file filled up with zeros to the size in its header.

    SQLite reads nothing of a file that is shorter than its header says; of a filled-up one it reads all but the end.
    """
    shutil.copyfile(path, copy)
    log = path.with_name(path.name + "-wal")
    if log.exists():
        shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
    with copy.open("r+b") as handle:
        header = handle.read(100)
        if not header.startswith(b"SQLite format 3\0"):
            return
        told = int.from_bytes(header[16:18], "big") * int.from_bytes(header[28:32], "big")  # page size, pages
        if copy.stat().st_size < told:
            with contextlib.suppress(OSError):  # a damaged header tells of more than a file can hold
                handle.truncate(told)


def _readable(path: Path, order: str) -> Iterator[tuple[Sample, int]]:
    """Samples with the numbers of their origins, up to the damage."""
    db = sqlite3.connect(path)
    try:
        present = column_names(db)
        columns = ", ".join(name if name in present else f"'' AS {name}" for name in COLUMNS)
        origin = "origin" if "origin" in present else "0"
        query = f"SELECT {origin}, {columns} FROM samples NOT INDEXED ORDER BY rowid {order}"  # noqa: S608
        for number, *row in db.execute(query):
            if "\0" not in row[-1]:  # else the page with the end of this row is one that was filled up
                yield from_row(tuple(row)), number
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return  # the damage begins here
    finally:
        db.close()
