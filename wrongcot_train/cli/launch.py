"""Several processes: the same command again in each, started by accelerate, with FSDP2 or DeepSpeed where asked for."""

from __future__ import annotations

import contextlib
import importlib.resources
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from wrongcot_data.errors import BadInput, unknown
from wrongcot_train.words import LAUNCH_FILE

UNSAID = {"num_processes": 1, "num_machines": 1, "mixed_precision": "no", "dynamo_backend": "no"}
"""What the launcher warns of where nobody says it. Precision is the trainer's own business."""


LAUNCHED = "WRONGCOT_LAUNCHED"
"""Set in the processes that were started: the launcher does not always number them."""


def needs_launch(launch: Mapping[str, Any]) -> bool:
    """Whether processes are to be started that are not running yet."""
    return bool(launch) and not {"LOCAL_RANK", LAUNCHED} & set(os.environ)


def launched(launch: Mapping[str, Any]) -> int:
    """Run this very command in the processes that the launcher's settings ask for; returns their exit code.

    They are a group of their own, to which every signal that would end this process is passed on: none outlives it.

    Raises:
        BadInput: no such config for the launcher; the message has the nearest of TRL's own. Or no process at all.
    """
    count = launch.get("num_processes", 1)
    if isinstance(count, int) and count < 1:
        raise BadInput(f"{count} processes train nothing", try_=["--num-processes 1"])
    command, environment = launch_command(launch, sys.argv[1:]), {**os.environ, LAUNCHED: "1"}
    started: list[int] = []
    early: list[int] = []

    def pass_on(number: int, frame: FrameType | None = None) -> None:
        if not started:
            early.append(number)
        for leader in started:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(leader, number)

    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, pass_on)
    running = subprocess.Popen(command, env=environment, start_new_session=True)  # noqa: S603  this very program
    started.append(running.pid)
    for number in early:
        pass_on(number)
    return running.wait()


def launch_command(launch: Mapping[str, Any], arguments: list[str]) -> list[str]:
    """What starts the processes."""
    words: list[str] = []
    unsaid = {} if LAUNCH_FILE in launch else UNSAID
    for name, value in {**unsaid, **launch}.items():
        if name == LAUNCH_FILE:
            words += ["--config_file", str(launch_file(str(value)))]
        elif value is True:
            words.append(f"--{name}")
        elif value is not False:
            words += [f"--{name}", str(value)]
    return [sys.executable, "-m", "accelerate.commands.launch", *words, "--module", "wrongcot_train", *arguments]


def launch_file(name: str) -> Path:
    """A file for `accelerate launch`: a path, or one of TRL's own by its name, such as `fsdp2` or `zero3`.

    Raises:
        BadInput: neither.
    """
    if Path(name).is_file():
        return Path(name)
    folder = Path(str(importlib.resources.files("trl") / "accelerate_configs"))
    known = sorted(file.stem for file in folder.glob("*.yaml"))
    if name in known:
        return folder / f"{name}.yaml"
    if name.endswith((".yaml", ".yml")) or "/" in name:
        raise BadInput(f"there is no file {name}", try_=[f"--accelerate-config {one}" for one in known[:3]])
    raise unknown("accelerate config", name, known)
