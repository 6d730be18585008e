"""The rows as TRL makes them, before any weights are loaded: what the audit judges is what is trained on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError

from wrongcot_data.errors import BadInput, missing_extra
from wrongcot_train.config import SftConfig
from wrongcot_train.words import of_trainer, refused

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

TOKENISING = ("eos_token", "pad_token", "truncation_mode", "assistant_only_loss", "completion_only_loss", "seed")
TOKENISING_TOO = ("dataset_num_proc", "shuffle_dataset", "dataset_text_field")
"""The settings that decide what tokens and labels a row has."""


def trl_tokens(rows: Dataset, tokenizer: PreTrainedTokenizerBase, config: SftConfig, max_length: int | None) -> Dataset:
    """Rows with `input_ids` and `labels`, beside the `prompt` they were made from.

    TRL makes rows only as a trainer is set up. So one is, around a model of a few numbers that is thrown away.

    Args:
        max_length: tokens at which rows are cut; None cuts none.
    """
    silence_telemetry()
    try:
        from transformers import LlamaConfig, LlamaForCausalLM
        from trl.trainer.sft_trainer import SFTTrainer
    except ImportError as error:
        raise missing_extra(error.name or "trl", "train") from error
    shape: Any = LlamaForCausalLM
    nothing = shape(
        LlamaConfig(vocab_size=8, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    )
    said = {name: config.values[name] for name in (*TOKENISING, *TOKENISING_TOO) if name in config.values}
    with tempfile.TemporaryDirectory(prefix="wrongcot-rows-") as folder:
        arguments = of_trainer(
            {**said, "output_dir": folder, "max_length": max_length, "packing": False}
            | {"use_cpu": True, "bf16": False, "report_to": "none", "gradient_checkpointing": False}
        )
        try:
            trainer = SFTTrainer(model=nothing, args=arguments, train_dataset=rows, processing_class=tokenizer)
        except TemplateError as error:
            raise BadInput(
                f"the student's chat template cannot write the rows: {error}", try_=["--prompt-format plain-v1"]
            ) from error
        except Exception as error:
            raise refused(error) from error
    made: Dataset = trainer.train_dataset
    return made


def limit_of(folder: Path, config: SftConfig) -> int | None:
    """Tokens a row may have: what the model reads, or less where the config says so."""
    room = getattr(model_config(folder), "max_position_embeddings", None)
    limits = [limit for limit in (room, config["max_length"]) if limit]
    return min(limits) if limits else None


def model_config(folder: Path) -> Any:
    """The config in a model's folder.

    Raises:
        BadInput: there is none that transformers knows.
    """
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder)
    except Exception as error:  # of many kinds, all about this one file
        raise BadInput(
            f"{folder} has no config.json that loads: {' '.join(str(error).split())[:200]}",
            try_=["--student NAME    (or another folder)"],
        ) from error


def stop_ids(folder: Path, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The tokens that will stop the student when it writes: its generation config's, the tokenizer's EOS among them.

    The trainer adds that one to the generation config that is saved.
    """
    from transformers import GenerationConfig

    try:
        generation: Any = GenerationConfig.from_pretrained(folder)
    except OSError:  # a model without one stops at what its config says
        generation = model_config(folder)
    ends = generation.eos_token_id
    stops = [] if ends is None else list(ends) if isinstance(ends, list) else [ends]
    own = tokenizer.eos_token_id
    return stops if own is None or own in stops else [own, *stops]


def check_ends(tokenizer: PreTrainedTokenizerBase, config: SftConfig) -> None:
    """See that the student could learn to stop; the EOS that the config names becomes the tokenizer's.

    Raises:
        BadInput: no EOS, or one that the vocabulary does not have.
    """
    chosen = config.values.get("eos_token")
    if chosen is not None and chosen not in tokenizer.get_vocab():
        raise BadInput(f"the tokenizer has no token {chosen!r}")
    if chosen is not None:
        tokenizer.eos_token = chosen
    if tokenizer.eos_token is None:
        raise BadInput(
            "the tokenizer has no end-of-sequence token, so a student could not learn to stop",
            try_=["--eos-token TOKEN    (one that its vocabulary has)"],
        )


def use_template(tokenizer: PreTrainedTokenizerBase, values: Mapping[str, Any]) -> None:
    """Give the tokenizer the chat template of the file that the config names.

    Raises:
        BadInput: there is no such file. (TRL also takes a model's name there and grows the vocabulary; not here.)
    """
    path = values.get("chat_template_path")
    if path is None:
        return
    try:
        tokenizer.chat_template = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"cannot read the chat template {path}: {error.strerror}", try_=["--chat-template-path FILE.jinja"]
        ) from error


def silence_telemetry() -> None:
    """TRL tells its makers of every trainer that is set up. Not from here, unless the user's environment says so."""
    if os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1").upper() in {"1", "ON", "YES", "TRUE"}:
        from huggingface_hub import constants

        constants.HF_HUB_DISABLE_TELEMETRY = True  # the variable is read at import, which may be long past
