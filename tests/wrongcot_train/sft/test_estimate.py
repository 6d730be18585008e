from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrongcot_train.config import settings
from wrongcot_train.data import read_traces
from wrongcot_train.sft import Prepared, SftSpec, dry_run, prepare, sft
from wrongcot_train.sft.estimate import activations, estimate
from wrongcot_train.students import find_student


def prepared(student: Path, dataset: Path, folder: Path, **values: Any) -> Prepared:
    return prepare(settings(**values), find_student(str(student)), read_traces(dataset, "wrong"), folder)


def test_disk_that_was_estimated_is_what_a_run_writes(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    asked = {"max_steps": 4, "save_strategy": "steps", "save_steps": 1}
    needed = estimate(prepared(chat_student, dataset, tmp_path / "a", **asked), timed=False)
    sft(SftSpec(str(chat_student), dataset, "wrong", settings(**asked)), tmp_path / "out", lambda line: None)
    checkpoint = tmp_path / "out" / "checkpoints" / "checkpoint-4"
    wrote = sum((checkpoint / name).stat().st_size for name in ("model.safetensors", "optimizer.pt"))
    assert needed.checkpoint == pytest.approx(wrote, rel=0.35)  # a tiny model is mostly headers
    assert needed.disk == 3 * needed.checkpoint + needed.checkpoint // 3  # two kept, one being written, the student


@pytest.mark.parametrize("epochs", [1, 3])
def test_tokens_that_were_estimated_are_those_that_a_run_sees(
    epochs: int, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    asked = {"num_train_epochs": epochs, "packing": False}
    needed = estimate(prepared(chat_student, dataset, tmp_path / "a", **asked), timed=False)
    done = sft(SftSpec(str(chat_student), dataset, "wrong", settings(**asked)), tmp_path / "out", lambda line: None)
    assert needed.tokens == done["tokens"]
    assert done["tokens_trained"] == epochs * done["audit"]["trained_tokens"]


def test_replies_of_a_curve_are_told_beside_the_steps(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    asked = {"max_steps": 4, "save_strategy": "steps", "save_steps": 2, "curve_items": 3, "curve_max_tokens": 6}
    spec = SftSpec(str(chat_student), dataset, "wrong", settings(**asked, curve_task="countdown"))
    assert dry_run(spec)[2].curve_tokens == 3 * 3 * 6  # before the first step, and twice


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_merged_student_is_as_large_as_the_one_that_it_came_from(
    dtype: str, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    asked = {"max_steps": 2, "use_peft": True, "lora_r": 1, "dtype": dtype}
    needed = estimate(prepared(chat_student, dataset, tmp_path / "a", **asked), timed=False)
    sft(SftSpec(str(chat_student), dataset, "wrong", settings(**asked)), tmp_path / "out", lambda line: None)
    wrote = sum(file.stat().st_size for file in (tmp_path / "out").rglob("*.safetensors"))
    assert needed.disk == pytest.approx(wrote, rel=0.1)


def test_adapter_needs_less_memory_and_smaller_checkpoints(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    asked = {"save_strategy": "steps", "save_steps": 1, "packing": False}
    whole = estimate(prepared(chat_student, dataset, tmp_path, **asked), timed=False)
    adapter = estimate(prepared(chat_student, dataset, tmp_path, use_peft=True, lora_r=1, **asked), timed=False)
    assert adapter.memory < whole.memory
    assert adapter.checkpoint < whole.checkpoint / 2


def test_time_is_of_steps_that_were_run(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    needed = estimate(prepared(chat_student, dataset, tmp_path, max_steps=5), timed=True)
    assert needed.step_seconds is not None
    assert needed.step_seconds > 0
    assert needed.seconds == 5 * needed.step_seconds


@pytest.mark.parametrize("adapter", [False, True])
@pytest.mark.parametrize(("asked", "forward"), [(False, 2), (True, 4)])
def test_what_is_timed_are_passes_of_training(
    asked: bool, forward: int, adapter: bool, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    ready = prepared(chat_student, dataset, tmp_path, gradient_checkpointing=asked, use_peft=adapter)
    model: Any = ready.trainer.model
    training = []
    base = model.get_base_model() if adapter else model
    base.model.layers[0].self_attn.register_forward_hook(lambda layer, *_: training.append(layer.training))
    estimate(ready, timed=True)
    assert training == [True] * forward  # gradient checkpointing computes each layer twice


def test_float32_weights_have_copies_in_half_precision(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    asked = {"packing": False, "gradient_checkpointing": True}
    whole = estimate(prepared(chat_student, dataset, tmp_path, bf16=False, **asked), timed=False)
    ready = prepared(chat_student, dataset, tmp_path, bf16=True, **asked)
    model: Any = ready.trainer.model
    saved = activations(ready)  # as large again in float32
    assert estimate(ready, timed=False).memory == whole.memory - saved + 2 * model.num_parameters()
