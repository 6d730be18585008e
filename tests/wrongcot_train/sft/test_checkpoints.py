from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_train.config import settings
from wrongcot_train.sft import SftSpec, sft
from wrongcot_train.sft.checkpoints import Checkpoint, checkpoints, drop_torn, is_good, mark, newest_good

RUN = {
    "max_steps": 6,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 2,
    "learning_rate": 1e-3,
    "save_strategy": "steps",
    "save_steps": 2,
    "packing": False,
}

DIE = """
import os, signal, sys
from pathlib import Path
import torch
from wrongcot_train.config import settings
from wrongcot_train.sft import SftSpec, sft, steps

at, student, dataset, out = sys.argv[1], *sys.argv[2:5]
settings_of_run = dict(RUN)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

if at == "step 5":
    # In the middle of a step, after the second checkpoint is whole.
    log = steps._log_callback

    def dying(ready, handle, lines, say):
        def tell(line):
            say(line)
            if line.startswith("step 5/"):
                die()
        return log(ready, handle, lines, tell)

    steps._log_callback = dying
else:
    # In the middle of the second save: the weights are written, half of the optimiser is.
    save = torch.save
    seen = []

    def torn(thing, path, *more, **options):
        if "optimizer.pt" in str(path):
            seen.append(path)
        if len(seen) == 2:
            Path(path).write_bytes(b"half")
            die()
        save(thing, path, *more, **options)

    torch.save = torn

sft(SftSpec(student, Path(dataset), "wrong", settings(**settings_of_run)), Path(out), print)
""".replace("dict(RUN)", repr(RUN))


def spec(student: Path, dataset: Path, resume: bool = False, **changes: Any) -> SftSpec:
    return SftSpec(str(student), dataset, "wrong", settings(**RUN | changes), resume=resume)


def quiet(line: str) -> None:
    """Nobody is at the terminal."""


def weights(out: Path) -> str:
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def killed(at: str, student: Path, dataset: Path, out: Path) -> None:
    command = [sys.executable, "-c", DIE, at, str(student), str(dataset), str(out)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.real
@pytest.mark.parametrize(("at", "from_step"), [("step 5", 4), ("second save", 2)])
def test_killed_run_goes_on_and_equals_a_straight_one_bit_for_bit(
    at: str, from_step: int, chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    straight = sft(spec(chat_student, dataset), tmp_path / "straight", quiet)
    out = tmp_path / "killed"
    killed(at, chat_student, dataset, out)
    assert not (out / "sft.json").exists()
    with pytest.raises(BadInput, match=f"holds this run unfinished, with a checkpoint at step {from_step}"):
        sft(spec(chat_student, dataset), out, quiet)
    said: list[str] = []
    resumed = sft(spec(chat_student, dataset, resume=True), out, said.append)
    assert f"going on from the checkpoint at step {from_step}" in said
    assert any("was torn" in line for line in said) == (at == "second save")
    assert weights(out) == weights(tmp_path / "straight")
    assert resumed["losses"] == straight["losses"]
    assert resumed["tokens"] == straight["tokens"]
    lines = [json.loads(line)["step"] for line in (out / "training.jsonl").read_text().splitlines()]
    assert lines == [1, 2, 3, 4, 5, 6]


def test_unfinished_run_of_other_settings_is_refused(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"identity": "another", "student": "s", "variant": "right"}))
    with pytest.raises(BadInput, match="holds another run"):
        sft(spec(chat_student, dataset, resume=True), tmp_path, quiet)


def test_resume_of_nothing_begins(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    record = sft(spec(chat_student, dataset, resume=True, max_steps=1), tmp_path / "out", quiet)
    assert record["steps"] == 1


def test_finished_run_is_the_same_however_often_it_was_saved(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    sft(spec(chat_student, dataset), tmp_path / "out", quiet)
    assert sft(spec(chat_student, dataset, save_steps=3), tmp_path / "out", quiet)["reused"]
    kept = checkpoints(tmp_path / "out" / "checkpoints")
    assert [one.step for one in kept] == [6, 4]
    assert all(is_good(one) for one in kept)


def test_disk_without_room_is_told_before_any_step(
    chat_student: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1000))
    said: list[str] = []
    with pytest.raises(Unavailable, match="MB free; the run will write about"):
        sft(spec(chat_student, dataset), tmp_path / "out", said.append)
    assert said == []
    assert not (tmp_path / "out").exists()


def saved(folder: Path, step: int) -> Checkpoint:
    place = folder / f"checkpoint-{step}"
    (place / "deep").mkdir(parents=True)
    save_file({"weight": np.zeros(3, dtype=np.float32)}, place / "model.safetensors")
    (place / "deep" / "rng_state.pth").write_bytes(b"moments")
    (place / "optimizer.pt").write_bytes(b"moments")
    return Checkpoint(place, step)


def test_newest_good_checkpoint_is_the_newest_whole_one(tmp_path: Path) -> None:
    first, second, third, fourth = (saved(tmp_path, step) for step in (5, 10, 15, 100))
    for one in (first, second, third):
        mark(one)
    (third.folder / "deep" / "rng_state.pth").write_bytes(b"mom")
    assert [one.step for one in checkpoints(tmp_path)] == [100, 15, 10, 5]
    assert newest_good(tmp_path) == second
    assert drop_torn(tmp_path) == [fourth, third]
    assert [one.step for one in checkpoints(tmp_path)] == [10, 5]


def test_weights_alone_cannot_be_gone_on_from(tmp_path: Path) -> None:
    one = saved(tmp_path, 5)
    (one.folder / "optimizer.pt").unlink()  # as with save_only_model
    mark(one)
    assert not is_good(one)


def test_folder_is_held_against_a_second_run(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    from wrongcot_train.sft.folder import held

    out = tmp_path / "deep" / "out"
    with held(out), pytest.raises(BadInput, match="another process is training"):
        sft(spec(chat_student, dataset), out, quiet)
    assert not list(tmp_path.iterdir())  # nothing was there before, and nothing is
    assert sft(spec(chat_student, dataset, max_steps=1), out, quiet)["steps"] == 1
    assert not (out / ".lock").exists()


@pytest.mark.parametrize("damage", ["{", "[]", '{"sizes": 7}', '{"sizes": {"gone": 1}}'])
def test_damaged_mark_makes_no_good_checkpoint(damage: str, tmp_path: Path) -> None:
    one = saved(tmp_path, 5)
    (one.folder / "wrongcot-checkpoint.json").write_text(damage)
    assert not is_good(one)
