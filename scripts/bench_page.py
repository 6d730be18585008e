#!/usr/bin/env python3
"""What a page of a data set costs: seconds, memory and size, for few rows and for many.

    .venv/bin/python scripts/bench_page.py [--times N] [--json]

A scripted build of 60 problems with every variant, and the same with every row N times under other names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

PROGRAM = (sys.executable, "-m", "wrongcot_data")
NAMES = ("problem_id", "parent_id", "sample_id")
VARIANTS = ("right", "wrong", "reference", "corrupt", "paraphrase")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=150)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        flags = ["--limit", "60", "--per-problem", "2", *(f"--variant={name}" for name in VARIANTS)]
        build = ["build", "countdown", "--teacher", "scripted", "--out", str(few), "--journal", f"{few}.sqlite"]
        subprocess.run([*PROGRAM, *build, *flags], check=True, capture_output=True)
        grow(few, many, options.times)
        found = [measured(one, arguments) for one in (few, many) for arguments in (["--no-html"], [])]
    if options.json:
        print(json.dumps(found))
        return
    for one in found:
        print(f"{one['rows']:>9,} rows  {one['what']:<8}{one['seconds']:6.1f} s {one['megabytes']:5.0f} MB", end="")
        print(f"  {one['kilobytes']} kB" if one["kilobytes"] else "")


def measured(folder: Path, arguments: list[str]) -> dict[str, Any]:
    """One run of `report` as a process of its own."""
    begin = time.monotonic()
    page = folder.parent / "page.html"
    command = [*PROGRAM, "report", str(folder), *(arguments or ["--html", str(page)])]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    return {
        "rows": sum(json.loads((folder / "wrongcot.json").read_text())["rows"].values()),
        "what": "numbers" if arguments else "page",
        "seconds": round(time.monotonic() - begin, 1),
        "megabytes": round(used.ru_maxrss / 1024),
        "kilobytes": 0 if arguments else round(page.stat().st_size / 1000),
    }


def grow(few: Path, many: Path, times: int) -> None:
    """Write a data set with every row many times. Its checksums fit no more, which `report` does not ask."""
    manifest = json.loads((few / "wrongcot.json").read_text())
    shutil.copytree(few, many, ignore=shutil.ignore_patterns("*.parquet"))
    for config in manifest["rows"]:
        (path,) = (few / config).glob("*.parquet")
        table = pq.read_table(path)
        with pq.ParquetWriter(many / config / path.name, table.schema) as writer:
            for number in range(times):
                writer.write_table(renamed(table, number))
        manifest["rows"][config] *= times
    (many / "wrongcot.json").write_text(json.dumps(manifest))


def renamed(table: pa.Table, number: int) -> pa.Table:
    for name in set(NAMES) & set(table.column_names):
        values = [f"{value}#{number}" if value else value for value in table.column(name).to_pylist()]
        table = table.set_column(table.schema.get_field_index(name), name, pa.array(values))
    return table


if __name__ == "__main__":
    main()
