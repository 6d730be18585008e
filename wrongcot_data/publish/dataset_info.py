"""The Hub's `dataset_info` of a data set: columns, rows and sizes of each config, as `datasets` writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wrongcot_data.publish.dataset import config_files


def dataset_info(folder: Path, split: str, configs: Sequence[str]) -> list[dict[str, Any]]:
    """What `datasets` would say of each config after loading it. Every row is read, a row group at a time.

    Raises:
        OSError, ArrowException: a file cannot be read.
    """
    from datasets import DatasetInfo, Features, SplitInfo
    from datasets.splits import SplitDict

    found = []
    for config in configs:
        files = config_files(folder, config)
        splits = SplitDict()
        rows, size = _measured(files)
        splits[split] = SplitInfo(name=split, num_bytes=size, num_examples=rows)
        info = DatasetInfo(
            features=Features.from_arrow_schema(pq.read_schema(files[0])),
            splits=splits,
            download_size=sum(path.stat().st_size for path in files),
            dataset_size=size,
        )
        told: Mapping[str, Any] = info._to_yaml_dict()  # not public, and the one writer of this form
        found.append({"config_name": config, **told})
    return found


def _measured(files: Sequence[Path]) -> tuple[int, int]:
    """Rows, and bytes in memory as `datasets` counts them: batches of as many rows as the first row group has."""
    rows = size = 0
    for path in files:
        with pq.ParquetFile(path) as file:
            batch = file.metadata.row_group(0).num_rows if file.metadata.num_row_groups else 1
            for one in file.iter_batches(batch_size=max(batch, 1)):
                rows += one.num_rows
                size += pa.Table.from_batches([one]).nbytes
    return rows, size
