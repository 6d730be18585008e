"""Several processes, on the CPU: the same command, started by accelerate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ASKED = (
    *("--variant", "wrong", "--max-steps", "2", "--grad-accum", "1", "--learning-rate", "1e-3", "--packing", "false"),
    *("--save-strategy", "steps", "--save-steps", "1", "--json"),
)


ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"RANK", "WORLD_SIZE", "LOCAL_RANK"}}


def train(
    student: Path, dataset: Path, out: Path, *more: str, launcher: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *launcher, "wrongcot_train", "sft"]
    asked = ["--student", str(student), "--dataset", str(dataset), "--out", str(out), *ASKED, *more]
    return subprocess.run([*command, *asked], check=False, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)


@pytest.mark.real
def test_two_processes_train_what_one_does_and_only_one_tells(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    """By torchrun, which is what accelerate starts them with; accelerate itself starts several on GPUs only."""
    alone = train(chat_student, dataset, tmp_path / "alone", "--batch-size", "2")
    launcher = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    both = train(chat_student, dataset, tmp_path / "both", "--batch-size", "1", launcher=launcher)
    assert alone.returncode == both.returncode == 0, both.stderr
    one, two = json.loads(alone.stdout), json.loads(both.stdout)  # one object: the other process is silent
    assert two["steps"] == one["steps"] == 2
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-3)
    assert both.stderr.count("step 1/2") == 1
    assert (tmp_path / "both" / "checkpoints" / "checkpoint-2" / "wrongcot-checkpoint.json").is_file()


@pytest.mark.real
def test_settings_of_the_launcher_start_it_once(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    done = train(chat_student, dataset, tmp_path / "out", "--batch-size", "2", "--num-processes", "1", "--cpu", "true")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 2
