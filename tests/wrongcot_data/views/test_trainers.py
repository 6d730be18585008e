"""The views as others use them: loaded by `datasets`, trained on by TRL with a tiny model, offline, on the CPU.

TRL 1.14 took its trainer of process reward models out (the format stays documented in 1.13). So the stepwise rows are
trained on twice: by that trainer where TRL has it, and by the same rule with a token classifier of transformers.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real

QUICK = {
    "max_steps": 2,
    "per_device_train_batch_size": 2,
    "use_cpu": True,
    "bf16": False,
    "report_to": "none",
    "logging_steps": 1,
    "save_strategy": "no",
    "disable_tqdm": True,
}


@pytest.fixture
def load(tmp_path: Path, built: Path) -> Callable[[str], Any]:
    from datasets import load_dataset

    def load_view(name: str) -> Any:
        return load_dataset(str(built), name, split="train", cache_dir=str(tmp_path / "cache"))

    return load_view


@pytest.fixture
def model(tmp_path: Path, make_tiny_model: Callable[..., Path]) -> Path:
    return make_tiny_model(tmp_path / "tiny")


def losses(trainer: Any) -> list[float]:
    return [line["loss"] for line in trainer.state.log_history if "loss" in line]


def test_trl_trains_dpo_on_the_preference_view(tmp_path: Path, load, model: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(model),
        args=DPOConfig(output_dir=str(tmp_path / "out"), **QUICK),
        train_dataset=load("preference"),
        processing_class=AutoTokenizer.from_pretrained(model),
    )
    trainer.train()
    assert len(losses(trainer)) == 2
    assert losses(trainer)[0] == pytest.approx(0.6931, abs=1e-3)  # log 2: no preference yet
    row = trainer.train_dataset[0]
    assert row["chosen_ids"] != row["rejected_ids"]


def classifier(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForTokenClassification, AutoTokenizer

    model = AutoModelForTokenClassification.from_pretrained(folder, num_labels=2)
    return model, AutoTokenizer.from_pretrained(folder)


def test_trl_trains_a_process_reward_model_on_the_stepwise_view(tmp_path: Path, load, model: Path):
    prm = pytest.importorskip("trl.experimental.prm", reason="TRL has no trainer of process reward models from 1.14 on")
    network, tokenizer = classifier(model)
    trainer = prm.PRMTrainer(
        model=network,
        args=prm.PRMConfig(output_dir=str(tmp_path / "out"), max_length=1024, **QUICK),
        train_dataset=load("stepwise"),
        processing_class=tokenizer,
    )
    trainer.train()
    assert len(losses(trainer)) == 2
    labels = [[label for label in row["labels"] if label != -100] for row in trainer.train_dataset]
    assert labels == [[int(label) for label in row["labels"]] for row in load("stepwise")]


def test_a_token_classifier_trains_on_the_stepwise_view(tmp_path: Path, load, model: Path):
    from transformers import DataCollatorForTokenClassification, Trainer, TrainingArguments

    network, tokenizer = classifier(model)

    def tokens(row: dict[str, Any]) -> dict[str, list[int]]:
        """The prompt, then each step and a newline, whose label is the step's."""
        prompt = tokenizer(row["prompt"], add_special_tokens=False)["input_ids"]
        steps = [tokenizer(f"{step}\n", add_special_tokens=False)["input_ids"] for step in row["completions"]]
        labels = [[-100] * (len(ids) - 1) + [int(label)] for ids, label in zip(steps, row["labels"], strict=True)]
        return {"input_ids": [*prompt, *chain(*steps)], "targets": [-100] * len(prompt) + list(chain(*labels))}

    rows = load("stepwise")
    trainer = Trainer(
        model=network,
        args=TrainingArguments(output_dir=str(tmp_path / "out"), **QUICK),
        train_dataset=rows.map(tokens, remove_columns=rows.column_names).rename_column("targets", "labels"),
        data_collator=DataCollatorForTokenClassification(tokenizer),
    )
    trainer.train()
    assert len(losses(trainer)) == 2
    assert {label for row in rows for label in row["labels"]} == {True, False}
