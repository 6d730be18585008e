"""Fixtures shared by all tests: tiny models, built in code. Nothing is fetched."""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# What a property takes says nothing of it: on a busy machine any example may take a second.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

# Tiny models gain nothing from threads, and OpenMP's waiting threads starve each other where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tokenizer(*, chat_template: str | None, eos: str | None = None) -> Any:
    """One token a character, and the special tokens. EOS ends a turn where there is a chat template."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = ["<unk>", "<pad>", "<bos>", "<eos>", "<|im_start|>", "<|im_end|>"]
    vocabulary = {token: number for number, token in enumerate([*names, *string.printable[:95], "\n"])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    core.decoder = decoders.Fuse()
    core.add_special_tokens(names)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token="<unk>",
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token=eos or ("<|im_end|>" if chat_template else "<eos>"),
    )
    tokenizer.chat_template = chat_template
    return tokenizer


def save_model(folder: Path, tokenizer: Any, **changes: Any) -> Path:
    """A random Llama of about 20,000 weights, with its tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    settings = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    LlamaForCausalLM(LlamaConfig(**(settings | changes))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def make_tiny_model() -> Callable[..., Path]:
    """Saves a tiny model with this chat template (none: a base model) and EOS; other arguments go to its config."""

    def make(
        folder: Path, chat_template: str | None = CHAT_TEMPLATE, *, eos: str | None = None, **changes: Any
    ) -> Path:
        return save_model(folder, make_tokenizer(chat_template=chat_template, eos=eos), **changes)

    return make
