"""The engines, by name; entry-point group `wrongcot.engines`."""

from __future__ import annotations

from wrongcot_data import plugins
from wrongcot_data.engines.base import EngineKind


def get_engine(name: str) -> EngineKind:
    """The engine of that name; nothing is loaded until it is opened.

    Raises:
        BadInput: no such engine; the message has the nearest name.
    """
    kind: EngineKind = plugins.load("engine", name)
    return kind
