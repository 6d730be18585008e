from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_train.config import settings as sft_settings
from wrongcot_train.sft import SftSpec, sft

QUICK = {"max_steps": 2, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 1, "learning_rate": 1e-3}

DIE_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
from wrongcot_train.config import settings
from wrongcot_train.sft import SftSpec, run, sft

save = run.save_student

def save_and_die(*arguments):
    save(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

run.save_student = save_and_die
student, dataset, out = sys.argv[1:]
sft(SftSpec(student, Path(dataset), "wrong", settings(max_steps=1)), Path(out), print)
"""


def spec(student: Path, dataset: Path, variant: str = "wrong", **settings: Any) -> SftSpec:
    return SftSpec(str(student), dataset, variant, sft_settings(**(QUICK | settings)))


def quiet(line: str) -> None:
    """Nobody is at the terminal."""


def load(folder: Path) -> Any:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(folder)


@pytest.mark.parametrize("form", ["chat", "plain-v1"])
def test_trained_student_loads_and_says_how_it_was_made(
    form: str, chat_student: Path, plain_student: Path, dataset: Path, tmp_path: Path
) -> None:
    student = chat_student if form == "chat" else plain_student
    said: list[str] = []
    record = sft(spec(student, dataset), tmp_path / "out", said.append)
    saved = json.loads((tmp_path / "out" / "sft.json").read_text())
    assert saved | {"reused": False} == record
    assert (saved["format"], saved["steps"], len(saved["losses"])) == (form, 2, 2)
    assert saved["versions"]["trl"]
    assert saved["config"]["learning_rate"] == 1e-3
    steps = [json.loads(line)["loss"] for line in (tmp_path / "out" / "training.jsonl").read_text().splitlines()]
    assert steps == saved["losses"]
    assert [line.split()[:2] for line in said[2:]] == [["step", "1/2"], ["step", "2/2"]]
    before, after = load(student), load(tmp_path / "out")
    assert any(not old.equal(new) for old, new in zip(before.parameters(), after.parameters(), strict=True))


def test_adapter_is_merged_and_kept(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    sft(spec(chat_student, dataset, use_peft=True, max_steps=3), tmp_path / "out", quiet)
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").is_file()
    before, after = load(chat_student).state_dict(), load(tmp_path / "out").state_dict()
    assert before.keys() == after.keys()
    moved = {name for name in before if not before[name].equal(after[name])}
    assert moved
    assert all("_proj" in name for name in moved)


def test_same_run_again_costs_nothing_and_another_is_refused(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    first = sft(spec(chat_student, dataset), tmp_path / "out", quiet)
    again = sft(spec(chat_student, dataset), tmp_path / "out", quiet)
    assert again == first | {"reused": True}
    for other in (spec(chat_student, dataset, seed=7), spec(chat_student, dataset, "right")):
        with pytest.raises(BadInput, match="holds another run"):
            sft(other, tmp_path / "out", quiet)


def test_token_is_in_no_file_of_the_student(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    sft(spec(chat_student, dataset, hub_token="hf_very_secret"), tmp_path / "out", quiet)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"hf_very_secret" in path.read_bytes()]


def test_training_tells_nobody(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    sft(spec(chat_student, dataset), tmp_path / "out", quiet)
    from huggingface_hub import constants

    assert constants.HF_HUB_DISABLE_TELEMETRY


def test_folder_with_something_else_is_left_alone(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(BadInput, match="holds something else"):
        sft(spec(chat_student, dataset), tmp_path, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_loss_that_is_no_number_ends_the_run_and_saves_nothing(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    with pytest.raises(CheckFailed, match=r"the (loss|gradient) is (nan|inf) at step"):
        sft(spec(chat_student, dataset, learning_rate=1e30, max_steps=8), tmp_path / "out", quiet)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real
def test_run_killed_while_saving_leaves_no_student(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "students" / "out"
    command = [sys.executable, "-c", DIE_WHILE_SAVING, str(chat_student), str(dataset), str(out)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -signal.SIGKILL
    assert not (out / "sft.json").exists()
    assert not (out / "config.json").exists()  # no half-moved student either
    again = SftSpec(str(chat_student), dataset, "wrong", sft_settings(max_steps=1))
    assert sft(again, out, quiet)["steps"] == 1
    assert load(out)
