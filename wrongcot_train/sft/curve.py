"""The learning curve: the student at step 0 and at each checkpoint, scored by the same code as `eval`.

The items are of a split that is neither trained on nor the test: whoever picks a checkpoint by this curve has not
looked at the test. Trackers (trackio, wandb) are told each point as `curve/strict` and `curve/answered`.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.engines import get_engine
from wrongcot_data.errors import BadInput, CheckFailed, unknown
from wrongcot_data.tasks import get_task
from wrongcot_train.config import SftConfig
from wrongcot_train.data import TraceSet
from wrongcot_train.evaluate import EvalSpec, evaluate, prepare
from wrongcot_train.evaluate.prompts import own_prompt
from wrongcot_train.sft.folder import CURVE, CURVE_EVALS, CURVE_PICTURE
from wrongcot_train.sft.rows import model_config
from wrongcot_train.sft.save import snapshot
from wrongcot_train.students import Student

VALIDATION = "validation"
IN_PROCESS = "transformers"
KEPT = ("task", "split", "n", "strict", "answered", "grades", "tokens", "seconds", "items_sha256", "engine")
"""Of a score, for a point."""


@dataclass(frozen=True, slots=True)
class Curve:
    """What is scored along a run.

    Attributes:
        leave_out: problems that are trained on.
        problems: options of the task: items are of the kind that is trained on, such as as many numbers.
    """

    student: Student
    form: str
    task: str
    split: str
    items: int
    engine: str
    max_tokens: int
    leave_out: frozenset[str]
    problems: Mapping[str, Any]


def plan_curve(config: SftConfig, student: Student, traces: TraceSet) -> Curve | None:
    """The curve that a config asks for; None where it asks for none. The form of its prompts is known later.

    Raises:
        BadInput: the data set does not tell whose problems it has, a task, split or engine is not known, there are
            no checkpoints to score, or replies would be longer than the student reads.
    """
    own = config.own
    if not own.curve_items:
        return None
    task = own.curve_task or traces.task
    if not task:
        raise BadInput("which task's items make the curve? the rows do not tell", try_=["--curve-task countdown"])
    if str(config.values.get("save_strategy")) == "no":
        raise BadInput(
            "a curve is drawn at checkpoints, and save_strategy says there are none", try_=["--save-strategy steps"]
        )
    get_engine(own.curve_engine)
    splits = get_task(task).splits
    if own.curve_split and own.curve_split not in splits:
        raise unknown(f"split of {task}", own.curve_split, splits)
    split = own.curve_split or (VALIDATION if VALIDATION in splits else splits[0])
    seen = traces.problem_ids if split == splits[0] else frozenset()
    kind = traces.problems if task == traces.task else {}
    most = own.curve_max_tokens or get_task(task).max_tokens
    _check_room(most, student)
    kept = {name: value for name, value in kind.items() if name != "source" or Path(str(value)).is_file()}
    return Curve(student, "", task, split, own.curve_items, own.curve_engine, most, seen, kept)


def _check_room(tokens: int, student: Student) -> None:
    room = getattr(model_config(student.folder), "max_position_embeddings", None)
    if room and tokens >= room:
        raise BadInput(
            f"a reply of {tokens} tokens leaves no room for its prompt: the student reads {room}",
            try_=["--curve-max-tokens N    (lower)"],
        )


def score_point(
    curve: Curve, out: Path, say: Callable[[str], None], step: int, epoch: float, checkpoint: Path | None
) -> dict[str, float]:
    """Score one point, add it to `curve.jsonl`, draw the curve anew; later points are of a run that was cut off.

    Returns:
        what trackers are told.

    Raises:
        CheckFailed: the eval in a process of its own failed.
    """
    points = [point for point in read_curve(out) if point["step"] < step]
    place = out / CURVE_EVALS / f"step-{step}"
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".curve-", dir=out) as room:
        folder = snapshot(checkpoint, curve.student, Path(room)) if checkpoint else curve.student.folder
        shutil.rmtree(place, ignore_errors=True)  # of a run that was cut off here: other weights
        score = _score(curve, folder, place)
    point = {"step": step, "epoch": round(epoch, 4), **{name: score[name] for name in KEPT}}
    write_curve(out, [*points, point])
    strict, answered = point["strict"], point["answered"]
    say(f"step {step}  strict {strict['value']:.1%} of {point['n']} {curve.task}/{curve.split} items")
    return {"curve/strict": strict["value"], "curve/answered": answered["value"] or 0.0}


def _score(curve: Curve, folder: Path, place: Path) -> Mapping[str, Any]:
    if curve.engine != IN_PROCESS:
        return _apart(curve, folder, place)
    with undisturbed():
        return evaluate(prepare(eval_spec(curve, folder)), place, lambda done: None)


def eval_spec(curve: Curve, folder: Path) -> EvalSpec:
    """The eval of a point."""
    return EvalSpec(
        model=str(folder),
        task=curve.task,
        split=curve.split,
        limit=curve.items,
        max_tokens=curve.max_tokens,
        engine=curve.engine,
        prompt=own_prompt(curve.form),
        leave_out=curve.leave_out,
        problems=curve.problems,
    )


def _apart(curve: Curve, folder: Path, place: Path) -> Mapping[str, Any]:
    """In a process of its own: vLLM takes a GPU's memory and gives it back only when it ends."""
    command = [
        *(sys.executable, "-m", "wrongcot_train", "eval", "--model", str(folder), "--task", curve.task),
        *("--split", curve.split, "--limit", str(curve.items), "--engine", curve.engine),
        *("--prompt", own_prompt(curve.form), "--max-tokens", str(curve.max_tokens), "--out", str(place), "--json"),
        *(word for name, value in curve.problems.items() for word in ("--problems", f"{name}={json.dumps(value)}")),
    ]
    with tempfile.NamedTemporaryFile("w+", prefix="leave-out-", suffix=".txt") as names:
        names.write("\n".join(sorted(curve.leave_out)))
        names.flush()
        if curve.leave_out:
            command += ["--leave-out", names.name]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  this very program
    if done.returncode:
        told = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise CheckFailed(f"the eval for the curve failed: {told[0]}", try_=["--curve-items 0", " ".join(command)])
    score: dict[str, Any] = json.loads(done.stdout)
    return score


