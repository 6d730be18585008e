"""From the name of a data set to a folder with its files, fetched where they are not here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.publish.dataset import CARD, MANIFEST
from wrongcot_data.versions.dataset_ref import DatasetRef
from wrongcot_data.versions.hub import Hub
from wrongcot_data.versions.release import CHANGELOG
from wrongcot_data.versions.shelf import Shelf
from wrongcot_data.versions.store import Store
from wrongcot_data.versions.version import Version


@dataclass(frozen=True, slots=True)
class Located:
    """A data set whose files are here.

    Attributes:
        name: as the user would name these very files again.
        version: None where the folder is no version of anything.
        commit: empty where it comes from no Hub.
        config: that was asked for; empty where none was.
    """

    name: str
    folder: Path
    version: Version | None = None
    commit: str = ""
    config: str = ""

    def __str__(self) -> str:
        return f"{self.name} (commit {self.commit})" if self.commit and self.commit not in self.name else self.name


def store_of(ref: DatasetRef) -> Store:
    """Where the versions of a data set live."""
    return Shelf(ref.folder) if ref.folder else Hub(ref.repo)


def locate(ref: DatasetRef, configs: Sequence[str] | None = None, into: Path | None = None) -> Located:
    """The files of a data set, in a folder.

    Args:
        configs: those that are wanted, with manifest, card and changelog; everything if not given.
        into: where files from the Hub are put; the cache that all programs of this user share if not given.

    Raises:
        BadInput: it has no such version, or none at all.
        Unavailable: it cannot be had.
    """
    if ref.folder and not ref.version and ((ref.folder / MANIFEST).exists() or not Shelf(ref.folder).versions()):
        return Located(str(ref.folder), ref.folder, config=ref.config)
    store = store_of(ref)
    try:
        version, commit = (None, ref.commit) if ref.commit else _chosen(store, ref)
    except Unavailable as error:
        if ref.repo and not ref.version:  # perhaps a folder was meant
            raise Unavailable(f"{ref.repo} is no folder here; on the Hub: {error.message}", try_=error.try_) from error
        raise
    paths = ["*"] if configs is None else [MANIFEST, CARD, CHANGELOG, *(f"{config}/*" for config in configs)]
    folder = store.fetch(commit or version.tag if version else commit, paths, into)
    return Located(f"{store.name}@{version.tag if version else commit}", folder, version, commit, ref.config)


def _chosen(store: Store, ref: DatasetRef) -> tuple[Version, str]:
    """The version that was asked for, else the newest, with its commit.

    Raises:
        BadInput: there is none.
    """
    versions = store.versions()
    if not versions:
        raise Unavailable(
            f"{store.name} has no version, or is not there for you",
            try_=["hf auth login    (if it is private)", "ORG/NAME@COMMIT    (if it was never given a version)"],
        )
    version = ref.version or max(versions)
    if version not in versions:
        newest = ", ".join(one.tag for one in sorted(versions, reverse=True)[:5])
        raise BadInput(
            f"{store.name} has no {version.tag}; it has {newest}", try_=[f"{store.name}@{max(versions).tag}"]
        )
    return version, versions[version]
