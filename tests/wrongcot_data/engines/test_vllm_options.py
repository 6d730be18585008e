"""What the engine vllm lets through to vLLM; nothing of vLLM itself is needed to say so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.engines.vllm import HARMLESS, VllmOptions
from wrongcot_data.errors import BadInput
from wrongcot_data.spec import parse_model


@pytest.mark.parametrize(
    "name",
    [
        "load_format", "seed", "quantization", "hf_overrides", "model_weights", "override_generation_config",
        "generation_config", "logits_processors", "kv_cache_dtype", "enable_lora", "default_mm_loras",
        "speculative_config", "logprobs_mode", "tokenizer_mode", "worker_cls", "additional_config", "no_such_thing",
    ],
)  # fmt: skip
def test_an_argument_that_could_change_replies_is_refused(name: str):
    with pytest.raises(BadInput, match=f"'{name}' is not among vLLM's arguments for speed, memory and place") as caught:
        parse_model(VllmOptions, {"extra": {name: "x"}})
    assert "docs/engines.md" in caught.value.try_[0]
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("blok_size", "did you mean block_size?"),
        ("model", "what the teacher decides"),
        ("revision", "what the teacher decides"),
        ("dtype", "is an option beside `extra`"),
    ],
)
def test_a_name_that_extra_does_not_take_comes_with_what_does(name: str, told: str):
    with pytest.raises(BadInput, match=told):
        parse_model(VllmOptions, {"extra": {name: 1}})


def test_what_changes_speed_memory_and_placement_passes():
    extra: dict[str, Any] = {"block_size": 16, "distributed_executor_backend": "mp", "cpu_offload_gb": 2}
    assert parse_model(VllmOptions, {"extra": extra}).extra == extra


def test_the_page_on_engines_lists_what_extra_takes():
    page = (Path(__file__).parents[3] / "docs" / "engines.md").read_text()
    assert [name for name in sorted(HARMLESS) if f"`{name}`" not in page] == []
