"""Versions of a published data set, and which of them a change asks for.

| change | because |
|---|---|
| `major` | schema, grading rules or acceptance of replies about traces are others; or rows are gone or changed |
| `minor` | rows were added, and none was touched |
| `patch` | the same rows; the card, a plot or the manifest is another |
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from wrongcot_data.errors import BadInput

Size = Literal["patch", "minor", "major"]
SIZES: tuple[Size, ...] = ("patch", "minor", "major")
"""From small to large."""

_VERSION = re.compile(r"v?(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """A semantic version, without what may follow three numbers; its tag has a `v` before it."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def tag(self) -> str:
        """The name of its tag, and of its folder on a shared disk."""
        return f"v{self}"

    def after(self, size: Size) -> Version:
        """The next version for a change."""
        if size == "major":
            return Version(self.major + 1, 0, 0)
        if size == "minor":
            return Version(self.major, self.minor + 1, 0)
        return Version(self.major, self.minor, self.patch + 1)


def read_version(text: str) -> Version | None:
    """A version from `1.2.0` or its tag `v1.2.0`; None for anything else."""
    found = _VERSION.fullmatch(text)
    return Version(*map(int, found.groups())) if found else None


def parse_version(text: str) -> Version:
    """A version that somebody typed.

    Raises:
        BadInput: it is none.
    """
    version = read_version(text)
    if version is None:
        raise BadInput(f"{text!r} is no version; one has three numbers", try_=["--version 1.0.0"])
    return version


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a data set from one version to the next; `size` is None where nothing did.

    Attributes:
        reasons: why it is no smaller, one line each.
    """

    size: Size | None
    reasons: tuple[str, ...]


def largest(found: Mapping[Size, Iterable[str]]) -> Change:
    """The change that reasons for changes of several sizes make together."""
    reasons = {size: tuple(found.get(size, ())) for size in SIZES}
    size = next((size for size in reversed(SIZES) if reasons[size]), None)
    return Change(size, reasons[size]) if size else Change(None, ())


def fits(version: Version, newest: Version, change: Change) -> bool:
    """Whether a version is late and large enough for a change; a larger step than needed is nobody's harm."""
    return change.size is not None and version >= newest.after(change.size)
