from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput
from wrongcot_train.cli.launch import launch_command, launch_file, launched
from wrongcot_train.cli.layers import read_layers
from wrongcot_train.config import DEFAULT, OUTSIDE, Layer, config_hash, resolve, settings
from wrongcot_train.presets import get_preset, preset_names
from wrongcot_train.words import of_model, of_trainer, read_flags, words

FILE_FOR_TRL = """
model_name_or_path: Qwen/Qwen2.5-0.5B
dataset_name: trl-lib/Capybara
learning_rate: 2e-4
max_steps: 3
per_device_train_batch_size: 2
gradient_checkpointing: true
lr_scheduler_type: cosine
lr_scheduler_kwargs: {num_cycles: 0.5}
packing: true
use_peft: true
lora_target_modules: [q_proj, v_proj]
report_to: none
output_dir: somewhere
num_processes: 2
accelerate_config: fsdp2
env:
  WRONGCOT_TEST_VARIABLE: set
"""


def said(file: Path | None = None, preset: str | None = None, *rest: str, **flags: Any) -> Any:
    return read_layers(preset, file, flags, rest)


def test_later_layer_wins_and_each_value_tells_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("learning_rate: 3e-5\nseed: 1\nweight_decay: 0.2\n")
    config = said(file, "laptop", "--adam_beta2", "0.95", "--warmup-steps=7", seed=5).config
    found = {name: (config[name], config.origins[name]) for name in ("seed", "learning_rate", "lora_r", "max_length")}
    assert found == {
        "seed": (5, "flag"),
        "learning_rate": (3e-5, str(file)),
        "lora_r": (16, "preset laptop"),
        "max_length": (None, DEFAULT),
    }
    assert (config["adam_beta2"], config["warmup_steps"], config.origins["warmup_steps"]) == (0.95, 7, "flag")


def test_file_for_trl_sft_works_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WRONGCOT_TEST_VARIABLE", raising=False)
    file = tmp_path / "run.yaml"
    file.write_text(FILE_FOR_TRL)
    found = said(file)
    config = found.config
    assert (config["learning_rate"], config["model_name_or_path"], config.own.packing) == (
        2e-4,  # YAML reads it as text
        "Qwen/Qwen2.5-0.5B",
        True,
    )
    assert found.launch == {"num_processes": 2, "accelerate_config": "fsdp2"}
    import os

    assert os.environ.pop("WRONGCOT_TEST_VARIABLE") == "set"
    on_a_cpu = {**config.values, "use_cpu": True, "bf16": False}
    arguments = of_trainer(on_a_cpu)
    assert (arguments.max_steps, arguments.lr_scheduler_kwargs) == (3, {"num_cycles": 0.5})
    assert of_model(config.values).lora_target_modules == ["q_proj", "v_proj"]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        (["--lerning-rate", "1"], "unknown option '--lerning-rate': did you mean --learning_rate?"),
        (["--adam-beta2", "much"], "adam_beta2: invalid float value: 'much'"),
        (["--adam-beta2"], "adam_beta2: expected one argument"),
        (["stray"], "unexpected argument 'stray'"),
        (["--curve-engin", "vllm"], "unknown option '--curve-engin': did you mean --curve_engine?"),
    ],
)
def test_unknown_flag_or_value_is_an_error_with_the_nearest(rest: list[str], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_flags(rest)
    assert caught.value.message == message


@pytest.mark.parametrize("line", ["packing: maybe", "curve_items: -1", "learning_rate: 0", "lora_dropout: 1"])
def test_value_that_cannot_be_is_an_error_before_anything_is_loaded(line: str, tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(line)
    with pytest.raises(BadInput, match=line.split(":", maxsplit=1)[0]):
        said(file)


def test_words_are_those_of_the_installed_trl() -> None:
    assert {"learning_rate", "assistant_only_loss", "deepspeed", "lora_r", "dataset_name"} <= words().trl
    assert {"num_processes", "fsdp_version"} <= words().launch
    assert not words().launch & words().trl


@pytest.mark.parametrize("name", preset_names())
def test_preset_says_only_what_is_known_and_always_a_learning_rate(name: str) -> None:
    preset = get_preset(name)
    config = said(None, name).config
    assert preset.settings["learning_rate"] > 0
    assert all(config[word] == preset.settings[word] for word in preset.settings)
    assert of_trainer({**config.values, "use_cpu": True, "bf16": False, "packing": False})
    if name.startswith("paper"):
        lines = preset.text.split("settings:\n")[1].splitlines()
        assert all("# seen" in line or "# guessed" in line for line in lines)


def test_presets_of_the_paper_differ_as_its_sources_do() -> None:
    readme, hub = (said(None, name).config for name in ("paper-readme", "paper-hub"))
    rows = [one["per_device_train_batch_size"] * one["gradient_accumulation_steps"] for one in (readme, hub)]
    assert (readme["learning_rate"], hub["learning_rate"], rows) == (1e-6, 1e-5, [64, 256])


@given(st.sampled_from(sorted(OUTSIDE)), st.one_of(st.integers(), st.text()))
def test_hash_leaves_out_what_decides_no_student(name: str, value: Any) -> None:
    if name.startswith("curve_"):
        return  # checked by its type
    assert config_hash(settings(**{name: value})) == config_hash(settings())


def test_hash_changes_with_what_decides_the_student() -> None:
    hashes = {
        config_hash(settings(**one))
        for one in (
            {},
            {"seed": 7},
            {"learning_rate": 1e-6},
            {"packing": False},
            {"adam_beta2": 0.9},
            {"use_peft": True},
        )
    }
    assert len(hashes) == 6


def test_learning_rate_is_written_out_where_nobody_gave_one() -> None:
    assert resolve([Layer("flag", {"use_peft": True})])["learning_rate"] == 10 * resolve([])["learning_rate"]


def test_launcher_is_given_its_own_words_and_the_command_as_it_was() -> None:
    command = launch_command({"num_processes": 2, "use_fsdp": True, "cpu": False}, ["sft", "--num-processes", "2"])
    assert command[1:] == [
        *("-m", "accelerate.commands.launch", "--num_processes", "2", "--num_machines", "1"),
        *("--mixed_precision", "no", "--dynamo_backend", "no", "--use_fsdp"),
        *("--module", "wrongcot_train", "sft", "--num-processes", "2"),
    ]
    assert launch_file("fsdp2").is_file()
    with pytest.raises(BadInput, match="did you mean fsdp2"):
        launch_file("fsdp22")
    with pytest.raises(BadInput, match="0 processes train nothing"):
        launched({"num_processes": 0})


def test_signal_that_comes_while_the_processes_start_reaches_them(monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}

    def started_late(command: list[str], **asked: Any) -> subprocess.Popen[bytes]:
        signal.raise_signal(signal.SIGTERM)
        return start(["sleep", "60"], **asked)

    monkeypatch.setattr(subprocess, "Popen", started_late)
    try:
        assert launched({"num_processes": 1}) == -signal.SIGTERM
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
