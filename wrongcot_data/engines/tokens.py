"""A prompt as the token ids that a model is given; what every engine that holds a tokenizer shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import BadInput
from wrongcot_data.records import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def token_ids(tokenizer: PreTrainedTokenizerBase, prompt: Prompt) -> list[int]:
    """The prompt as token ids, with exactly one BOS where the tokenizer has one, none where it does not add one.

    Raises:
        ValueError: the chat template and the tokenizer together gave two; a double BOS costs accuracy unnoticed.
    """
    if prompt.messages:
        turns = [{"role": message.role, "content": message.content} for message in prompt.messages]
        text: Any = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        ids = list(tokenizer(text, add_special_tokens=False)["input_ids"])
    else:
        ids = list(tokenizer(prompt.text)["input_ids"])
    # A tokenizer whose BOS doubles as the mark of a turn (SmolLM2) has it in every turn: only a run of two is wrong.
    if len(ids) > 1 and ids[0] == ids[1] == tokenizer.bos_token_id:
        raise ValueError(f"the prompt begins with two {tokenizer.bos_token!r} tokens")
    return ids


def need_template(tokenizer: Any, prompt: Prompt) -> None:
    """See that chat turns can be rendered.

    Raises:
        BadInput: the tokenizer has no chat template.
    """
    if prompt.messages and not tokenizer.chat_template:
        raise BadInput("the teacher has no chat template", try_=["--prompt plain-few    (text to continue)"])


def unknown_token(ids: list[int], known: int) -> str:
    """Why a prompt cannot be read by a model that knows so many tokens; empty if it can."""
    largest = max(ids, default=0)
    if largest < known:
        return ""
    return f"the tokenizer writes token {largest}, and the model knows {known}: they do not belong together"


def too_long(n_prompt: int, n_most: int, room: int) -> str:
    """Why a prompt does not fit beside the reply's most tokens into a model's room; empty if it does."""
    if n_prompt + n_most <= room:
        return ""
    return f"prompt of {n_prompt} tokens and {n_most} to write exceed the model's {room}"
