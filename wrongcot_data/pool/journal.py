"""Every attempt of every teacher, in one SQLite file that a killed build leaves whole and builds share.

The key is content, never a row's position: a request id is the hash of the teacher and its revision, the rendered
prompt, the sampling settings and the seed; with the number of the attempt it names one reply for ever. So another
limit, subset, list of variants or folder finds its samples again, and a changed prompt or temperature finds none.

A thread of its own writes in groups: a transaction a row makes 280 rows/s on a plain disk, one of 500 rows with a
write-ahead log 17,700. What a kill can cost is the last second. Each group is one short transaction, so that several
builds can write to one journal.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from wrongcot_data.engines.base import Sampling
from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_data.records import Prompt, Sample, Verdict
from wrongcot_data.spec import content_hash

LAYOUT = 3
"""Of the tables; a journal of a layout that is not known is refused, not guessed at. Layout 1 had no `sandbox`, layout
2 no origins."""

GROUP_ROWS = 500
GROUP_SECONDS = 1.0
MOST_UNWRITTEN = 20 * GROUP_ROWS
"""Rows that may wait for a disk that is slower than the engine; then `add` waits too."""

PATIENCE_S = 60.0
"""How long another build's transaction is waited for."""

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
    grader_version TEXT NOT NULL, origin INTEGER NOT NULL DEFAULT 0,
    UNIQUE (request_id, attempt)
);
CREATE TABLE IF NOT EXISTS origins (
    id INTEGER PRIMARY KEY, task TEXT NOT NULL, teacher TEXT NOT NULL, revision TEXT NOT NULL,
    prompt_template TEXT NOT NULL, sampling TEXT NOT NULL, seed INTEGER NOT NULL,
    UNIQUE (task, teacher, revision, prompt_template, sampling, seed)
);
"""

_INSERT = (
    f"INSERT OR IGNORE INTO samples ({', '.join(COLUMNS)}, origin)"  # noqa: S608
    f" VALUES ({', '.join('?' * (len(COLUMNS) + 1))})"
)


@dataclass(frozen=True, slots=True)
class Origin:
    """What many samples have in common, for people who look into a journal; no part of any key.

    Attributes:
        sampling: as JSON text.
    """

    task: str = ""
    teacher: str = ""
    revision: str = ""
    prompt_template: str = ""
    sampling: str = ""
    seed: int = 0


def request_id(model: str, revision: str, prompt: Prompt, sampling: Sampling, seed: int) -> str:
    """The content hash, 32 hex digits, of everything that decides a reply but the attempt."""
    turns = [[message.role, message.content] for message in prompt.messages]
    asked = {"messages": turns, "text": prompt.text, "stop": list(prompt.stop)}
    drawn = {"temperature": sampling.temperature, "top_p": sampling.top_p, "max_tokens": sampling.max_tokens}
    key = {"scheme": 1, "model": model, "revision": revision, "prompt": asked, "sampling": drawn, "seed": seed}
    return content_hash(key)[:32]


class Journal:
    """The samples of one file. Use as a context manager: leaving it commits.

    Attributes:
        n_known: samples that were added and were there already, from another build at the same time.

    Raises:
        BadInput: the file is a database of another program; nothing is written to it then, as in the next case.
        CheckFailed: the file is damaged or of another layout.
        Unavailable: the disk is full, or the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.n_known = 0
        self._origins: dict[Origin, int] = {}
        self._unwritten: list[tuple[Sample, Origin]] = []
        self._fault: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()  # guards what is unwritten
        self._writing = threading.RLock()  # guards the connection
        self._writer: threading.Thread | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            story = f"cannot make the folder of the journal {path}: {error.strerror}"
            raise Unavailable(story, try_=["--journal PATH"]) from error
        existed = path.exists() and path.stat().st_size > 0
        with faults_explained(self.path):
            self._db = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE_S, check_same_thread=False)
            if existed:
                self._check(path)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._bring_up_to_date()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit and close. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._writer:
            self._writer.join()
        try:
            if not self._fault:
                self._write()
        finally:
            self._db.close()

    def add(self, samples: Iterable[Sample], origin: Origin = Origin()) -> None:
        """Store samples, within a second. One that is there already stays as it is: a reply is paid for once.

        Raises:
            Unavailable: an earlier one could not be stored.
        """
        if self._closed:
            raise ValueError("the journal is closed")
        if self._writer is None:
            self._writer = threading.Thread(target=self._write_in_groups, name="journal", daemon=True)
            self._writer.start()
        with self._changed:
            for sample in samples:
                while len(self._unwritten) >= MOST_UNWRITTEN and not self._fault:
                    self._changed.wait()
                if self._fault:
                    raise self._fault
                self._unwritten.append((sample, origin))
                if len(self._unwritten) == GROUP_ROWS:
                    self._changed.notify_all()
        if self._fault:
            raise self._fault

    def regrade(self, samples: Iterable[Sample]) -> None:
        """Put new verdicts in the place of those of an older grader; the replies stay."""
        rows = [(*_verdict_row(sample), sample.grader_version, sample.request_id, sample.attempt) for sample in samples]
        self.commit()
        with self._writing, faults_explained(self.path), self._transaction():
            self._db.executemany(
                "UPDATE samples SET grade=?, reason=?, answer=?, form=?, sandbox=?, grader_version=?"
                " WHERE request_id=? AND attempt=?",
                rows,
            )

    def forget_errors(self) -> int:
        """Delete the attempts that brought no reply, so that the next build asks them again. Returns how many."""
        self.commit()
        with self._writing, faults_explained(self.path), self._transaction():
            return self._db.execute("DELETE FROM samples WHERE grade = 'error'").rowcount

    def commit(self) -> None:
        """Make everything added so far outlast the process."""
        if self._fault:
            raise self._fault
        self._write()

    def _write_in_groups(self) -> None:
        while not self._closed and not self._fault:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or len(self._unwritten) >= GROUP_ROWS, GROUP_SECONDS)
            with contextlib.suppress(BaseException):  # it is kept, and raised where the build adds or commits
                self._write()

    def _write(self) -> None:
        """Write what is unwritten in one transaction."""
        with self._writing:
            with self._changed:
                group, self._unwritten = self._unwritten, []
                self._changed.notify_all()
            if not group:
                return
            with self._fault_kept(), faults_explained(self.path), self._transaction():
                rows = [(*_to_row(sample), self._origin_id(origin)) for sample, origin in group]
                before = self._db.total_changes
                self._db.executemany(_INSERT, rows)
                self.n_known += len(rows) - (self._db.total_changes - before)

    @contextlib.contextmanager
    def _fault_kept(self) -> Iterator[None]:
        """After a group could not be written nothing more is: what is stored has no holes."""
        try:
            yield
        except BaseException as error:
            with self._changed:
                self._fault = error
                self._changed.notify_all()
            raise

    def _origin_id(self, origin: Origin) -> int:
        if origin not in self._origins:
            self._db.execute(
                "INSERT OR IGNORE INTO origins (task, teacher, revision, prompt_template, sampling, seed)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                astuple(origin),
            )
            (self._origins[origin],) = self._db.execute(
                "SELECT id FROM origins WHERE task=? AND teacher=? AND revision=? AND prompt_template=?"
                " AND sampling=? AND seed=?",
                astuple(origin),
            ).fetchone()
        return self._origins[origin]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._origins.clear()  # one of them may have been of this transaction
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def samples(self, request: str) -> list[Sample]:
        """The samples of one request id, by attempt."""
        if self._unwritten:
            self.commit()
        with self._writing, faults_explained(self.path):
            rows = self._db.execute(
                f"SELECT {', '.join(COLUMNS)} FROM samples WHERE request_id = ? ORDER BY attempt",  # noqa: S608
                (request,),
            ).fetchall()
        return [from_row(row) for row in rows]

    def _check(self, path: Path) -> None:
        """See that the file is whole and of a layout that is known; the whole of a large one is read only on doubt."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (size,) = self._db.execute("PRAGMA page_size").fetchone()
        if path.stat().st_size != pages * size:  # cut off, or a part of it is still in its write-ahead log
            (verdict,) = self._db.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
        (n_tables,) = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if n_tables and not {"request_id", "attempt", "grade"} <= column_names(self._db):
            raise BadInput(f"{path} is a database of another program", try_=["--journal PATH"])
        (layout,) = self._db.execute("PRAGMA user_version").fetchone()
        if layout > LAYOUT or (layout == 0 and column_names(self._db)):
            raise CheckFailed(f"{self.path} is a journal of layout {layout}; this version reads layout {LAYOUT}")

    def _bring_up_to_date(self) -> None:
        """Make the tables, and add what a journal of an older layout lacks."""
        (layout,) = self._db.execute("PRAGMA user_version").fetchone()
        if layout == LAYOUT:
            return
        with self._transaction():
            for statement in CREATE.split(";"):
                self._db.execute(statement)
            present = column_names(self._db)
            if "sandbox" not in present:
                self._db.execute("ALTER TABLE samples ADD COLUMN sandbox TEXT NOT NULL DEFAULT ''")
            if "origin" not in present:
                self._db.execute("ALTER TABLE samples ADD COLUMN origin INTEGER NOT NULL DEFAULT 0")
            self._db.execute(f"PRAGMA user_version = {LAYOUT}")


@contextlib.contextmanager
def faults_explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into ours, each with what to do next.

    Raises:
        CheckFailed: the file is damaged.
        Unavailable: the disk is full, the file cannot be opened, or another program holds it.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        if name.startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")):
            raise Unavailable(f"cannot open the journal {path}: {error}", try_=["--journal PATH"]) from error
        if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
            raise Unavailable(
                f"cannot write {path}: {error}; what was committed is kept",
                try_=["make room on the disk and give the same command again"],
            ) from error
        if name.startswith("SQLITE_BUSY"):
            raise Unavailable(
                f"{path} is in use by another program", try_=["wait for it, then give the same command again"]
            ) from error
        damaged = not name or name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB"))
        if damaged and not isinstance(error, sqlite3.ProgrammingError):
            raise CheckFailed(
                f"the journal {path} is damaged ({error}); nothing was written to it",
                try_=[f"wrongcot-data journal recover {path}    (saves every sample that can still be read)"],
            ) from error
        raise


def column_names(db: sqlite3.Connection) -> set[str]:
    """The columns of the table of samples; empty where there is none."""
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


def from_row(row: tuple[Any, ...]) -> Sample:
    """A sample from the values of `COLUMNS`."""
    named = dict(zip(COLUMNS, row, strict=True))
    verdict = Verdict(*(named.pop(name) for name in ("grade", "reason", "answer", "form", "sandbox")))
    return Sample(**named, verdict=verdict)
