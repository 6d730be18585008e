#!/usr/bin/env python3
"""What publishing a large data set costs: seconds and memory of push, of the same push again, of pull and diff.

    .venv/bin/python scripts/bench_publish.py [--rows N] [--json]

A scripted build, every row as often under other names as makes N rows (a million if not said), and one with a tenth
of them, pushed as two versions by the real client to the tests' stand-in Hub on loopback, a process of its own.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import bench_page

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.hub import serving
from wrongcot_data.publish.dataset import MANIFEST, content_by_config, list_files

PROGRAM = (sys.executable, "-m", "wrongcot_data")
REPO = "tester/traces"
VARIANTS = ("right", "wrong", "reference", "corrupt")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), options.rows)
    if options.json:
        print(json.dumps(found))
        return
    for name, one in found.items():
        print(f"{name:<22}{one['rows']:>11,} rows {one['seconds']:8.1f} s {one['megabytes']:6.0f} MB")


def measured(folder: Path, rows: int) -> dict[str, dict[str, Any]]:
    """Every verb, each as a process of its own, against a Hub in another."""
    base = folder / "base"
    flags = [f"--variant={name}" for name in VARIANTS]
    build = ["build", "countdown", "--teacher", "scripted", "--limit", "500", *flags, "--out", str(base)]
    subprocess.run([*PROGRAM, *build, "--journal", f"{base}.sqlite"], check=True, capture_output=True)
    whole = sum(json.loads((base / MANIFEST).read_text())["rows"].values())
    sets = {"small": grown(base, folder / "small", max(1, rows // 10 // whole)),
            "large": grown(base, folder / "large", -(-rows // whole))}  # fmt: skip
    ours, theirs = multiprocessing.Pipe()
    hub = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, str(folder / "hf")), daemon=True)
    hub.start()
    environment = {**os.environ, **ours.recv()}
    push = ["push", "--repo", REPO]
    steps = {
        "push the first": ("small", [*push, str(folder / "small"), "--version", "1.0.0"]),
        "push ten times as many": ("large", [*push, str(folder / "large"), "--version", "1.1.0"]),
        "the same push again": ("large", [*push, str(folder / "large"), "--version", "1.1.0"]),
        "pull": ("large", ["pull", f"{REPO}@v1.1.0", "--out", str(folder / "pulled")]),
        "diff": ("large", ["diff", f"{REPO}@v1.0.0", f"{REPO}@v1.1.0"]),
    }
    found = {name: {"rows": sets[size], **timed(command, environment)} for name, (size, command) in steps.items()}
    ours.send(None)
    hub.join()
    return found


def grown(base: Path, folder: Path, times: int) -> int:
    """Write a data set with every row so many times, its checksums true; returns how many rows it has."""
    bench_page.grow(base, folder, times)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"] = [file for file in list_files(folder) if not file["path"].startswith("pool/")]
    manifest["content"] = content_by_config(manifest["files"])
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return sum(manifest["rows"].values())


def serve(pipe: Connection, home: str) -> None:
    """A Hub, until it is told to end."""
    with serving() as hub:
        pipe.send(hub.environment(Path(home)))
        pipe.recv()


def timed(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Seconds and peak memory of one run."""
    begin = time.monotonic()
    with subprocess.Popen([*PROGRAM, *command], stdout=subprocess.DEVNULL, env=environment) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(process.returncode)
    return {"seconds": round(time.monotonic() - begin, 1), "megabytes": round(used.ru_maxrss / 1024)}


if __name__ == "__main__":
    main()
