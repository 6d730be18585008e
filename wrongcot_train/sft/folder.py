"""A student's folder and the states it can be in: empty, unfinished, finished, or somebody else's.

`run.json` is written first and names the run; `sft.json` is written last, so a folder with it is a finished student.
"""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_train.outputs import write_json
from wrongcot_train.sft.checkpoints import CHECKPOINTS, newest_good

RECORD = "sft.json"
"""What a student's folder says of how it was made."""

RUN = "run.json"
"""Which run a folder holds, from its first second on."""

LOSSES = "training.jsonl"
"""TRL's log, one line a step."""

CURVE = "curve.jsonl"
"""Accuracy at step 0 and at each checkpoint, one line each."""

CURVE_EVALS = "curve"
"""Folder with the evals behind the curve."""

CURVE_PICTURE = "curve.png"

ADAPTER = "adapter"

LOCK = ".lock"
"""Held while a process trains in the folder."""

UNFINISHED = frozenset({RUN, LOSSES, CURVE, CURVE_EVALS, CURVE_PICTURE, CHECKPOINTS})
"""Everything that an unfinished run leaves."""


def check_free(out: Path) -> None:
    """Refuse a folder that holds something other than a student of ours.

    Raises:
        BadInput: it does, or it is a file.
    """
    if out.is_file():
        raise BadInput(f"{out} is a file; a student needs a folder", try_=["--out ANOTHER"])
    held = {path.name for path in out.iterdir()} - {LOCK} if out.is_dir() else set()
    if held and not held & {RECORD, RUN}:
        raise BadInput(f"{out} holds something else, which is left alone", try_=["--out ANOTHER"])


def finished(out: Path, identity: str) -> dict[str, Any] | None:
    """The record of exactly this run, where `out` holds it finished; None where it is not finished.

    Raises:
        BadInput: it holds another run.
        CheckFailed: its record cannot be read.
    """
    if not (out / RECORD).is_file():
        return None
    record = _read(out / RECORD)
    _same(out, record, identity)
    sizes = record.get("files", {})  # records of before there were sizes have none
    if not isinstance(sizes, dict) or "losses" not in record:
        raise CheckFailed(f"{out / RECORD} is damaged", try_=["--out ANOTHER"])
    for name, size in sizes.items():
        if not (out / name).is_file() or (out / name).stat().st_size != size:
            raise CheckFailed(
                f"{out / name} is not as it was saved; the student is damaged",
                try_=["--out ANOTHER", f"rm -r {out}    (and train again)"],
            )
    return record


def check_unfinished(out: Path, identity: str, resume: bool) -> None:
    """See that a folder can be begun, or begun again.

    Raises:
        BadInput: it holds another run, or this one with a good checkpoint and nobody asked to resume.
        CheckFailed: `run.json` cannot be read.
    """
    if not (out / RUN).is_file():
        return
    _same(out, _read(out / RUN), identity)
    good = newest_good(out / CHECKPOINTS)
    if good and not resume:
        raise BadInput(
            f"{out} holds this run unfinished, with a checkpoint at step {good.step}",
            try_=["--resume    (go on from there)", f"rm -r {out}    (start again)"],
        )


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise CheckFailed(f"{path} is damaged", try_=["--out ANOTHER", f"rm -r {path.parent}    (and train again)"])
    return value


def _same(out: Path, record: dict[str, Any], identity: str) -> None:
    if record.get("identity") == identity:
        return
    made_of = f"{record.get('student')} trained on {record.get('variant')!r} of {record.get('dataset')}"
    raise BadInput(
        f"{out} holds another run ({made_of}); it is left alone",
        try_=["--out ANOTHER", f"rm -r {out}    (if it is not needed)"],
    )


def begin(out: Path, plan: dict[str, Any]) -> None:
    """Name the run in its folder."""
    write_json(out / RUN, plan)


def clear(out: Path) -> None:
    """Take away what an unfinished run left, if that is all there is."""
    if not out.is_dir() or (out / RECORD).is_file():
        return
    for path in out.iterdir():
        if path.name in UNFINISHED or (path.name.startswith(".") and path.name != LOCK):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@contextmanager
def held(out: Path) -> Iterator[None]:
    """Hold a folder against other processes; one that stays empty is taken away again.

    Raises:
        BadInput: another process trains in it.
        Unavailable: it cannot be written there.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = (out / LOCK).open("a")
    except OSError as error:
        raise Unavailable(f"cannot write to {out}: {error.strerror}", try_=["--out ELSEWHERE"]) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(f"another process is training in {out}", try_=["--out ANOTHER", "wait for it"]) from error
        try:
            yield
        finally:
            (out / LOCK).unlink(missing_ok=True)
            for folder in made:
                if folder.is_dir() and not any(folder.iterdir()):
                    folder.rmdir()


def sizes_of(saved: Path) -> dict[str, int]:
    """Bytes of every file of a student that was saved, by its path within the folder."""
    return {str(path.relative_to(saved)): path.stat().st_size for path in sorted(saved.rglob("*")) if path.is_file()}


def put(saved: Path, out: Path) -> None:
    """Move the files of a student that was saved beside its place into it."""
    for path in sorted(saved.iterdir()):
        target = out / path.name
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)
    saved.rmdir()
