"""How many tokens a text has for a student."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from wrongcot_data.errors import Unavailable, missing_extra
from wrongcot_data.teachers.registry import get_teacher
from wrongcot_data.teachers.weights import find_weights


@lru_cache(4)
def token_counter(name: str) -> Callable[[list[str]], list[int]]:
    """Counts the tokens of each of many texts, none added.

    Args:
        name: of a registry entry, a Hub id or a local folder.

    Raises:
        Unavailable: there is no such tokenizer here or on the Hub, or transformers is not installed.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise missing_extra(error.name or "transformers", "local") from error
    teacher = get_teacher(name)
    # weights that lie here already bring their tokenizer; for one on the Hub they need not be fetched
    here = teacher.path or teacher.package
    where = str(find_weights(teacher).folder) if here else teacher.hub_id
    loader: Any = AutoTokenizer
    try:
        tokenizer: Any = loader.from_pretrained(where, revision=None if here else teacher.revision or None)
    except (OSError, ValueError) as error:
        story = str(error).strip().splitlines()[0]
        raise Unavailable(
            f"there is no tokenizer {name}: {story}",
            try_=["--tokenizer PATH    (a folder with a tokenizer)", "hf auth login    (where the model is gated)"],
        ) from error

    def count(texts: list[str]) -> list[int]:
        return [len(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []

    return count
