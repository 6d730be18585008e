"""A release: what of a data set's folder is published as a version, with card and changelog written for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import CheckFailed
from wrongcot_data.plan import SELF
from wrongcot_data.publish.card import card_of, loadable
from wrongcot_data.publish.dataset import CARD, MANIFEST, spoilt_files
from wrongcot_data.publish.dataset_info import dataset_info
from wrongcot_data.spec import TEACHER, make_spec, spec_hash
from wrongcot_data.tasks import get_task
from wrongcot_data.versions.changelog import Entry, changelog
from wrongcot_data.versions.version import Version, parse_version

CHANGELOG = "CHANGELOG.md"


@dataclass(frozen=True, slots=True)
class Release:
    """A version that is ready to be published.

    Attributes:
        manifest: as it is published, with `release`.
        files: everything that is published, manifest included, by its path: a file of the folder, or bytes.
    """

    version: Version
    manifest: Mapping[str, Any]
    files: Mapping[str, Path | bytes]


def make_release(folder: Path, manifest: Mapping[str, Any], repo: str, entries: Sequence[Entry]) -> Release:
    """The release of a data set. The same folder, manifest, place and entries give the same bytes.

    Paths of this machine are cut to their last part wherever the spec has them.

    Args:
        repo: its name on the Hub; empty in a folder.
        entries: of the changelog, the newest first.

    Raises:
        CheckFailed: a file of the folder is not the one that the manifest names.
    """
    _check_files(folder, manifest)
    task, spec = get_task(manifest["spec"]["task"]), without_paths(manifest["spec"])
    published = {
        **manifest,
        "spec": spec,
        "spec_hash": spec_hash(make_spec(spec)),
        "release": {"repo": repo, "version": entries[0]["version"], "changelog": list(entries)},
    }
    info = dataset_info(folder, spec["split"], loadable(manifest))
    written = {
        CARD: card_of(folder, published, task.templates, info).encode(),
        CHANGELOG: f"# Changelog\n\n{changelog(entries)}".encode(),
    }
    kept = [file for file in manifest["files"] if file["path"] not in written]
    described = [*kept, *(_described(path, content) for path, content in written.items())]
    published["files"] = sorted(described, key=lambda file: str(file["path"]))
    text = json.dumps(published, indent=2, ensure_ascii=False) + "\n"
    files: dict[str, Path | bytes] = {file["path"]: folder / file["path"] for file in kept}
    return Release(parse_version(entries[0]["version"]), published, {**files, **written, MANIFEST: text.encode()})


def without_paths(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A spec in which nothing tells where files lay on the builder's machine."""
    paraphrase, corrupt, problems = dict(spec["paraphrase"]), dict(spec["corrupt"]), dict(spec["problems"])
    if problems.get("source"):
        problems["source"] = Path(problems["source"]).name
    if paraphrase["paraphraser"]:
        prefix = SELF if paraphrase["paraphraser"].startswith(SELF) else ""
        paraphrase["paraphraser"] = prefix + _name(paraphrase["paraphraser"].removeprefix(SELF))
    corrupt["operators"] = [
        TEACHER + _name(name.removeprefix(TEACHER)) if name.startswith(TEACHER) else name
        for name in corrupt["operators"]
    ]
    return {
        **spec,
        "teacher": _name(spec["teacher"]),
        "tokenizer": _name(spec["tokenizer"]),
        "problems": problems,
        "paraphrase": paraphrase,
        "corrupt": corrupt,
        "engine_options": {},  # addresses and devices of one machine; the rows name the engine
    }


def _name(model: str) -> str:
    """A model as others may name it: the last part of a path; a registry name or a Hub id as it is."""
    is_path = model.startswith((".", "~", "/")) or model.count("/") > 1 or Path(model).exists()
    return Path(model).name if model and is_path else model


def _check_files(folder: Path, manifest: Mapping[str, Any]) -> None:
    spoilt = spoilt_files(folder, manifest["files"])
    if spoilt:
        raise CheckFailed(
            f"{folder / spoilt[0]} is not the file that {MANIFEST} names", try_=[f"wrongcot-data verify {folder}"]
        )


def _described(path: str, content: bytes) -> dict[str, Any]:
    return {"path": path, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