@contextmanager
def undisturbed() -> Iterator[None]:
    """Leave every random state as it was: a run with a curve trains exactly as one without."""
    import numpy as np
    import torch

    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def read_curve(out: Path) -> list[dict[str, Any]]:
    """The points of a run so far, by step; a line that a kill tore is left out."""
    path = out / CURVE
    points = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else []:
        try:
            points.append(json.loads(line))
        except ValueError:
            continue
    return points


def write_curve(out: Path, points: list[dict[str, Any]]) -> None:
    """All points, in one step, and their picture."""
    fresh = out / f".{CURVE}"
    fresh.write_text("".join(json.dumps(point) + "\n" for point in points), encoding="utf-8")
    fresh.replace(out / CURVE)
    draw_curve(points, out / CURVE_PICTURE)


def draw_curve(points: list[dict[str, Any]], path: Path) -> None:
    """Strict accuracy over steps with its 95 % intervals, in percent."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    steps = [point["step"] for point in points]
    for name, colour in (("strict", "C0"), ("answered", "C7")):
        shares = [point[name] for point in points]
        kept = [(step, share) for step, share in zip(steps, shares, strict=True) if share["value"] is not None]
        if not kept:
            continue
        at = [step for step, _ in kept]
        axes.plot(at, [100 * share["value"] for _, share in kept], "o-", color=colour, label=name)
        if name == "strict":
            low, high = ([100 * share[end] for _, share in kept] for end in ("low", "high"))
            axes.fill_between(at, low, high, color=colour, alpha=0.2, linewidth=0)
    last = points[-1]
    axes.set(xlabel="optimiser steps", ylabel="correct, %", ylim=(0, 100))
    axes.set_title(f"{last['n']} items of {last['task']}/{last['split']}, greedy; band: 95 % interval", fontsize=9)
    axes.legend()
    figure.savefig(path, dpi=150)
