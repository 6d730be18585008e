"""A fine-tuning run from its names to a finished student: look up, audit, train, save."""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, Unavailable, WrongcotError
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.spec import content_hash
from wrongcot_data.versions.locate import Located
from wrongcot_train.audit import Audit
from wrongcot_train.config import SftConfig, config_hash
from wrongcot_train.data import TraceSet, read_traces
from wrongcot_train.device import find_device, is_main
from wrongcot_train.foreign import read_foreign
from wrongcot_train.outputs import versions, write_json
from wrongcot_train.sft.checkpoints import CHECKPOINTS, newest_good
from wrongcot_train.sft.curve import Curve, plan_curve, read_curve, score_point
from wrongcot_train.sft.estimate import Estimate, check_disk, estimate
from wrongcot_train.sft.folder import RECORD, begin, check_free, check_unfinished, clear, finished, held, put, sizes_of
from wrongcot_train.sft.prepare import Prepared, on_this_machine, prepare
from wrongcot_train.sft.save import save_student
from wrongcot_train.sft.steps import TOKENS, run_steps
from wrongcot_train.students import Student, find_student, get_student

SECRET = "hub_token"  # noqa: S105  its name
"""A setting that is in no record: a student's folder is for others to read."""


@dataclass(frozen=True, slots=True)
class SftSpec:
    """Who is trained on what, and how.

    Attributes:
        student: registry name, Hub id or path.
        dataset: folder with the data set.
        variant: which of its trace sets.
        name: how others find the data set, such as `ORG/NAME@v1.2.0`; empty where the folder is all there is.
        commit: of it on the Hub; empty where it comes from none.
        preset: whose settings it began with; empty for none.
        resume: go on from the newest good checkpoint, where there is one.
    """

    student: str
    dataset: Path
    variant: str
    config: SftConfig
    name: str = ""
    commit: str = ""
    preset: str = ""
    resume: bool = False


