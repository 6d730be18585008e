"""The folder of a build: one build's, one process at a time, and never somebody else's.

OUT/README.md, wrongcot.json, CONFIG/*.parquet     the data set (whole if wrongcot.json is there)
OUT/pool/build.json                                whose folder this is
OUT/pool/new/                                      a data set that is being written
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.spec import BuildSpec

IDENTITY = ("task", "teacher", "seed")
"""What makes it the same build. All else may change from one call to the next: the journal keeps every sample under
its own key, and the data set is cut anew."""


def pool_folder(out: Path) -> Path:
    """Where a build keeps what is not published."""
    return out / "pool"


@contextlib.contextmanager
def claimed(out: Path, spec: BuildSpec) -> Iterator[Path]:
    """The build's folder, made where it is not there, held against other processes until the end.

    Raises:
        BadInput: the folder holds another build, or files of somebody else.
        Unavailable: another process is building in it, or it cannot be written.
    """
    check_owner(out, spec)
    pool = pool_folder(out)
    try:
        pool.mkdir(parents=True, exist_ok=True)
        lock = (pool / "lock").open("a")
    except OSError as error:
        raise Unavailable(f"cannot write in {out}: {error.strerror}", try_=["--out FOLDER"]) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unavailable(
                f"another build is running in {out}", try_=["wait for it", "--out FOLDER    (build beside it)"]
            ) from None
        check_owner(out, spec)
        write_json(pool / "build.json", spec.model_dump(mode="json"))
        yield out


def check_owner(out: Path, spec: BuildSpec) -> None:
    """See that the folder is free or this build's own.

    Raises:
        BadInput: it is not.
    """
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file", try_=["--out FOLDER"])
    owner = read_owner(out)
    if owner is None:
        if not out.is_dir() or all(path == pool_folder(out) for path in out.iterdir()):
            return
        raise BadInput(f"{out} holds files that no build has written; it is left as it is", try_=["--out FOLDER"])
    now = spec.model_dump(mode="json")
    differ = [f"{name} {owner.get(name)!r}, not {now[name]!r}" for name in IDENTITY if owner.get(name) != now[name]]
    if differ:
        raise BadInput(f"{out} holds another build: {'; '.join(differ)}", try_=["--out FOLDER    (a new folder)"])


def read_owner(out: Path) -> dict[str, Any] | None:
    """The spec that a folder was last built with; None where it has none."""
    owner = _read_json(pool_folder(out) / "build.json")
    if owner is None:  # damaged or taken away; a finished data set says it too
        owner = (_read_json(out / "wrongcot.json") or {}).get("spec")
    return owner if isinstance(owner, dict) else None


def _read_json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: Any) -> None:
    """Write a JSON file whole or not at all."""
    half = path.with_name(f".{path.name}.{os.getpid()}")
    with half.open("w", encoding="utf-8") as handle:
        json.dump(value, handle, indent=2, ensure_ascii=False)
        handle.write("\n")
        handle.flush()
        os.fsync(handle.fileno())
    half.replace(path)
