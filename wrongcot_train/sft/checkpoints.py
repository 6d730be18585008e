"""Which checkpoints can be gone on from.

A checkpoint is good when all of it reached the disk: a mark with the size of every file is written into it last. One
that a kill tore has no mark, or files of other sizes, and the one before it is taken; one of weights alone
(`save_only_model`) cannot be gone on from. (What a failing disk changes in a
file of the same size is not seen: hashing an 8B student and its optimiser would take minutes a checkpoint.)
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from wrongcot_train.outputs import write_json

CHECKPOINTS = "checkpoints"
MARK = "wrongcot-checkpoint.json"
_NAME = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that the trainer wrote after a step."""

    folder: Path
    step: int


def checkpoints(folder: Path) -> list[Checkpoint]:
    """All checkpoints in a folder, good or not, the newest first."""
    if not folder.is_dir():
        return []
    found = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir() if path.is_dir())
    named = [Checkpoint(path, int(match[1])) for path, match in found if match]
    return sorted(named, key=lambda one: -one.step)


def newest_good(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is whole; None where there is none."""
    return next((one for one in checkpoints(folder) if is_good(one)), None)


def is_good(checkpoint: Checkpoint) -> bool:
    """Whether every file is there as it was when the checkpoint was marked."""
    try:
        sizes = json.loads((checkpoint.folder / MARK).read_text(encoding="utf-8"))["sizes"]
        whole = all((checkpoint.folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    begun = ("optimizer", "global_step")  # DeepSpeed's name for its folder of a step
    return (
        whole
        and any(name.startswith(begun) for name in sizes)
        and all(_opens(file) for file in checkpoint.folder.glob("*.safetensors"))
    )


def _opens(file: Path) -> bool:
    """Whether a file of weights has a header that can be read."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="numpy"):
            return True
    except (SafetensorError, OSError):
        return False


def mark(checkpoint: Checkpoint) -> None:
    """Say that a checkpoint is whole, once all of it is on the disk."""
    files = sorted(path for path in checkpoint.folder.rglob("*") if path.is_file() and path.name != MARK)
    for path in files:
        with path.open("rb") as handle:
            os.fsync(handle.fileno())
    sizes = {str(path.relative_to(checkpoint.folder)): path.stat().st_size for path in files}
    write_json(checkpoint.folder / MARK, {"step": checkpoint.step, "sizes": sizes})


def drop_torn(folder: Path) -> list[Checkpoint]:
    """Take away every checkpoint that is not good; returns which."""
    torn = [one for one in checkpoints(folder) if not is_good(one)]
    for one in torn:
        shutil.rmtree(one.folder)
    return torn
