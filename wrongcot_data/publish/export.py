"""Plain rows into one file, JSON Lines or Parquet, whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

ROWS_AT_ONCE = 10_000


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write rows of plain values, all with the same keys, and replace what is there. Returns how many.

    Args:
        path: ends in `.parquet`, else it becomes JSON Lines.
    """
    half = path.with_name(f".{path.name}.{os.getpid()}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        count = (_write_parquet if path.suffix == ".parquet" else _write_lines)(half, iter(rows))
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    return count


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    count = 0
    chunk = list(islice(rows, ROWS_AT_ONCE))
    schema = pa.Table.from_pylist(chunk).schema
    with pq.ParquetWriter(path, schema) as writer:
        while chunk:
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
            count += len(chunk)
            chunk = list(islice(rows, ROWS_AT_ONCE))
    return count
