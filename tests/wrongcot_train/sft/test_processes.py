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


def train(student: Path, dataset: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wrongcot_train", "sft", "--student", str(student), "--dataset", str(dataset)]
    environment = {name: value for name, value in os.environ.items() if name not in {"RANK", "WORLD_SIZE"}}
    return subprocess.run(
        [*command, *ASKED, "--out", str(out), *more], check=False, capture_output=True, text=True, env=environment
    )


@pytest.mark.real
def test_two_processes_train_what_one_does_and_only_one_tells(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    alone = train(chat_student, dataset, tmp_path / "alone", "--batch-size", "2")
    launch = ("--num-processes", "2", "--cpu", "true", "--main-process-port", "0")
    both = train(chat_student, dataset, tmp_path / "both", "--batch-size", "1", *launch)
    assert alone.returncode == both.returncode == 0, both.stderr
    one, two = json.loads(alone.stdout), json.loads(both.stdout)  # one object: the other process is silent
    assert two["steps"] == one["steps"] == 2
    assert two["losses"] == pytest.approx(one["losses"], rel=1e-3)
    assert both.stderr.count("step 1/2") == 1
    assert (tmp_path / "both" / "checkpoints" / "checkpoint-2" / "wrongcot-checkpoint.json").is_file()
    again = train(chat_student, dataset, tmp_path / "both", "--batch-size", "1", *launch)
    assert json.loads(again.stdout)["reused"]
