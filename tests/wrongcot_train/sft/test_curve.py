from __future__ import annotations

import hashlib
import json
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks import get_task
from wrongcot_train.config import settings
from wrongcot_train.data import read_traces
from wrongcot_train.sft import SftSpec, sft
from wrongcot_train.sft.curve import eval_spec, plan_curve, read_curve
from wrongcot_train.students import find_student

RUN = {
    "max_steps": 4,
    "per_device_train_batch_size": 2,
    "gradient_accumulation_steps": 1,
    "learning_rate": 1e-3,
    "save_strategy": "steps",
    "save_steps": 2,
}
CURVE = {"curve_items": 3, "curve_task": "countdown", "curve_max_tokens": 6}


def run(student: Path, dataset: Path, out: Path, **changes: Any) -> tuple[dict[str, Any], list[str]]:
    said: list[str] = []
    record = sft(SftSpec(str(student), dataset, "wrong", settings(**RUN | changes)), out, said.append)
    return record, said


def weights(out: Path) -> str:
    return hashlib.sha256((out / "model.safetensors").read_bytes()).hexdigest()


def test_student_is_scored_at_step_0_and_at_each_checkpoint_and_trains_the_same(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    record, said = run(chat_student, dataset, tmp_path / "drawn", **CURVE)
    points = [json.loads(line) for line in (tmp_path / "drawn" / "curve.jsonl").read_text().splitlines()]
    assert record["curve"] == points == read_curve(tmp_path / "drawn")
    assert [(point["step"], point["split"], point["n"]) for point in points] == [
        (0, "validation", 3),
        (2, "validation", 3),
        (4, "validation", 3),
    ]
    assert sum(line.startswith("step 0  strict") for line in said) == 1
    task = get_task("countdown")
    expected = [one.id for one in islice(task.problems(task.options(), "validation", 0), 3)]
    for step in (0, 2, 4):
        items = pq.read_table(tmp_path / "drawn" / "curve" / f"step-{step}" / "items.parquet")
        assert items["problem_id"].to_pylist() == expected
    assert (tmp_path / "drawn" / "curve.png").read_bytes().startswith(b"\x89PNG")
    run(chat_student, dataset, tmp_path / "plain")
    assert weights(tmp_path / "drawn") == weights(tmp_path / "plain")


def test_curve_of_an_adapter_scores_merged_weights(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    record, _ = run(chat_student, dataset, tmp_path / "out", use_peft=True, **CURVE)
    assert [point["step"] for point in record["curve"]] == [0, 2, 4]
    last = json.loads((tmp_path / "out" / "curve" / "step-4" / "score.json").read_text())
    first = json.loads((tmp_path / "out" / "curve" / "step-0" / "score.json").read_text())
    assert last["revision"] != first["revision"]
    assert not list((tmp_path / "out").glob(".curve-*"))


@pytest.mark.real
def test_curve_by_another_engine_is_an_eval_in_a_process_of_its_own(
    chat_student: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wrongcot_train.sft import curve

    here, _ = run(chat_student, dataset, tmp_path / "here", **CURVE)
    monkeypatch.setattr(curve, "IN_PROCESS", "none")  # transformers too is run apart
    apart, _ = run(chat_student, dataset, tmp_path / "apart", **CURVE)
    same = ("step", "strict", "answered", "grades", "tokens", "items_sha256")
    assert [[point[name] for name in same] for point in apart["curve"]] == [
        [point[name] for name in same] for point in here["curve"]
    ]


def test_point_that_a_kill_left_out_is_scored_when_the_run_goes_on(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    from wrongcot_train.sft import run as run_module

    out = tmp_path / "out"

    def killed(*arguments: Any) -> dict[str, float]:
        if arguments[3] == 2:
            raise KeyboardInterrupt  # the checkpoint is whole, its score is not
        return score(*arguments)

    score = run_module.score_point
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "score_point", killed)
        with pytest.raises(KeyboardInterrupt):
            run(chat_student, dataset, out, **CURVE)
    spec = SftSpec(str(chat_student), dataset, "wrong", settings(**RUN | CURVE), resume=True)
    assert [point["step"] for point in sft(spec, out, lambda line: None)["curve"]] == [0, 2, 4]


def test_run_that_fails_after_its_first_point_leaves_nothing(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    from wrongcot_data.errors import CheckFailed

    broken = {"learning_rate": 1e38, "save_steps": 4, "warmup_steps": 0}
    with pytest.raises(CheckFailed, match=r"no number|is nan|is inf"):
        run(chat_student, dataset, tmp_path / "out", **CURVE | broken)
    assert not (tmp_path / "out").exists()


def test_trackers_are_told_each_point(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    from transformers import TrainerCallback

    from wrongcot_train.sft import run as run_module

    told: list[dict[str, float]] = []

    class Tracker(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            told.append({name: value for name, value in logs.items() if name.startswith("curve/")})

    prepare = run_module.prepare

    def tracked(*arguments: Any) -> Any:
        ready = prepare(*arguments)
        ready.trainer.add_callback(Tracker())
        return ready

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "prepare", tracked)
        run(chat_student, dataset, tmp_path / "out", **CURVE)
    assert [one.keys() for one in told if one] == [{"curve/strict", "curve/answered"}] * 3


def test_curve_without_a_validation_split_leaves_out_what_is_trained_on(chat_student: Path, dataset: Path) -> None:
    traces = read_traces(dataset, "wrong")
    config = settings(curve_items=4, curve_task="gsm8k")
    curve = plan_curve(config, find_student(str(chat_student)), traces)
    assert curve is not None
    assert (curve.split, curve.leave_out) == ("train", frozenset({"p0", "p1", "p2", "p3"}))
    assert eval_spec(curve, chat_student).leave_out == curve.leave_out


def test_curve_needs_to_know_whose_items(chat_student: Path, dataset: Path) -> None:
    traces = read_traces(dataset, "wrong")
    with pytest.raises(BadInput, match="which task's items make the curve"):
        plan_curve(settings(curve_items=4), find_student(str(chat_student)), traces)
