"""Which teachers can run here: from what the machine has, without loading anything."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from wrongcot_data.errors import Unavailable
from wrongcot_data.teachers.registry import SCRIPTED, TEACHERS, Teacher

CPU_BILLIONS = 2.0
"""Models above this write under one token a second on a CPU: a build would take weeks."""

ELSEWHERE = frozenset({"server", "ray"})
"""Engines whose models are not in this machine's memory."""

SOMEWHERE_ELSE = "--base-url http://HOST:8000"

BYTES_A_WEIGHT = 2
HEADROOM = 1.2
"""On a GPU: bfloat16 weights, and a fifth more for the cache of a few requests."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU: its name and memory in GB."""

    name: str
    memory_gb: float


def find_gpus() -> list[Gpu]:
    """The NVIDIA GPUs that the driver lists; torch is asked only where there is another maker's device."""
    program = shutil.which("nvidia-smi")
    if program:
        query = [program, "--query-gpu=name,memory.total", "--format=csv,noheader,nounits"]
        try:
            answer = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603
        except (subprocess.SubprocessError, OSError):
            return []  # a driver that does not answer runs no model either
        found = [re.fullmatch(r"(.+), *(\d+)", line.strip()) for line in answer.stdout.splitlines()]
        return [Gpu(line[1], int(line[2]) * 2**20 / 1e9) for line in found if line]
    if Path("/dev/kfd").exists() and importlib.util.find_spec("torch"):
        import torch

        count = torch.cuda.device_count()
        properties = [torch.cuda.get_device_properties(number) for number in range(count)]
        return [Gpu(one.name, one.total_memory / 1e9) for one in properties]
    return []


def memory_gb() -> float:
    """Main memory of this machine, in GB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def needs_gb(teacher: Teacher) -> float:
    """GPU memory that a teacher needs, in GB; 0 where its size is not known."""
    return teacher.billions * BYTES_A_WEIGHT * HEADROOM


def why_not(teacher: Teacher, gpus: list[Gpu], engine: str = "") -> str:
    """Why a teacher cannot be asked from this machine; empty if it can, or if only trying will tell.

    Args:
        engine: what is to run it; empty: its own, else one that runs here. Elsewhere needs no memory here.
    """
    if missing := missing_key(teacher):
        return missing
    if (engine or teacher.engine) in ELSEWHERE:
        return ""
    if teacher.engine == SCRIPTED or not teacher.billions:
        return ""
    need = needs_gb(teacher)
    have = sum(gpu.memory_gb for gpu in gpus)
    if have >= need:
        return ""
    if have:
        return f"needs about {need:.0f} GB of GPU memory; {have:.0f} GB found here"
    if teacher.billions > CPU_BILLIONS:
        return f"needs about {need:.0f} GB of GPU memory; none found here"
    if memory_gb() < need * 2:
        return f"needs about {need * 2:.0f} GB of memory; {memory_gb():.0f} GB found here"
    return ""


def missing_key(teacher: Teacher) -> str:
    """What is missing of the key for a teacher's own API; empty where nothing is."""
    if not teacher.base_url or os.environ.get(teacher.key_variable, "").strip():
        return ""
    return f"needs a key: {teacher.key_variable} is not set"


def how_to_mend(teacher: Teacher, gpus: list[Gpu]) -> str:
    """What to type so that a teacher that cannot be asked from here can be; empty where it can."""
    if missing_key(teacher):
        return f"export {teacher.key_variable}=..."
    return SOMEWHERE_ELSE if why_not(teacher, gpus) else ""


def require(teacher: Teacher, engine: str = "") -> None:
    """Fail at once where a teacher cannot run by that engine (empty: its own, else one that runs here).

    Raises:
        Unavailable: with what it needs and what to use instead.
    """
    gpus = find_gpus()
    reason = why_not(teacher, gpus, engine)
    if not reason:
        return
    if missing_key(teacher):
        raise Unavailable(f"teacher {teacher.name} {reason}", try_=[how_to_mend(teacher, gpus)])
    others = [other.name for other in TEACHERS.values() if not other.engine and not why_not(other, gpus)]
    smallest = min(others, key=lambda name: TEACHERS[name].billions, default="")
    hints = [f"--teacher {smallest}    (runs on this machine)"] if smallest else []
    hints += [
        f"{SOMEWHERE_ELSE}    (a server that has the model)",
        "wrongcot-data teachers    (what can run here, and why not)",
        f"--teacher {SCRIPTED}    (a rehearsal without a model)",
    ]
    raise Unavailable(f"teacher {teacher.name} {reason}", try_=hints)
