"""Every attempt of every teacher, in one SQLite file that a killed build leaves whole.

The key is content, never a row's position: a request id is the hash of the teacher and its revision, the rendered
prompt, the sampling settings and the seed; with the number of the attempt it names one reply for ever. So a changed
limit, subset or list of variants finds its samples again, and a changed prompt or temperature finds none.

Commits come in groups: per row, SQLite makes 280 rows/s on a plain disk; in groups of 500 with a write-ahead log,
17,700. What a kill can cost is the last second.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from wrongcot_data.engines.base import Sampling
from wrongcot_data.errors import CheckFailed, Unavailable
from wrongcot_data.records import Prompt, Sample, Verdict
from wrongcot_data.spec import content_hash

LAYOUT = 2
"""Of the tables; a journal of a layout that is not known is refused, not guessed at. Layout 1 had no `sandbox`."""

GROUP_ROWS = 500
GROUP_SECONDS = 1.0

COLUMNS = (
    "request_id", "attempt", "problem_id", "completion", "finish_reason", "n_prompt_tokens", "n_tokens", "seed",
    "engine", "error", "grade", "reason", "answer", "form", "sandbox", "grader_version",
)  # fmt: skip

CREATE = """
CREATE TABLE IF NOT EXISTS samples (
    request_id TEXT NOT NULL, attempt INTEGER NOT NULL, problem_id TEXT NOT NULL,
    completion TEXT NOT NULL, finish_reason TEXT NOT NULL,
    n_prompt_tokens INTEGER NOT NULL, n_tokens INTEGER NOT NULL, seed INTEGER NOT NULL,
    engine TEXT NOT NULL, error TEXT NOT NULL,
    grade TEXT NOT NULL, reason TEXT NOT NULL, answer TEXT NOT NULL, form TEXT NOT NULL, sandbox TEXT NOT NULL,
    grader_version TEXT NOT NULL,
    UNIQUE (request_id, attempt)
)
"""


def request_id(model: str, revision: str, prompt: Prompt, sampling: Sampling, seed: int) -> str:
    """The content hash, 32 hex digits, of everything that decides a reply but the attempt."""
    turns = [[message.role, message.content] for message in prompt.messages]
    asked = {"messages": turns, "text": prompt.text, "stop": list(prompt.stop)}
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "max_tokens": sampling.max_tokens}
    key = {"scheme": 1, "model": model, "revision": revision, "prompt": asked, "sampling": drawn, "seed": seed}
    return content_hash(key)[:32]


class Journal:
    """The samples of one folder. Use as a context manager: leaving it commits.

    Raises:
        CheckFailed: the file is damaged or of another layout; nothing is written to it then.
        Unavailable: the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uncommitted = 0
        self._committed_at = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        existed = path.exists() and path.stat().st_size > 0
        with self._faults_explained():
            self._db = sqlite3.connect(path, isolation_level=None)
            if existed:
                self._check()
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.execute(CREATE)
            if existed:
                self._bring_up_to_date()
            self._db.execute(f"PRAGMA user_version = {LAYOUT}")

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit and close. Safe to call twice."""
        try:
            self.commit()
        finally:
            self._db.close()
            self._uncommitted = 0

    def add(self, samples: Iterable[Sample]) -> None:
        """Store samples. One that is there already stays as it is: a reply is paid for once."""
        with self._faults_explained():
            for sample in samples:
                self._begin()
                marks = ", ".join("?" * len(COLUMNS))
                self._db.execute(
                    f"INSERT OR IGNORE INTO samples ({', '.join(COLUMNS)}) VALUES ({marks})",  # noqa: S608
                    _to_row(sample),
                )
                self._uncommitted += 1
            if self._uncommitted >= GROUP_ROWS or time.monotonic() - self._committed_at >= GROUP_SECONDS:
                self.commit()

    def regrade(self, samples: Iterable[Sample]) -> None:
        """Put new verdicts in the place of those of an older grader; the replies stay."""
        with self._faults_explained():
            self._begin()
            for sample in samples:
                self._db.execute(
                    "UPDATE samples SET grade=?, reason=?, answer=?, form=?, sandbox=?, grader_version=?"
                    " WHERE request_id=? AND attempt=?",
                    (*_verdict_row(sample), sample.grader_version, sample.request_id, sample.attempt),
                )
            self.commit()

    def commit(self) -> None:
        """Make everything added so far outlast the process."""
        with self._faults_explained():
            if self._db.in_transaction:
                self._db.execute("COMMIT")
        self._uncommitted = 0
        self._committed_at = time.monotonic()

    def samples(self, request: str) -> list[Sample]:
        """The samples of one request id, by attempt."""
        with self._faults_explained():
            rows = self._db.execute(
                f"SELECT {', '.join(COLUMNS)} FROM samples WHERE request_id = ? ORDER BY attempt",  # noqa: S608
                (request,),
            ).fetchall()
        return [_from_row(row) for row in rows]

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _check(self) -> None:
        (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)
        (layout,) = self._db.execute("PRAGMA user_version").fetchone()
        if layout not in (1, LAYOUT):
            raise CheckFailed(f"{self.path} is a journal of layout {layout}; this version reads layout {LAYOUT}")

    def _bring_up_to_date(self) -> None:
        """Add what a journal of an older layout lacks."""
        if "sandbox" not in _columns(self._db):
            self._db.execute("ALTER TABLE samples ADD COLUMN sandbox TEXT NOT NULL DEFAULT ''")

    def _faults_explained(self) -> _FaultsExplained:
        return _FaultsExplained(self.path)


class _FaultsExplained:
    """Turns SQLite's errors into ours, each with what to do next."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, sqlite3.DatabaseError):
            return
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            raise Unavailable(f"cannot open the journal {self.path}: {error}", try_=["--out FOLDER"]) from error
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise Unavailable(
                f"cannot write {self.path}: {error}; what was committed is kept",
                try_=["make room on the disk and give the same command again"],
            ) from error
        if name.startswith("SQLITE_BUSY"):
            raise Unavailable(
                f"{self.path} is in use by another program", try_=["wait for it, then give the same command again"]
            ) from error
        damaged = not name or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
        if damaged and not isinstance(error, sqlite3.ProgrammingError):
            raise CheckFailed(
                f"the journal {self.path} is damaged ({error}); nothing was written to it",
                try_=[f"wrongcot-data journal recover {self.path}    (saves every sample that can still be read)"],
            ) from error


