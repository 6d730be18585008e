"""Reads from a data set's files what a page takes: little of every row, all of those that are shown."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wrongcot_data.page.choice import POOLS, Entry
from wrongcot_data.publish.dataset import ROWS_BUFFERED, config_columns, config_files

Row = dict[str, Any]


def browsable(folder: Path, configs: Iterable[str]) -> list[str]:
    """The configs whose rows can be looked at: variants, mixes and pools. A view has the rows of the variants."""
    shown = ("steps", "sample_id")
    return [config for config in configs if any(name in config_columns(folder, config) for name in shown)]


def entries(folder: Path, configs: Iterable[str]) -> Iterator[Entry]:
    """What decides of each row of these configs whether it is shown, config by config.

    Raises:
        OSError, ArrowException: a file cannot be read.
        KeyError: a config lacks a column.
    """
    for config in configs:
        parent = "sample_id" if config in POOLS else "parent_id"
        columns = ["problem_id", "grade", "reason", parent]
        number = 0
        for path in config_files(folder, config):
            with pq.ParquetFile(path) as file:
                for batch in file.iter_batches(batch_size=ROWS_BUFFERED, columns=columns):
                    for values in zip(*(batch.column(name).to_pylist() for name in columns), strict=True):
                        yield Entry(config, number, *(value or "" for value in values))
                        number += 1


def rows_at(folder: Path, config: str, numbers: Collection[int]) -> dict[int, Row]:
    """These rows of a config by number, whole. Only the row groups that hold them are read, a batch at a time."""
    wanted = sorted(numbers)
    found: dict[int, Row] = {}
    begin = 0
    for path in config_files(folder, config):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                end = begin + file.metadata.row_group(group).num_rows
                within = [number for number in wanted if begin <= number < end]
                if within:
                    found.update(_rows_of_group(file, group, begin, within))
                begin = end
    return found


def _rows_of_group(file: pq.ParquetFile, group: int, begin: int, numbers: list[int]) -> Iterator[tuple[int, Row]]:
    for batch in file.iter_batches(batch_size=ROWS_BUFFERED, row_groups=[group]):
        within = [number for number in numbers if begin <= number < begin + batch.num_rows]
        rows = batch.take([number - begin for number in within]).to_pylist()
        yield from zip(within, rows, strict=True)
        begin += batch.num_rows
