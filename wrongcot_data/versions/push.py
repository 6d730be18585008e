"""Publishing a data set as a version: checked against the versions before, written once, read back."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed, Unavailable
from wrongcot_data.publish.dataset import MANIFEST, spoilt_files
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.versions.changelog import changelog_entry
from wrongcot_data.versions.diff import dataset_diff
from wrongcot_data.versions.release import CHANGELOG, Release, make_release
from wrongcot_data.versions.store import Moved, Store, Written
from wrongcot_data.versions.version import Change, Version, fits

TRIES = 3
"""How often what others published meanwhile is looked at again."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push came to.

    Attributes:
        release: None where the version was there already, with these bytes.
        change: since the version before; None for the first one.
        rows: by config.
    """

    written: Written
    release: Release | None
    change: Change | None
    rows: Mapping[str, int]


def push(
    folder: Path, store: Store, version: Version, note: str, *, tell: Callable[[str], None], dry_run: bool = False
) -> Pushed:
    """Publish a folder as a version. The same call completes one that was cut off, and does nothing once it is done.

    Args:
        note: for the changelog.
        tell: told what is done next.
        dry_run: write nothing; all else is as it would be.

    Raises:
        BadInput: the version is there with other bytes, is none for this change, or nothing changed.
        CheckFailed: the folder is not what its manifest says, or what came back is not what was sent.
        Unavailable: the store cannot be reached or not written to.
    """
    manifest = read_manifest(folder)
    for _ in range(TRIES):
        versions = store.versions()
        if version in versions:
            return _again(folder, manifest, store, version, versions[version])
        release, change = _prepared(folder, manifest, store, version, note, versions, tell)
        if dry_run:
            store.check(release)
            return Pushed(Written("", "", tagged=False), release, change, release.manifest["rows"])
        tell(f"writing {len(release.files)} files to {store.name}")
        try:
            written = store.write(release, note or f"Version {version}")
        except Moved:
            tell("somebody else published meanwhile; looking again")
            continue
        if written.tagged:
            tell(f"reading {version.tag} back")
            check_published(store, version, release)
        return Pushed(written, release, change, release.manifest["rows"])
    raise Unavailable(f"others kept publishing to {store.name}", try_=["the same command again"])


def _again(folder: Path, manifest: Mapping[str, Any], store: Store, version: Version, commit: str) -> Pushed:
    """A push of a version that is there already.

    Raises:
        BadInput: it is another release.
        CheckFailed: it is this one, and its files are not what it says.
    """
    there = read_manifest(store.fetch(commit or version.tag, [MANIFEST]))
    told = there.get("release") or {}
    release = make_release(folder, manifest, store.repo, told["changelog"]) if told.get("changelog") else None
    if release is None or release.manifest != there:
        raise BadInput(
            f"{version.tag} of {store.name} is there with other bytes, and a version never moves",
            try_=[f"--version {version.after('minor')}    (if rows were added)", f"wrongcot-data list {store.name}"],
        )
    spoilt = store.spoilt(release, commit or version.tag)
    if spoilt:
        raise CheckFailed(
            f"{version.tag} of {store.name} has other bytes than its manifest says: {', '.join(spoilt[:5])}",
            try_=[f"wrongcot-data verify {store.name}@{version.tag}"],
        )
    return Pushed(Written(commit, store.name), None, None, there["rows"])


def _prepared(
    folder: Path,
    manifest: Mapping[str, Any],
    store: Store,
    version: Version,
    note: str,
    versions: Mapping[Version, str],
    tell: Callable[[str], None],
) -> tuple[Release, Change | None]:
    """The release, and what changed since the newest version.

    Raises:
        BadInput: the version does not fit the change, nothing changed, or it is another task's data set.
    """
    if not versions:
        return make_release(folder, manifest, store.repo, [changelog_entry(version, None, note)]), None
    newest = max(versions)
    at = versions[newest] or newest.tag
    before = read_manifest(store.fetch(at, [MANIFEST, CHANGELOG]))
    task, there = manifest["spec"]["task"], before["spec"]["task"]
    if task != there:
        raise BadInput(
            f"{store.name} holds {there}, and {folder} is {task}", try_=["another --repo or --to: one data set each"]
        )
    earlier = (before.get("release") or {}).get("changelog", [])
    other = [
        name for name, content in before["content"].items() if manifest["content"].get(name) not in (None, content)
    ]
    if other:
        tell(f"comparing {', '.join(other)} with {newest.tag}")
    old = store.fetch(at, [MANIFEST, *(f"{name}/*" for name in other)])
    # a release of the new rows under the old name: what differs then is not the name
    same = make_release(folder, manifest, store.repo, earlier) if earlier else None
    change = dataset_diff(old, folder, before, same.manifest if same else manifest).change
    _check_fits(version, newest, change, store)
    return make_release(folder, manifest, store.repo, [changelog_entry(version, change, note), *earlier]), change


def _check_fits(version: Version, newest: Version, change: Change, store: Store) -> None:
    if change.size is None:
        raise BadInput(f"nothing changed since {newest.tag} of {store.name}; there is nothing to publish")
    if not fits(version, newest, change):
        least = newest.after(change.size)
        raise BadInput(
            f"{version} does not fit a {change.size} change since {newest}: {'; '.join(change.reasons[:3])}",
            try_=[f"--version {least}    (or later)"],
        )


def check_published(store: Store, version: Version, release: Release) -> None:
    """Read a version back by its tag, and hold every file against what was sent.

    Raises:
        CheckFailed: one is missing or has other bytes or rows.
        Unavailable: it cannot be read.
    """
    files = release.manifest["files"]
    with tempfile.TemporaryDirectory(prefix="wrongcot-") as into:
        folder = store.fetch(version.tag, [MANIFEST, *(file["path"] for file in files)], Path(into))
        spoilt = spoilt_files(folder, files)
        if spoilt or read_manifest(folder) != release.manifest:
            raise CheckFailed(
                f"{version.tag} of {store.name} did not come back as it was sent: {', '.join(spoilt[:5]) or MANIFEST}",
                try_=["the same command again; if it stays so, tell the people who run the store"],
            )
