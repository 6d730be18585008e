"""Rows into Parquet, a folder a config, and a finished data set into its place all at once.

A data set is whole if and only if its manifest is there: the manifest is taken away before the first file changes
and put back after the last.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wrongcot_data.spec import content_hash

MANIFEST = "wrongcot.json"
CARD = "README.md"

ROWS_BUFFERED = 1000
SHARD_BYTES = 500_000_000
"""Where `datasets` itself begins a new file."""


class ConfigWriter:
    """Writes one config of a split as `CONFIG/SPLIT-00000-of-0000N.parquet`.

    With what the Hub's viewer wants: a page index, content-defined chunks and row groups far below 100 MB.
    """

    def __init__(
        self, folder: Path, config: str, split: str, schema: pa.Schema, shard_bytes: int = SHARD_BYTES
    ) -> None:
        self._folder = folder / config
        self._split = split
        self._schema = schema
        self._shard_bytes = shard_bytes
        self._rows: list[dict[str, Any]] = []
        self._shards: list[Path] = []
        self._writer: pq.ParquetWriter | None = None
        self.rows = 0
        self._folder.mkdir(parents=True)

    def __enter__(self) -> ConfigWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._finish()
        elif self._writer:
            self._writer.close()

    def write(self, rows: Iterable[dict[str, Any]]) -> None:
        """Add rows."""
        self._rows.extend(rows)
        if len(self._rows) >= ROWS_BUFFERED:
            self._flush()

    def _flush(self) -> None:
        if self._writer is None:
            path = self._folder / f"{self._split}-{len(self._shards):05d}.part"
            self._shards.append(path)
            self._writer = pq.ParquetWriter(
                path, self._schema, write_page_index=True, use_content_defined_chunking=True
            )
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self.rows += len(self._rows)
        self._rows = []
        if self._shards[-1].stat().st_size >= self._shard_bytes:
            self._writer.close()
            self._writer = None

    def _finish(self) -> None:
        if self._rows or not self._shards:
            self._flush()
        if self._writer:
            self._writer.close()
        for number, path in enumerate(self._shards):
            path.rename(self._folder / f"{self._split}-{number:05d}-of-{len(self._shards):05d}.parquet")


def config_files(folder: Path, config: str) -> list[Path]:
    """The Parquet files of a config, in order, whether or not there is a manifest yet."""
    return sorted((folder / config).glob("*.parquet"))


def config_columns(folder: Path, config: str) -> list[str]:
    """Names of the columns of a config; none where it has no file."""
    files = config_files(folder, config)
    return list(pq.read_schema(files[0]).names) if files else []


def config_rows(folder: Path, config: str, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """The rows of a config, one at a time, with these columns or all.

    Raises:
        OSError, ArrowException: a file of it cannot be read.
    """
    for path in config_files(folder, config):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=ROWS_BUFFERED, columns=list(columns) if columns else None):
                yield from batch.to_pylist()


def list_files(folder: Path) -> list[dict[str, Any]]:
    """Path, bytes, SHA-256 and, for Parquet, rows of every file of a data set but its manifest, by path."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST]
    return [describe(folder, path) for path in paths]


def describe(folder: Path, path: Path) -> dict[str, Any]:
    """One file of a data set, as its manifest tells of it."""
    about = {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)}
    if path.suffix == ".parquet":
        about["rows"] = pq.read_metadata(path).num_rows
    return about


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def spoilt_files(folder: Path, files: Iterable[Mapping[str, Any]]) -> list[str]:
    """Paths of a manifest's files that are missing from a folder, or have other bytes there than it says."""
    told = {str(file["path"]): file["sha256"] for file in files}
    return [path for path, digest in told.items() if not (folder / path).is_file() or sha256(folder / path) != digest]


def rows_by_config(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """How many rows each config's files hold, from their own footers."""
    rows: dict[str, int] = {}
    for file in files:
        if "rows" in file:
            config = str(file["path"]).split("/", maxsplit=1)[0]
            rows[config] = rows.get(config, 0) + int(file["rows"])
    return rows


def content_by_config(files: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """A hash of each config's files: `sha256:` and 16 hex digits, equal for equal bytes."""
    hashes: dict[str, list[str]] = {}
    for file in files:
        if "rows" in file:
            hashes.setdefault(str(file["path"]).split("/", maxsplit=1)[0], []).append(file["sha256"])
    return {config: f"sha256:{content_hash(some)[:16]}" for config, some in hashes.items()}


def put_in_place(finished: Path, folder: Path, known_configs: Iterable[str]) -> None:
    """Move a finished data set, manifest included, into the folder where it is to live.

    An older one is replaced, its configs that the new one lacks too; anything else in the folder stays. Killed in the
    middle, the folder has no manifest, and the same build puts it right.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    for config in known_configs:
        if (folder / config).is_symlink():  # what it points to is not ours to remove
            (folder / config).unlink()
        shutil.rmtree(folder / config, ignore_errors=True)
    for path in sorted(finished.iterdir()):
        if path.name != MANIFEST:
            path.replace(folder / path.name)
    (finished / MANIFEST).replace(folder / MANIFEST)
    finished.rmdir()
