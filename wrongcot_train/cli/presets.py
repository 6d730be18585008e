"""`wrongcot-train presets`."""

from __future__ import annotations

import click

from wrongcot_data.cli.console import emit, json_option


@click.command()
@click.argument("name", required=False)
@json_option
def presets(name: str | None, as_json: bool) -> None:
    """The settings of whole runs by name; with NAME one of them, each value with where it was seen or guessed."""
    from wrongcot_train.presets import get_preset, preset_names

    if name:
        preset = get_preset(name)
        emit({"name": preset.name, "about": preset.about, "settings": preset.settings}, as_json, preset.text.rstrip)
        return
    found = [get_preset(one) for one in preset_names()]
    wide = max(len(one.name) for one in found)
    listed = [{"name": one.name, "about": one.about} for one in found]
    emit({"presets": listed}, as_json, lambda: "\n".join(f"{one.name:<{wide}}  {one.about}" for one in found))
