"""Presets: files with the settings of a whole run, each with its story. One file a preset, found by its name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import unknown
from wrongcot_data.spec import read_config

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Preset:
    """The settings of a run by a name.

    Attributes:
        about: one line.
        settings: in TRL's words and ours.
        text: the file, whose comments tell which values were seen and which are guessed.
    """

    name: str
    about: str
    settings: dict[str, Any]
    text: str


def preset_names() -> list[str]:
    """All presets there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def get_preset(name: str) -> Preset:
    """A preset by its name.

    Raises:
        BadInput: there is none of that name; the message has the nearest.
    """
    if name not in preset_names():
        raise unknown("preset", name, preset_names())
    file = FOLDER / f"{name}.yaml"
    fields = read_config(file)
    return Preset(name, fields["about"], fields["settings"], file.read_text(encoding="utf-8"))
