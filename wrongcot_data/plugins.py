"""Tasks and engines by name: built-ins and plugins come through the same entry-point groups."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from wrongcot_data.errors import unknown


def names(kind: str) -> list[str]:
    """Names of what is installed of a kind (`task`, `engine`), sorted."""
    return sorted(entry.name for entry in entry_points(group=_group(kind)))


def load(kind: str, name: str) -> Any:
    """What an entry point of a kind stands for.

    Raises:
        BadInput: there is none of that name; the message has the nearest one.
    """
    found = {entry.name: entry for entry in entry_points(group=_group(kind))}
    if name not in found:
        raise unknown(kind, name, found)
    return found[name].load()


def _group(kind: str) -> str:
    return f"wrongcot.{kind}s"
