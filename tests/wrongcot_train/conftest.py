"""Tiny students and tiny data sets, built in code: nothing is fetched."""

from __future__ import annotations

import json
import os
import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

# Tiny models gain nothing from threads, and OpenMP's waiting threads starve each other where tests run side by side.
os.environ.setdefault("OMP_NUM_THREADS", "1")

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ROWS = [
    ("Make 6 from 1, 2, 3.", "1 + 2 = 3, 3 + 3 = 6. <answer>1 + 2 + 3</answer>"),
    ("Make 7 from 1, 2, 3.", "2 * 3 = 6, 6 + 1 = 7. <answer>2 * 3 + 1</answer>"),
    ("Make 5 from 1, 2, 3.", "2 * 3 = 6, 6 - 1 = 4. <answer>2 * 3 - 1 + 1</answer>"),
    ("Make 9 from 1, 2, 3.", "1 + 2 = 3, 3 * 3 = 9. <answer>(1 + 2) * 3</answer>"),
]


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


def save_traces(folder: Path, variants: dict[str, Sequence[tuple[str, str]]]) -> Path:
    """A data set as `wrongcot-data build` lays it out, with the columns that training reads and one it must drop."""
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    schema = pa.schema([("problem_id", pa.string()), ("prompt", turns), ("completion", turns)])
    card = ["---", "configs:"]
    for variant, pairs in variants.items():
        rows = [
            {
                "problem_id": f"p{number}",
                "prompt": [{"role": "user", "content": prompt}],
                "completion": [{"role": "assistant", "content": completion}],
            }
            for number, (prompt, completion) in enumerate(pairs)
        ]
        (folder / variant).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / variant / "train-00000-of-00001.parquet")
        card += [
            f"- config_name: {variant}",
            "  data_files:",
            "  - split: train",
            f"    path: {variant}/train-*.parquet",
        ]
    (folder / "README.md").write_text("\n".join([*card, "---", "", "# Traces", ""]))
    (folder / "wrongcot.json").write_text(json.dumps({"spec_hash": "v1:0", "variants": sorted(variants)}))
    return folder


@pytest.fixture(scope="session")
def traces() -> list[tuple[str, str]]:
    """Prompt and completion of four rows."""
    return ROWS


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    return save_traces


@pytest.fixture
def make_student(tmp_path: Path) -> Callable[..., Path]:
    """A student with this chat template (none: the ChatML-like one); other arguments as `make_tokenizer`."""

    def make(chat_template: str | None = CHAT_TEMPLATE, **settings: Any) -> Path:
        return save_model(tmp_path / "student", make_tokenizer(chat_template=chat_template, **settings))

    return make


@pytest.fixture(scope="session")
def chat_student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("chat") / "tiny-chat", make_tokenizer(chat_template=CHAT_TEMPLATE))


@pytest.fixture(scope="session")
def plain_student(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("plain") / "tiny-plain", make_tokenizer(chat_template=None))


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_traces(tmp_path_factory.mktemp("data") / "traces", {"wrong": ROWS, "right": ROWS[:2], "reference": []})
