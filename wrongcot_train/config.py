"""What can be set on a fine-tuning run. The keys are TRL's own words; the values are recorded with every student."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from wrongcot_data.spec import content_hash

FULL_LEARNING_RATE = 1e-5
LORA_LEARNING_RATE = 1e-4


class SftConfig(BaseModel, extra="forbid", frozen=True):
    """Settings of one fine-tuning run; "the paper" is arXiv 2512.22255 as far as its released scripts tell."""

    use_peft: bool = Field(False, description="the paper trains all weights; True trains a LoRA adapter and merges it")
    learning_rate: float | None = Field(
        None,
        gt=0,
        description=f"the paper's is not certain (1e-6 to 1e-5): {FULL_LEARNING_RATE:g} moves a small student in few "
        f"steps; adapters start at zero and need about ten times that, {LORA_LEARNING_RATE:g}",
    )
    num_train_epochs: float = Field(10, gt=0, description="the paper's")
    max_steps: int | None = Field(None, ge=1, description="optimiser steps, instead of epochs; none: the epochs decide")
    per_device_train_batch_size: int = Field(4, ge=1, description="the paper's; fits a 2B student on one GPU")
    gradient_accumulation_steps: int = Field(16, ge=1, description="the paper's: 64 rows a step on one device")
    max_length: int | None = Field(
        None,
        ge=1,
        description="tokens a row; none: the longest row, since what is cut first is the answer and the stop",
    )
    allow_truncation: bool = Field(
        False, description="a row that is cut teaches the student not to stop, so: ask first"
    )
    lr_scheduler_type: Literal["linear", "cosine", "constant", "constant_with_warmup"] = Field(
        "linear", description="the paper's"
    )
    warmup_steps: float = Field(0.1, ge=0, description="the paper's; below 1 a share of all steps")
    weight_decay: float = Field(0.05, ge=0, description="the paper's")
    lora_r: int = Field(16, ge=1, description="TRL's default; small beside any student's width")
    lora_alpha: int = Field(32, ge=1, description="TRL's default; twice the rank")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="so that a run depends on the order of rows only")
    eos_token: str | None = Field(
        None,
        description="none: the tokenizer's own; a base model with a chat template may need the template's turn end",
    )
    seed: int = Field(42, ge=0, description="the paper's; orders the rows and starts the adapter")

    @model_validator(mode="before")
    @classmethod
    def _write_out_learning_rate(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("learning_rate") is None:
            rate = LORA_LEARNING_RATE if values.get("use_peft") else FULL_LEARNING_RATE
            return {**values, "learning_rate": rate}
        return values


def config_hash(config: SftConfig) -> str:
    """The name of exactly these settings: `v1:` and the SHA-256 of their canonical JSON."""
    return f"v1:{content_hash(config.model_dump(mode='json'))}"
