"""The engines: built-ins and plugins through the same entry-point group, `wrongcot.engines`."""

from __future__ import annotations

from importlib.metadata import entry_points

from wrongcot_data.engines.base import EngineKind
from wrongcot_data.errors import unknown

GROUP = "wrongcot.engines"


def engine_names() -> list[str]:
    """Names of the engines that are installed, sorted."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def get_engine(name: str) -> EngineKind:
    """The engine of that name; nothing is loaded until it is opened.

    Raises:
        BadInput: no such engine; the message has the nearest name.
    """
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in found:
        raise unknown("engine", name, found)
    kind: EngineKind = found[name].load()
    return kind
