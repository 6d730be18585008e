"""Versions in a folder, for people with a shared disk and no Hub: `FOLDER/v1.2.0/`, each whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_data.publish.dataset import MANIFEST, spoilt_files
from wrongcot_data.versions.release import Release
from wrongcot_data.versions.store import Moved, Written
from wrongcot_data.versions.version import Version, read_version


class Shelf:
    """A folder of versions. See `Store` for what each member promises."""

    repo = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def versions(self) -> Mapping[Version, str]:
        """The versions that are there; a half-written one is not."""
        if not self.folder.is_dir():
            return {}
        found = ((read_version(path.name), path) for path in self.folder.iterdir() if path.name.startswith("v"))
        return {version: "" for version, path in found if version and (path / MANIFEST).is_file()}

    def fetch(self, at: str, paths: Sequence[str], into: Path | None = None) -> Path:
        """The folder of a version itself; nothing is copied.

        Raises:
            Unavailable: it is not there.
        """
        folder = self.folder / at
        if not folder.is_dir():
            raise Unavailable(f"{self.folder} has no {at}", try_=[f"wrongcot-data list {self.folder}"])
        return folder

    def check(self, release: Release) -> None:
        """Nothing can be in the way: a version is a folder of its own."""

    def spoilt(self, release: Release, at: str) -> list[str]:
        """Paths of a release that a version lacks, or has with other bytes."""
        return spoilt_files(self.folder / at, release.manifest["files"])

    def write(self, release: Release, message: str) -> Written:
        """Write a version beside the others and then give it its name, which is one step.

        Raises:
            CheckFailed: a file is not what the manifest says, since the folder was changed meanwhile.
            Moved: the name was taken meanwhile.
            Unavailable: the disk does not take it.
        """
        final = self.folder / release.version.tag
        half = self.folder / f".{release.version.tag}.{os.getpid()}"
        try:
            shutil.rmtree(half, ignore_errors=True)
            for path, content in release.files.items():
                target = half / path
                target.parent.mkdir(parents=True, exist_ok=True)
                _write(target, content)
            spoilt = spoilt_files(half, release.manifest["files"])
            if spoilt:
                raise CheckFailed(
                    f"{spoilt[0]} was changed while it was copied; {final} was not made",
                    try_=["the same command again, once nothing else writes to the folder"],
                )
            try:
                half.rename(final)
            except OSError as error:
                if final.exists():
                    raise Moved from error
                raise
        except OSError as error:
            raise Unavailable(f"cannot write {final}: {error.strerror or error}") from error
        finally:
            shutil.rmtree(half, ignore_errors=True)
        return Written("", str(final))


def open_shelf(folder: Path) -> Shelf:
    """A folder for versions, which may not exist yet.

    Raises:
        BadInput: it is a file, or a data set itself.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file", try_=["--to FOLDER"])
    if (folder / MANIFEST).exists():
        raise BadInput(f"{folder} is a data set itself, no folder of versions", try_=["--to ANOTHER_FOLDER"])
    return Shelf(folder)


def _write(target: Path, content: Path | bytes) -> None:
    with target.open("wb") as out:
        if isinstance(content, bytes):
            out.write(content)
        else:
            with content.open("rb") as source:
                shutil.copyfileobj(source, out, 1 << 20)
        out.flush()
        os.fsync(out.fileno())
