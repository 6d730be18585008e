"""Where problems that people wrote come from: the Hub at a pinned revision, or a JSON Lines or Parquet file.

A file that does not say what it must is a clear error with the number of the line; rows are never skipped in silence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.records import Problem
from wrongcot_data.spec import derive_seed


class SourceOptions(BaseModel, extra="forbid", frozen=True):
    """What decides the problems of a task that reads them."""

    source: str | None = Field(None, description="JSON Lines or Parquet file; none: the data set on the Hub")
    HUB_ONLY: ClassVar[tuple[str, ...]] = ("revision",)
    """Fields whose defaults are of the data set on the Hub."""

    revision: str = Field(
        "main", description="commit of the data set on the Hub; pinned, so that a build stays the same"
    )

    @model_validator(mode="before")
    @classmethod
    def _of_the_hub(cls, given: Any) -> Any:
        """The defaults for the data set on the Hub say nothing of a file."""
        if not isinstance(given, Mapping) or given.get("source") is None:
            return given
        if given.get("revision"):
            raise ValueError("a file has no revision: give `source` or `revision`")
        return {**dict.fromkeys(cls.HUB_ONLY, ""), **given}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source.

    Attributes:
        where: file and line, or data set and row, as an error names it; empty for a row on its own.
        split: the split of the Hub that it was read from; empty for a file.
        place: its place on the Hub, where the same problem at another place is nobody's mistake to mend: it counts
            once. Empty for a file, where it is an error.
    """

    where: str
    fields: Mapping[str, Any]
    split: str = ""
    place: str = ""

    def fault(self, message: str) -> BadInput:
        """The error for what is wrong with this row."""
        return BadInput(f"{self.where}: {message}" if self.where else message)


@dataclass(frozen=True, slots=True)
class Read:
    """A row read as a problem.

    Attributes:
        own_id: the id that the row itself states, or its place on the Hub, which no other may have; else empty.
    """

    where: str
    problem: Problem
    own_id: str = ""


def file_rows(path: Path) -> Iterator[Row]:
    """The rows of a JSON Lines or Parquet file; blank lines are passed over.

    Raises:
        BadInput: it cannot be read, or a line is no JSON object; the message has the line's number.
    """
    try:
        with path.open("rb") as handle:
            is_parquet = handle.read(4) == b"PAR1"
            handle.seek(0)
            yield from _parquet(path) if is_parquet else _json_lines(path, handle)
    except OSError as error:
        raise BadInput(f"cannot read the source {path}: {error.strerror or error}") from error


_WANTED = "; a source is JSON Lines (one object a line, not compressed) or Parquet"


def _json_lines(path: Path, lines: Iterable[bytes]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            fields = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
        except UnicodeDecodeError as error:
            raise BadInput(f"{where}: not UTF-8{_WANTED if number == 1 else ''}") from error
        except (ValueError, RecursionError) as error:
            torn = "" if line.endswith(b"\n") else "; the file ends within this line, so it may be cut off"
            torn = torn or (_WANTED if number == 1 else "")
            raise BadInput(f"{where}: not JSON: {str(error)[:100]}{torn}") from error
        if not isinstance(fields, dict):
            raise BadInput(f"{where}: a JSON object a line is wanted, not a {type(fields).__name__}")
        yield Row(where, fields)


def _parquet(path: Path) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=1000):
                for fields in batch.to_pylist():
                    number += 1
                    yield Row(f"{path} row {number}", fields)
    except pa.ArrowException as error:
        raise BadInput(f"cannot read the source {path}: {str(error).splitlines()[0]}") from error


def hub_rows(data_set: str, configs: Sequence[str], split: str, revision: str) -> Iterator[Row]:
    """The rows of a split of a data set on the Hub, config by config.

    Raises:
        Unavailable: the data set cannot be had.
    """
    import datasets

    datasets.disable_progress_bars()
    for config in configs:
        try:
            rows = datasets.load_dataset(data_set, config, split=split, revision=revision)
        except Exception as error:  # it raises whatever the network, the cache or the Hub raise
            told = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise Unavailable(
                f"cannot get {data_set} ({config}, {split}) at {revision[:8]} from the Hub: {told[:200]}",
                try_=["--source FILE    (JSON Lines or Parquet with the same fields)"],
            ) from error
        for number, fields in enumerate(rows):
            where = f"{data_set} {config} {split} row {number}"
            yield Row(where, fields, split, place=where)


def text_field(row: Row, *names: str) -> str:
    """The text of the first of these fields that a row has, `\n` at the ends of its lines and nothing around it.

    Raises:
        BadInput: it has none of them, or that one is no text or blank.
    """
    name = next((name for name in names if row.fields.get(name) is not None), None)
    if name is None:
        raise row.fault(f"no `{'` or `'.join(names)}`")
    value = row.fields[name]
    if not isinstance(value, str) or not value.strip():
        raise row.fault(f"`{name}` must be text that is not blank, not {shown(value)}")
    return clean(value)


def clean(text: str) -> str:
    """Text as problems hold it: `\n` at the ends of its lines, nothing around it, storable as UTF-8."""
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8").strip()


def shown(value: Any) -> str:
    """A value as an error names it: short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def distinct(read: Iterable[Read], read_from: str, split: str, seed: int) -> list[Problem]:
    """The distinct problems of a split, in an order that the seed decides.

    Sources are sorted, by subject for one: their first rows are no fair part of them.

    Raises:
        BadInput: two rows state the same id, or none is of this split.
    """
    by_own_id: dict[str, Read] = {}
    problems: dict[str, Problem] = {}
    splits: set[str] = set()
    for one in read:
        own = one.own_id or one.problem.id
        if own in by_own_id:
            raise BadInput(
                f"{one.where}: a second time the {'id ' + own if one.own_id else 'same problem'},"
                f" after {by_own_id[own].where}"
            )
        by_own_id[own] = one
        splits.add(one.problem.split)
        if one.problem.split == split:
            problems.setdefault(one.problem.id, one.problem)
    if not problems:
        held = f"only {', '.join(sorted(splits))}" if splits else "no rows"
        raise BadInput(f"{read_from} holds no problems of the split {split}: {held}")
    return sorted(problems.values(), key=lambda problem: derive_seed("order", seed, problem.id))


def origin(options: SourceOptions, data_set: str) -> str:
    """Where the problems come from: data set and revision, or name and checksum of a file."""
    if options.source is None:
        return f"{data_set} at revision {options.revision}"
    path = Path(options.source)
    return f"{path.name}, SHA-256 {_checksum(path, path.stat().st_mtime_ns)}"


@lru_cache(maxsize=8)
def _checksum(path: Path, _changed: int) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
