"""Students: any model that can be a teacher, trained or scored. How its tokenizer decides the form of a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wrongcot_data.errors import BadInput, missing_extra, unknown
from wrongcot_data.teachers.registry import TEACHERS, Teacher, get_teacher
from wrongcot_data.teachers.weights import find_weights

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


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
        BadInput: none of these; the message has the nearest registry name.
    """
    known = [model.name for model in TEACHERS.values() if not model.engine]
    try:
        return get_teacher(name)
    except BadInput as error:
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
    weights = find_weights(model)
    return Student(model, weights.folder, weights.revision)


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
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BadInput(f"{folder} has no tokenizer that loads: {reason}") from error
    return tokenizer


def is_chat(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the student is asked by chat turns; otherwise by plain text, see `data.PLAIN`."""
    return bool(getattr(tokenizer, "chat_template", None))
