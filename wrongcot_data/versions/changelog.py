"""The changelog of a published data set: entries in the manifest, Markdown in `CHANGELOG.md` and in the card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wrongcot_data.versions.version import Change, Version

Entry = Mapping[str, Any]
"""One version: `version`, `change` (its size, or `first`), `because` (reasons), `note`."""


def changelog_entry(version: Version, change: Change | None, note: str) -> Entry:
    """The entry of a version.

    Args:
        change: since the version before; None for the first one.
    """
    size, because = (change.size, list(change.reasons)) if change else ("first", ["the first version"])
    return {"version": str(version), "change": size, "because": because, "note": note}


def changelog(entries: Sequence[Entry]) -> str:
    """A changelog in Markdown, without a title."""
    parts = []
    for entry in entries:
        note = [entry["note"], ""] if entry["note"] else []
        head = f"### {entry['version']}" + ("" if entry["change"] == "first" else f" ({entry['change']})")
        parts.append("\n".join([head, "", *note, *(f"* {reason}" for reason in entry["because"])]))
    return "\n\n".join(parts) + "\n"