def sft(spec: SftSpec, out: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Train a student and save it in `out`; where `out` holds exactly this run already, nothing is done.

    `say` takes one line for the person at the terminal.

    Returns:
        the record, as in `out/sft.json`, and `reused`: whether it was there before.

    Raises:
        BadInput: a name that is not known, a variant without rows, an `out` that holds something else, or this run
            unfinished where nobody asked to resume.
        CheckFailed: the audit found a fault, or the loss is no number.
        Unavailable: a package or the weights cannot be had, or the disk is full.
    """
    check_free(out)
    student, traces = look_up(spec)
    identity = run_identity(spec.config, student, traces)
    done = finished(out, identity)
    if done is not None:
        return {**done, "reused": True}
    curve = plan_curve(spec.config, student, traces)
    with held(out) if is_main() else nullcontext():
        check_unfinished(out, identity, spec.resume)
        return {**_kept_tidy(_Run(spec, student, traces, curve, out, identity), say), "reused": False}


@dataclass(frozen=True, slots=True)
class _Run:
    """A run with everything looked up."""

    spec: SftSpec
    student: Student
    traces: TraceSet
    curve: Curve | None
    out: Path
    identity: str


def _kept_tidy(run: _Run, say: Callable[[str], None]) -> dict[str, Any]:
    """Run; where that fails before the first checkpoint, leave nothing."""
    out = run.out
    try:
        return _run(run, say)
    except Exception as error:  # safetensors has an error class of its own for what the system says
        if is_main() and newest_good(out / CHECKPOINTS) is None:
            clear(out)
        if os.strerror(errno.ENOSPC) not in str(error) or isinstance(error, WrongcotError):
            raise
        raise Unavailable(
            f"the disk is full: there is no room for {out}",
            try_=["--resume    (once there is room)", "--out ELSEWHERE"],
        ) from error


def _run(run: _Run, say: Callable[[str], None]) -> dict[str, Any]:
    spec, student, out = run.spec, run.student, run.out
    ready = prepare(spec.config, student, run.traces, out / CHECKPOINTS)
    check_disk(out, estimate(ready, run.curve, timed=False))
    plan = {**plan_of(spec, student, ready), **provenance(spec, run.traces, run.identity)}
    score = partial(score_point, replace(run.curve, form=ready.form), out, say) if run.curve else None
    if is_main():
        begin(out, plan)
    say(f"audit passed: {ready.audit.rows} rows, {ready.audit.trained_tokens} trained tokens, {ready.steps} steps")
    say(packing_line(ready))
    started = time.monotonic()
    lines = run_steps(ready, out, say, score)
    seconds = time.monotonic() - started
    filling = out / ".saving"
    filling.mkdir(exist_ok=True)
    save_student(ready, student, filling)
    record = {**plan, **_account(ready, out, lines), "seconds": round(seconds, 1), "versions": versions()}
    if is_main():
        record["files"] = sizes_of(filling)
        put(filling, out)
        write_json(out / RECORD, record)
    return record


def dry_run(spec: SftSpec, out: Path | None = None) -> tuple[dict[str, Any], Audit, Estimate]:
    """Everything up to the first step: what would be trained on, its audit, what it would need. Nothing is kept.

    Args:
        out: where the run would be; looked at as the run itself would.

    Raises:
        BadInput, CheckFailed, Unavailable: as `sft`.
    """
    if out is not None:
        check_free(out)
    student, traces = look_up(spec)
    if out is not None:
        identity = run_identity(spec.config, student, traces)
        finished(out, identity)
        check_unfinished(out, identity, spec.resume)
    curve = plan_curve(spec.config, student, traces)
    with tempfile.TemporaryDirectory(prefix="wrongcot-dry-run-") as folder:
        ready = prepare(spec.config, student, traces, Path(folder))
        needed = estimate(ready, curve, timed=True)
    if out is not None:
        check_disk(out, needed)
    return plan_of(spec, student, ready), ready.audit, needed


def look_up(spec: SftSpec) -> tuple[Student, TraceSet]:
    """The student and its traces.

    Raises:
        BadInput, CheckFailed, Unavailable: as `sft`.
    """
    get_student(spec.student)  # a misspelt name before anything is read
    split = spec.config.values.get("dataset_train_split") or "train"
    if spec.commit and not (spec.dataset / MANIFEST).is_file():
        traces = read_foreign(Located(spec.name, spec.dataset, None, spec.commit, spec.variant), split)
    elif split != "train":
        raise BadInput(f"{spec.dataset} has one split, train, and no {split}", try_=["dataset_train_split: train"])
    else:
        traces = read_traces(spec.dataset, spec.variant)
    return find_student(spec.student), traces


def run_identity(config: SftConfig, student: Student, traces: TraceSet) -> str:
    """The name of a run: same weights, same rows, same settings, on the same kind of machine."""
    return content_hash(
        {
            "student_revision": student.revision,
            "rows_sha256": traces.rows_sha256,
            "config": config_hash(on_this_machine(config)),
        }
    )


def plan_of(spec: SftSpec, student: Student, ready: Prepared) -> dict[str, Any]:
    """What is known of a run before its first step."""
    config = on_this_machine(spec.config)
    return {
        "student": student.model.name,
        "student_revision": student.revision,
        "variant": spec.variant,
        "preset": spec.preset,
        "config": {name: value for name, value in sorted(config.values.items()) if name != SECRET},
        "origins": dict(sorted(config.origins.items())),
        "format": ready.form,
        "audit": {name: value for name, value in asdict(ready.audit).items() if name != "example"},
        "packing": asdict(ready.packing),
        "steps": ready.steps,
        "device": find_device().name,
        "dtype": config["dtype"],
    }


def provenance(spec: SftSpec, traces: TraceSet, identity: str) -> dict[str, Any]:
    """Which rows exactly, and which run."""
    return {
        "dataset": spec.name or str(spec.dataset),
        "dataset_commit": spec.commit,
        "dataset_spec_hash": traces.spec_hash,
        "dataset_manifest_sha256": traces.manifest_sha256,
        "rows_sha256": traces.rows_sha256,
        "config_hash": config_hash(on_this_machine(spec.config)),
        "identity": identity,
    }


def packing_line(ready: Prepared) -> str:
    """What was decided on packing, for people."""
    packing = ready.packing
    if not packing.on:
        return f"not packed: {packing.why}"
    rows = packing.rows / packing.sequences
    a_step = rows * packing.batch_size * packing.accumulation
    return (
        f"packed ({packing.why}): {rows:.1f} rows in each of {packing.sequences} sequences of at most "
        f"{packing.length} tokens, {a_step:.0f} rows a step"
    )


def _account(ready: Prepared, out: Path, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """What a finished run took. Trained tokens are the share of all tokens seen that has labels: exact for whole
    epochs.
    """
    seen = int(lines[-1][TOKENS]) if lines else 0
    return {
        "steps": ready.steps,
        "losses": [line["loss"] for line in lines],
        "tokens": seen,
        "tokens_trained": round(seen * ready.audit.trained_tokens / ready.audit.tokens),
        "peak_memory_bytes": peak_memory(),
        "curve": read_curve(out),
    }


def peak_memory() -> int:
    """Bytes that this process had at most, on the GPU where there is one."""
    import resource

    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in kB
