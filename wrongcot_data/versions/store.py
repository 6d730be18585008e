"""The contract of a place where versions of a data set live: the Hub, or a folder on a shared disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from wrongcot_data.versions.release import Release
from wrongcot_data.versions.version import Version


class Moved(Exception):
    """Somebody else published while this was under way; what there is must be looked at again."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where a release went.

    Attributes:
        commit: empty in a folder.
        url: what to open or load.
        tagged: whether it has its version; not so where it only was proposed.
    """

    commit: str
    url: str
    tagged: bool = True


class Store(Protocol):
    """What pushing and pulling ask of it.

    Attributes:
        name: for messages.
        repo: its name on the Hub; empty for a folder.
    """

    name: str
    repo: str

    def versions(self) -> Mapping[Version, str]:
        """The versions that there are, each with its commit; none where the place does not exist yet.

        Raises:
            Unavailable: it cannot be reached, or not with these rights.
        """
        ...

    def fetch(self, at: str, paths: Sequence[str], into: Path | None = None) -> Path:
        """A folder with these files (glob patterns) of a version's commit or tag.

        Args:
            into: where they are put; somewhere of the store's choosing if not given.

        Raises:
            Unavailable: they cannot be had.
        """
        ...

    def check(self, release: Release) -> None:
        """See whether a release could be written, as far as that can be told without writing.

        Raises:
            BadInput: another release waits for this version, or the place holds what is somebody else's.
            Unavailable: it cannot be reached.
        """
        ...

    def spoilt(self, release: Release, at: str) -> list[str]:
        """Paths of a release that a version's commit or tag lacks, or has with other bytes.

        Raises:
            Unavailable: it cannot be reached.
        """
        ...

    def write(self, release: Release, message: str) -> Written:
        """Publish a release; what of it is there already, as of a push that was cut off, is not written again.

        Raises:
            BadInput: another release has this version, or waits for it.
            CheckFailed: what was written is not what the manifest says; it is no version.
            Moved: somebody else published meanwhile.
            Unavailable: the place cannot be reached, or not written to with these rights.
        """
        ...
