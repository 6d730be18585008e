"""One way to name a data set, for every verb: `ORG/NAME@v1.2.0:wrong`, or a folder.

    ORG/NAME               the newest version on the Hub
    ORG/NAME@v1.2.0        that version; `@1.2.0` and a commit of 40 hex digits do as well
    ORG/NAME@v1.2.0:wrong  one config of it, for verbs that take one
    data/countdown         a folder that a build or `pull` wrote; `data/countdown:wrong` a config of it
    /disk/sets@v1.2.0      a folder that `push --to` wrote versions into

What exists as a folder is a folder; else what looks like `ORG/NAME` is on the Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from wrongcot_data.errors import BadInput
from wrongcot_data.versions.version import Version, read_version

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_CONFIG = re.compile(r"[a-z][\w-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")

HOW = "ORG/NAME@v1.2.0:wrong    (on the Hub), or a folder"


@dataclass(frozen=True, slots=True)
class DatasetRef:
    """A data set as somebody named it.

    Attributes:
        folder: where it is; None where it is on the Hub.
        repo: its name on the Hub; empty where it is a folder.
        version: None for the newest, or for what lies in the folder itself.
        commit: of 40 hex digits, where that was said in a version's place; else empty.
        config: empty where none was said.
    """

    folder: Path | None = None
    repo: str = ""
    version: Version | None = None
    commit: str = ""
    config: str = ""

    def __str__(self) -> str:
        at = self.version.tag if self.version else self.commit
        return f"{self.repo or self.folder}{f'@{at}' if at else ''}{f':{self.config}' if self.config else ''}"


def parse_ref(text: str) -> DatasetRef:
    """The data set that a text names; only whether a folder is there is looked up.

    Raises:
        BadInput: it is neither a folder that exists nor a name on the Hub, or its version is none.
    """
    if _is_folder(text):
        return DatasetRef(folder=Path(text))
    rest, colon, config = text.rpartition(":")
    if not colon or not _CONFIG.fullmatch(config):
        rest, config = text, ""
    if _is_folder(rest):
        return DatasetRef(folder=Path(rest), config=config)
    name, at, told = rest.rpartition("@")
    if not at:
        name, told = rest, ""
    version, commit = read_version(told), told if _COMMIT.fullmatch(told) else ""
    if at and not version and not commit:
        raise BadInput(f"{told!r} in {text!r} is no version", try_=[f"{name}@v1.0.0", f"wrongcot-data list {name}"])
    if _is_folder(name) and not commit:
        return DatasetRef(folder=Path(name), version=version, config=config)
    if _REPO.fullmatch(name):
        return DatasetRef(repo=name, version=version, commit=commit, config=config)
    raise BadInput(f"{text!r} is neither a folder here nor a data set on the Hub", try_=[HOW])


def _is_folder(text: str) -> bool:
    try:
        return bool(text) and Path(text).is_dir()
    except OSError:  # too long for a path
        return False


def check_repo(name: str) -> None:
    """See that a name can be one on the Hub.

    Raises:
        BadInput: it cannot.
    """
    refused = "--" in name or ".." in name or name.endswith(".git")  # by the Hub's client
    if refused or not _REPO.fullmatch(name):
        raise BadInput(f"{name!r} is no name on the Hub", try_=["--repo ORG/NAME"])
