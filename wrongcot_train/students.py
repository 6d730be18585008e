"""Students: the models that are trained and scored. How one is asked decides the form of its rows and of its prompts.

A name means the *base* model here, as in the paper; among the teachers of `wrongcot-data` the same name is the
instruction-tuned one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from wrongcot_data.errors import BadInput, WrongcotError, missing_extra, unknown
from wrongcot_data.teachers.registry import GEMMA_TERMS, TEACHERS, Teacher, get_teacher
from wrongcot_data.teachers.weights import find_weights

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CHAT = "chat"
PLAIN = "plain-v1"

STUDENTS: dict[str, Teacher] = {
    student.name: student
    for student in (
        Teacher(
            "qwen-1.5b",
            "Qwen/Qwen2.5-1.5B",
            "8faed761d45a263340a0528343f099c05c9a4323",
            licence="apache-2.0",
            billions=1.5,
            style="plain-zero",
        ),
        Teacher(
            "gemma-2b",
            "google/gemma-2-2b",
            "c5ebcd40d208330abc697524c919956e692655cf",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=2.6,
            style="plain-zero",
        ),
        Teacher(
            "gemma-9b",
            "google/gemma-2-9b",
            "33c193028431c2fde6c6e51f29e6f17b60cbfac6",
            licence="gemma",
            licence_link=GEMMA_TERMS,
            billions=9.2,
            style="plain-zero",
        ),
        Teacher(
            "llama-8b",
            "meta-llama/Llama-3.1-8B",
            "d04e592bb4f6aa9cfee91e2e20afa771667e1d4b",
            licence="llama3.1",
            licence_link="https://www.llama.com/llama3_1/license",
            billions=8.0,
            style="plain-zero",
        ),
    )
}
"""The base models of the paper. A style that begins with `plain` has its rows and prompts as plain text, whatever chat
template its tokenizer carries: Qwen's base model has one, but was never taught to end a turn of it."""


@dataclass(frozen=True, slots=True)
class Student:
    """A model whose weights are on this machine.

    Attributes:
        model: its registry entry, or the stand-in for a Hub id or path.
        folder: what `from_pretrained` loads.
        revision: the name of exactly these weights.
    """

    model: Teacher
    folder: Path
    revision: str


def get_student(name: str) -> Teacher:
    """The model of a registry name, a local path or a Hub id; nothing is fetched.

    Raises:
        BadInput: none of these; the message has the nearest registry name, or says that the path is not there.
    """
    plain, sign, revision = name.partition("@")
    if plain in STUDENTS:
        return replace(STUDENTS[plain], revision=revision) if sign else STUDENTS[plain]
    if name.startswith((".", "/", "~")) and not Path(name).exists():
        raise BadInput(f"there is no model at {name}", try_=["--student NAME    (or a folder with a config.json)"])
    known = {*STUDENTS, *(model.name for model in TEACHERS.values() if not model.engine)}
    try:
        return get_teacher(name)
    except BadInput as error:
        if not error.message.startswith("unknown teacher"):
            raise
        raise unknown("student", name, known) from error


def find_student(name: str) -> Student:
    """A student with its weights, fetched or converted where needed.

    Raises:
        BadInput: no such model, or one without weights.
        Unavailable: the Hub cannot be reached or refuses.
    """
    model = get_student(name)
    if model.engine:
        raise BadInput(f"{name} has no weights to train")
    try:
        weights = find_weights(model)
    except WrongcotError as error:  # it speaks of teachers
        error.try_ = tuple(hint.replace("--teacher", "another model:") for hint in error.try_)
        raise
    return Student(model, weights.folder, weights.revision)


def saved_dtype(folder: Path) -> str:
    """The precision that a model's weights were saved in, such as `float32`, by its config; empty where that does not
    tell (or does not load, of which its loader knows more to say).
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    told = config if isinstance(config, dict) else {}
    return str(told.get("dtype") or told.get("torch_dtype") or "")  # the second before transformers 5


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a model's folder.

    Raises:
        BadInput: there is none that loads.
        Unavailable: transformers is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        raise missing_extra("transformers", "train") from error
    try:
        tokenizer: PreTrainedTokenizerBase = transformers.AutoTokenizer.from_pretrained(folder)
    except Exception as error:  # of many kinds, all about these files
        reason = " ".join(str(error).split())[:200]
        raise BadInput(
            f"{folder} has no tokenizer that loads: {reason}", try_=["another model: a name, a Hub id or a folder"]
        ) from error
    return tokenizer


def has_template(tokenizer: PreTrainedTokenizerBase | None) -> bool:
    """Whether the tokenizer can write chat turns; None, one that is at a server, is taken to."""
    return tokenizer is None or bool(getattr(tokenizer, "chat_template", None))


def prompt_form(model: Teacher, tokenizer: PreTrainedTokenizerBase | None, asked: str = "auto") -> str:
    """How a student is asked: `chat`, by its chat template, or `plain-v1`, see `data.plain_row`.

    Args:
        asked: `chat`, `plain-v1`, or `auto` for what suits the student.

    Raises:
        BadInput: `chat` for a student without a chat template.
    """
    template = has_template(tokenizer)
    if asked == CHAT and not template:
        raise BadInput(
            f"the tokenizer of {model.name} has no chat template, so its rows cannot be chat turns",
            try_=["--prompt-format plain-v1", "--chat-template-path FILE.jinja"],
        )
    if asked != "auto":
        return asked
    return CHAT if template and not (model.name in STUDENTS and model.style.startswith("plain")) else PLAIN
