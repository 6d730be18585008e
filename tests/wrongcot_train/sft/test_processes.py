"""Several processes, on the CPU: the same command, started by accelerate."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_train.sft.folder import held

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


@pytest.mark.real
def test_signal_that_ends_the_command_ends_all_that_it_started(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = [
        "--student",
        str(chat_student),
        "--dataset",
        f"{dataset}:wrong",
        "--max-steps",
        "100000",
        "--out",
        str(out),
    ]
    words += ["--save-strategy", "no", "--num-processes", "1", "--cpu", "true"]
    command = [sys.executable, "-m", "wrongcot_train", "sft", *words]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=ENVIRONMENT) as running:
        end = time.monotonic() + 200
        while not (out / "training.jsonl").is_file() or not (out / "training.jsonl").stat().st_size:
            assert running.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        running.send_signal(signal.SIGTERM)
        assert running.wait(60) != 0
    end = time.monotonic() + 30
    while True:  # nobody holds the folder any more
        try:
            with held(out):
                break
        except BadInput:
            assert time.monotonic() < end
            time.sleep(0.1)


def test_misspelt_name_is_told_before_anything_is_started(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    done = train(chat_student, dataset, tmp_path / "out", "--num-processes", "2", "--variant", "rong")
    assert (done.returncode, done.stderr.count("did you mean wrong?")) == (2, 1)
