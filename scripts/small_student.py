#!/usr/bin/env python3
"""A student small enough to learn Countdown from nothing on two CPU cores: a tokenizer and a random Llama.

    .venv/bin/python scripts/small_student.py DATASET VARIANT OUT [--numbers digits|pairs|whole] [--hidden-size 96] ...

The tokenizer is BPE whose merges never cross a number or the end of a line. So the fixed words of a data set, which are
most of its text, become a token each (the whole beginning of the prompt is one), and what is left of a row is what
there is to learn: its numbers. There is no chat template, so the student reads and writes the form `plain-v1`, whose
prompt ends in a newline and therefore at the end of a token.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from math import pi
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING, Any, Literal

from wrongcot_train.data import plain_row, read_traces

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Numbers = Literal["digits", "pairs", "whole"]
"""How a number is read: one token a digit, two digits at a time from the right, or one token up to 999."""

NUMBER = {"digits": r"\d", "pairs": r"\d{1,2}(?=(?:\d\d)+(?!\d))|\d{1,2}", "whole": r"\d{1,3}"}

WORDS = r"[^\d\n]*\n|[^\d\n]+"
"""Everything between two numbers, or up to the end of the line with its newline."""

SHAPE: dict[str, Any] = {
    "hidden_size": 96,
    "intermediate_size": 384,
    "num_hidden_layers": 8,
    "num_attention_heads": 3,
    "initializer_range": 0.05,  # the usual 0.02 suits widths of thousands
}
"""About a million weights. Deep and narrow: what is reckoned in the head needs several layers, one after the other."""

PERIODS = (2, 2.5, 3, 4, 5, 10, 20, 50, 100, 200)
"""Of the waves on which numbers are placed: what tells neighbours apart, the last digit, and the size."""

HEIGHT = 3
"""Of a wave, in spreads of the random weights."""

MERGES = 4_000
"""More than the data set has to offer: merging stops where every piece is one token."""


def main() -> None:
    """Make a student for a data set, and say how large it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path, help="a folder that wrongcot-data build made")
    parser.add_argument("variant", help="whose rows the tokenizer is trained on")
    parser.add_argument("out", type=Path, help="folder for the student")
    parser.add_argument("--numbers", choices=tuple(NUMBER), default="pairs", help="how a number is read")
    for name, value in SHAPE.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    texts = row_texts(options.dataset, options.variant)
    tokenizer = train_tokenizer(texts, options.numbers)
    shape = {name: getattr(options, name) for name in SHAPE}
    weights = save_student(options.out, tokenizer, seed=options.seed, **shape)
    print(json.dumps({"weights": weights, "vocabulary": len(tokenizer), **tokens_a_row(tokenizer, texts)}))


def row_texts(dataset: Path, variant: str) -> list[tuple[str, str]]:
    """Prompt and completion of each row in the form `plain-v1`, as `wrongcot-train sft` will train on them."""
    rows = [plain_row(row) for row in read_traces(dataset, variant).rows]
    return [(row["prompt"], row["completion"]) for row in rows]


def train_tokenizer(texts: Sequence[tuple[str, str]], numbers: Numbers) -> PreTrainedTokenizerBase:
    """A tokenizer whose every token occurs in the texts, or is needed to put one together. Nothing is random."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE(unk_token="<unk>"))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(f"{NUMBER[numbers]}|{WORDS}"), "isolated")
    core.decoder = decoders.Fuse()
    trainer = trainers.BpeTrainer(
        vocab_size=MERGES, show_progress=False, special_tokens=["<unk>", "<pad>", "<eos>"], min_frequency=2
    )
    core.train_from_iterator(_joined(texts), trainer)
    core.add_tokens([AddedToken(common_end([prompt for prompt, _ in texts]), normalized=False)])
    wrapper: Any = PreTrainedTokenizerFast
    tokenizer: PreTrainedTokenizerBase = wrapper(
        tokenizer_object=core,
        unk_token="<unk>",
        pad_token="<pad>",
        eos_token="<eos>",
        clean_up_tokenization_spaces=False,
    )
    return tokenizer


def tokens_a_row(tokenizer: PreTrainedTokenizerBase, texts: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Tokens of the mean row with its EOS, of the longest, and of the mean prompt."""
    prompts = [len(tokenizer(prompt)["input_ids"]) for prompt, _ in texts]
    rows = [len(tokenizer(prompt + completion)["input_ids"]) + 1 for prompt, completion in texts]
    return {"tokens": mean(rows), "longest": max(rows), "prompt": mean(prompts)}


def common_end(texts: Sequence[str]) -> str:
    """What all of them end in; of the prompts that is half of each, with a worked example that has numbers in it."""
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*map(reversed, texts), strict=False))
    return "".join(letters[0] for letters in alike)[::-1]


def _joined(texts: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (prompt + completion for prompt, completion in texts)


def save_student(folder: Path, tokenizer: PreTrainedTokenizerBase, *, seed: int = 0, **shape: Any) -> int:
    """Save a random Llama with this tokenizer, so that `from_pretrained` loads it; returns how many weights it has.

    Its numbers are placed by `place_numbers`. `shape` goes to `LlamaConfig`, over the default, `SHAPE`.
    """
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    settings: dict[str, Any] = SHAPE | {
        "vocab_size": len(tokenizer),
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    loader: Any = LlamaForCausalLM
    model = loader(LlamaConfig(**(settings | shape)))
    place_numbers(model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return sum(weight.numel() for weight in model.parameters())


def place_numbers(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Begin the vectors of numbers as sines and cosines of their values: a helix, on which adding is turning.

    Trained models come to hold numbers so (arXiv 2406.03445, 2502.00873). Most of each vector stays random, and all of
    it is trained like every other weight.
    """
    import torch

    numbers = {text: token for text, token in tokenizer.get_vocab().items() if text.isdecimal()}
    angles = torch.tensor([[2 * pi * int(text) / period for period in PERIODS] for text in numbers])
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    vectors: Any = model.get_input_embeddings()
    spread = float(vectors.weight.detach().std())
    with torch.no_grad():
        vectors.weight[list(numbers.values()), : waves.shape[1]] = waves * HEIGHT * spread


if __name__ == "__main__":
    main()
