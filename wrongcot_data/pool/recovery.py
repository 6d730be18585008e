"""What can still be read from a damaged journal: of one that is whole, or in use, nothing is touched."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.pool.journal import COLUMNS, Journal, Origin, column_names, from_row
from wrongcot_data.records import Sample

SHARED_FIRST, SHARED_SIZE = 0x40000002, 510
"""The bytes that SQLite's shared lock is on (its file format, "The Lock-Byte Page")."""

ALONE = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, SHARED_FIRST, SHARED_SIZE, 0)
"""`struct flock` for these bytes. The lock belongs to the open file (Linux's "open file description locks"): one of the
older kind would be gone as soon as this process closes the file anywhere else, such as after copying it."""

HELD_S = 1.0
"""How long a lock is tried for: whoever only looks in is gone by then."""


def recover(path: Path, into: Path) -> int:
    """Copy every sample that can still be read from a damaged journal into a new one. Returns how many.

    Reads from the front and from the back, up to the damage on each side. The damaged file is left as it is.

    Raises:
        BadInput: the journal is not damaged. A copy in its place would only part it from the builds that use it.
    """
    with _copied(path, into.parent) as copy:
        if _is_whole(copy):
            raise BadInput(f"the journal {path} is whole; nothing to recover")
    with _copied(path, into.parent) as copy:
        _pad(copy)
        origins = _origins(copy)
        saved: dict[tuple[str, int], tuple[Sample, Origin]] = {}
        for order in ("ASC", "DESC"):
            for sample, origin in _readable(copy, order):
                saved.setdefault((sample.request_id, sample.attempt), (sample, origins.get(origin, Origin())))
    with Journal(into) as journal:
        for sample, told in saved.values():
            journal.add([sample], told)
    return len(saved)


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep a journal from being put away while another program has it open.

    SQLite's own lock: a connection in WAL mode holds these bytes, shared, for as long as it is open, busy or not, and
    a new one waits for whoever has them alone. Asking for it by SQLite would need a file that SQLite can read, and
    would write the log of a damaged one into it.

    Raises:
        Unavailable: another program has it open.
    """
    with path.open("r+b") as handle:
        deadline = time.monotonic() + HELD_S
        while True:
            try:
                fcntl.fcntl(handle, fcntl.F_OFD_SETLK, ALONE)
                break
            except OSError as error:
                if not isinstance(error, BlockingIOError | PermissionError):
                    raise
                if time.monotonic() >= deadline:
                    raise Unavailable(
                        f"the journal {path} is in use by another program",
                        try_=["wait until no build uses it, then give the same command again"],
                    ) from None
                time.sleep(0.05)
        yield


def _is_whole(copy: Path) -> bool:
    """Whether it is a journal in which SQLite finds no fault."""
    db = sqlite3.connect(copy)
    try:
        return bool(column_names(db)) and db.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
    except sqlite3.DatabaseError:
        return False
    finally:
        db.close()


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


@contextlib.contextmanager
def _copied(path: Path, beside: Path) -> Iterator[Path]:
    """A copy of a journal with its write-ahead log, for SQLite to work on; gone at the end."""
    with tempfile.TemporaryDirectory(dir=beside) as folder:
        copy = Path(folder) / "copy.sqlite"
        shutil.copyfile(path, copy)
        log = path.with_name(path.name + "-wal")
        if log.exists():
            shutil.copyfile(log, copy.with_name(copy.name + "-wal"))
        yield copy


def _pad(copy: Path) -> None:
    """Fill a cut-off file up with zeros to the size in its header.

    SQLite reads nothing of a file that is shorter than its header says; of a filled-up one it reads all but the end.
    """
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
