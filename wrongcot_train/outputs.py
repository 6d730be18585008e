"""What a run leaves behind: whole or not at all, and saying which programs made it."""

from __future__ import annotations

import errno
import importlib.metadata
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wrongcot_data import __version__
from wrongcot_data.errors import Unavailable

LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")


def versions() -> dict[str, str]:
    """Versions of everything that has a say in a student or a score; a library that is not installed is left out."""
    found = {"wrongcot": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replace a JSON file in one step: a reader sees the old or the new one."""
    half_written = path.with_name(f".{path.name}.{os.getpid()}")
    half_written.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half_written.replace(path)


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `out` when the block ends well and vanishes when it does not.

    `out` must not exist or be empty. A run that is killed outright leaves a hidden folder beside `out`, never `out`.

    Raises:
        Unavailable: the disk is full.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    filling = Path(tempfile.mkdtemp(prefix=f".{out.name}-unfinished-", dir=out.parent))
    try:
        yield filling
        filling.chmod(0o755)
        filling.rename(out)  # replaces an empty folder, fails on any other
    except Exception as error:  # safetensors has an error class of its own for what the system says
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise Unavailable(f"the disk is full: there is no room for {out}", try_=["--out ELSEWHERE"]) from error
    finally:
        shutil.rmtree(filling, ignore_errors=True)
