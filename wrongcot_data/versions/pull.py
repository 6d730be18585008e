"""Fetching what was published: a version into a folder, and the list of versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, CheckFailed, unknown
from wrongcot_data.publish.dataset import MANIFEST, spoilt_files
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.versions.dataset_ref import parse_ref
from wrongcot_data.versions.locate import Located, locate, store_of
from wrongcot_data.versions.version import Version


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was fetched; `rows` by config; `config` where only that one was asked for."""

    name: str
    folder: Path
    version: Version | None
    commit: str
    rows: dict[str, int]
    config: str = ""


def pull(text: str, out: Path | None, *, tell: Callable[[str], None]) -> Pulled:
    """Fetch a published data set, or one config of it, into a folder. What is there already is not fetched again.

    Args:
        text: `ORG/NAME@v1.2.0` or `ORG/NAME@v1.2.0:wrong`.
        out: where to; the name and the version if not given.

    Raises:
        BadInput: the text names none on the Hub, a variant that it lacks, or `out` holds something else.
        CheckFailed: a file is not the one that the manifest names.
        Unavailable: it cannot be had.
    """
    ref = parse_ref(text)
    if ref.folder:
        raise BadInput(f"{text} is in a folder already", try_=["wrongcot-data pull ORG/NAME@v1.0.0"])
    at = locate(ref, [])
    manifest = read_manifest(at.folder)
    if ref.config and ref.config not in manifest["rows"]:
        raise unknown("variant", ref.config, manifest["rows"])
    folder = out or Path(at.name.split("/")[-1].replace("@", "-"))
    _check_free(folder, manifest)
    tell(f"fetching {at} into {folder}")
    whole = locate(ref, [ref.config] if ref.config else None, folder)
    rows = _check(whole, ref.config)
    return Pulled(at.name, folder, at.version, at.commit, rows, ref.config)


def _check_free(folder: Path, manifest: dict[str, Any]) -> None:
    """See that a folder is new, or holds this very version.

    Raises:
        BadInput: it holds something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if (folder / MANIFEST).is_file():
        if read_manifest(folder) == manifest:
            return
    elif (folder / ".cache" / "huggingface").is_dir():
        return  # a pull that was cut off
    raise BadInput(f"{folder} holds something else; it is left as it is", try_=["--out NEW_FOLDER"])


def _check(at: Located, config: str) -> dict[str, int]:
    """The rows by config of what was fetched, each file held against its checksum.

    Raises:
        CheckFailed: one is another.
    """
    manifest = read_manifest(at.folder)
    wanted = [
        file for file in manifest["files"] if not config or "rows" not in file or file["path"].startswith(f"{config}/")
    ]
    fetched = [file for file in wanted if not config or "rows" in file or (at.folder / file["path"]).exists()]
    spoilt = spoilt_files(at.folder, fetched)
    if spoilt:
        raise CheckFailed(
            f"{at.folder / spoilt[0]} is not the file that {MANIFEST} names",
            try_=[f"rm {at.folder / spoilt[0]}    (and the same command again)"],
        )
    return {name: count for name, count in manifest["rows"].items() if config in ("", name)}


def versions_of(text: str) -> list[dict[str, Any]]:
    """The versions of a data set, the newest first: version, commit, rows, what changed.

    Raises:
        BadInput: the text names no data set, or a folder without versions.
        Unavailable: the Hub cannot be reached.
    """
    store = store_of(parse_ref(text))
    versions = store.versions()
    if not versions:
        raise BadInput(f"{store.name} has no versions here", try_=["hf auth login    (if it is private)"])
    return [_about(store.fetch(versions[one] or one.tag, [MANIFEST]), one, versions[one])
            for one in sorted(versions, reverse=True)]  # fmt: skip


def _about(folder: Path, version: Version, commit: str) -> dict[str, Any]:
    manifest = read_manifest(folder)
    entries = (manifest.get("release") or {}).get("changelog", [])
    because: list[str] = next((entry["because"] for entry in entries if entry["version"] == str(version)), [])
    return {
        "version": str(version),
        "commit": commit,
        "rows": sum(manifest["rows"].values()),
        "because": because,
        "schema_version": manifest["schema_version"],
        "grader_version": manifest["grader_version"],
    }