def recover(path: Path, into: Path) -> int:
    """Copy every sample that can still be read from a damaged journal into a new one. Returns how many.

    Reads from the front and from the back, up to the damage on each side. The damaged file is left as it is.
    """
    with tempfile.TemporaryDirectory(dir=into.parent) as folder:
        copy = Path(folder) / "copy.sqlite"
        _copy_padded(path, copy)
        saved: dict[tuple[str, int], Sample] = {}
        for order in ("ASC", "DESC"):
            for sample in _readable(copy, order):
                saved.setdefault((sample.request_id, sample.attempt), sample)
    with Journal(into) as journal:
        journal.add(saved.values())
    return len(saved)


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


def _readable(path: Path, order: str) -> Iterator[Sample]:
    db = sqlite3.connect(path)
    try:
        present = _columns(db)
        columns = ", ".join(name if name in present else f"'' AS {name}" for name in COLUMNS)
        cursor = db.execute(f"SELECT {columns} FROM samples NOT INDEXED ORDER BY rowid {order}")  # noqa: S608
        for row in cursor:
            if "\0" not in row[-1]:  # else the page with the end of this row is one that was filled up
                yield _from_row(row)
    except (sqlite3.DatabaseError, ValueError, TypeError):
        return  # the damage begins here
    finally:
        db.close()


def _columns(db: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in db.execute("PRAGMA table_info(samples)")}


def storable(text: str) -> str:
    """The text as UTF-8 can hold it: lone surrogates, which some servers send, become U+FFFD."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _verdict_row(sample: Sample) -> tuple[str, ...]:
    verdict = sample.verdict
    return verdict.grade, verdict.reason, verdict.answer, verdict.form, verdict.sandbox


def _to_row(sample: Sample) -> tuple[Any, ...]:
    return (
        sample.request_id, sample.attempt, sample.problem_id, sample.completion, sample.finish_reason,
        sample.n_prompt_tokens, sample.n_tokens, sample.seed, sample.engine, sample.error,
        *_verdict_row(sample), sample.grader_version,
    )  # fmt: skip


def _from_row(row: tuple[Any, ...]) -> Sample:
    named = dict(zip(COLUMNS, row, strict=True))
    verdict = Verdict(*(named.pop(name) for name in ("grade", "reason", "answer", "form", "sandbox")))
    return Sample(**named, verdict=verdict)
