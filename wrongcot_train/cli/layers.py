"""From a preset, a config file and flags to the settings of a run, each with its origin."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.spec import read_config
from wrongcot_train.config import Layer, SftConfig, resolve
from wrongcot_train.presets import get_preset
from wrongcot_train.words import read_flags, typed_layer, words


@dataclass(frozen=True, slots=True)
class Said:
    """What a person said: the settings of the run, and those of the launcher that starts its processes."""

    config: SftConfig
    launch: Mapping[str, Any]


def read_layers(preset: str | None, config_file: Path | None, flags: Mapping[str, Any], rest: Sequence[str]) -> Said:
    """Lay flags over the config file over the preset.

    Args:
        flags: that the command names itself; None where not given.
        rest: everything else on the command line, TRL's words as flags.

    Raises:
        BadInput: a name that is not known, with the nearest one that is; a value of another type; no such file.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    layers = []
    if preset:
        name = f"preset {preset}"
        layers.append(Layer(name, typed_layer(get_preset(preset).settings)))
    if config_file:
        layers.append(Layer(str(config_file), _of_file(config_file)))
    if given.get("packing") in {"true", "false"}:
        given["packing"] = given["packing"] == "true"
    layers.append(Layer("flag", {**given, **read_flags(rest)}))
    launch = {name: value for layer in layers for name, value in layer.values.items() if name in words().launch}
    of_run = [
        Layer(layer.origin, {name: value for name, value in layer.values.items() if name not in launch})
        for layer in layers
    ]
    return Said(resolve(of_run, words().trl), launch)


def _of_file(file: Path) -> dict[str, Any]:
    """The settings in a file; its block `env` goes into the environment, as `trl sft` has it."""
    if not file.is_file():
        raise BadInput(f"there is no file {file}", try_=["--config FILE    (YAML in TRL's words; docs/training.md)"])
    values = typed_layer(read_config(file))
    environment = values.pop("env", None) or {}
    if not isinstance(environment, dict):
        raise BadInput(f"`env` in {file} must hold `NAME: value` lines")
    os.environ.update({str(name): str(value) for name, value in environment.items()})
    if values.get("datasets"):
        raise BadInput(f"`datasets` in {file} mixes data sets; a student is trained on one", try_=["dataset_name: ..."])
    return values
