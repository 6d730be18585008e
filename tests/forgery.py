"""Changes rows of a data set as a forger would, for tests of what `verify` finds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from wrongcot_data.publish.dataset import MANIFEST, list_files

Edit = Callable[[list[dict[str, Any]]], object]
"""Changes a list of rows in place."""


def change_rows(folder: Path, config: str, edit: Edit) -> None:
    """Change rows and nothing else: every checksum tells."""
    (path,) = (folder / config).glob("*.parquet")
    table = pq.read_table(path)
    rows = table.to_pylist()
    edit(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def forge_rows(folder: Path, config: str, edit: Edit) -> None:
    """Change rows and then make every checksum fit again: only what the rows say can tell."""
    change_rows(folder, config, edit)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = [file for file in list_files(folder) if not file["path"].startswith("pool/")]
    (folder / MANIFEST).write_text(json.dumps(manifest))
