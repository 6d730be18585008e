"""What a run will need: steps, memory, disk and time, before any of it is spent."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import Unavailable
from wrongcot_train.device import world_size

if TYPE_CHECKING:
    from wrongcot_train.sft.curve import Curve
    from wrongcot_train.sft.prepare import Prepared

ADAM_BYTES = 4
"""Of each of AdamW's two moments, a trained parameter; they have the precision of the weights, at most this."""

HALF = 2
"""Bytes of a number in half precision."""

ACTIVATION_UNITS = 34
"""Hidden vectors that a layer keeps for the backward pass, in bytes at two bytes a number: arXiv 2205.05198, equation 1
without the term of the attention matrix, which is not kept."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Needs of a run. Bytes are of one device, without sharding.

    Attributes:
        step_seconds: of one optimiser step, from a forward and a backward pass that were timed; None if not timed.
        memory: weights, their copies under autocast, gradients, optimiser and activations.
        checkpoint: bytes of one; `disk` of all that are on the disk at once, and of the finished student.
        curve_tokens: that the student writes at most for its curve; their time is in no `seconds`.
    """

    steps: int
    tokens: int
    memory: int
    checkpoint: int
    disk: int
    step_seconds: float | None
    curve_tokens: int

    @property
    def seconds(self) -> float | None:
        """Of all steps, without the curve."""
        return None if self.step_seconds is None else self.step_seconds * self.steps


def estimate(ready: Prepared, curve: Curve | None = None, *, timed: bool) -> Estimate:
    """The needs of a run that is ready; `timed` runs one forward and backward pass twice and counts the second."""
    model: Any = ready.trainer.model
    weights = sum(one.numel() * one.element_size() for one in model.parameters())
    trained = [one for one in model.parameters() if one.requires_grad]
    gradients = sum(one.numel() * one.element_size() for one in trained)
    moments = sum(2 * one.numel() * min(ADAM_BYTES, one.element_size()) for one in trained)
    adapter = len(trained) < len(list(model.parameters()))
    saved = gradients if adapter else weights  # of an adapter: the adapter
    arguments: Any = ready.trainer.args
    checkpoint = saved + moments if arguments.save_strategy != "no" else 0
    kept = arguments.save_total_limit or _saves(arguments, ready.steps)
    finished = saved + _on_disk(Path(model.name_or_path)) if adapter else weights  # merged as the student lies there
    return Estimate(
        steps=ready.steps,
        tokens=round(ready.audit.tokens * _epochs(ready)),
        memory=weights + gradients + moments + _halves(trained, arguments) + activations(ready),
        checkpoint=checkpoint,
        disk=checkpoint * (kept + 1) + finished,  # a new checkpoint is written before an old one goes
        step_seconds=_time_step(ready) if timed else None,
        curve_tokens=(_saves(arguments, ready.steps) + 1) * curve.items * curve.max_tokens if curve else 0,
    )


def _on_disk(student: Path) -> int:
    """Bytes of a student's weights, which are safetensors wherever a student comes from."""
    return sum(file.stat().st_size for file in student.glob("*.safetensors"))


def _halves(trained: list[Any], arguments: Any) -> int:
    """Bytes of the copies in half precision that autocast keeps of float32 weights, from the forward pass to the
    backward pass: `torch.autocast`'s cache, which is on by default.
    """
    if not (arguments.bf16 or arguments.fp16):
        return 0
    return sum(one.numel() * HALF for one in trained if one.element_size() > HALF)


def _saves(arguments: Any, steps: int) -> int:
    every = arguments.save_steps or steps
    return max(1, round(1 / every if every < 1 else steps / every))


def _epochs(ready: Prepared) -> float:
    """Times that the rows are seen."""
    packing = ready.packing
    sequences = ready.steps * packing.batch_size * packing.accumulation * world_size()
    return (
        min(sequences / packing.sequences, float(ready.trainer.args.num_train_epochs))
        if _by_epochs(ready)
        else (sequences / packing.sequences)
    )


def _by_epochs(ready: Prepared) -> bool:
    return int(ready.trainer.args.max_steps) <= 0


def activations(ready: Prepared) -> int:
    """Bytes that the backward pass needs of one batch; with gradient checkpointing one hidden vector a layer, and one
    layer whole.
    """
    model: Any = ready.trainer.model
    shape: Any = model.config.get_text_config()
    arguments: Any = ready.trainer.args
    tokens: int = ready.packing.batch_size * (ready.packing.length or ready.audit.longest)
    size = HALF if arguments.bf16 or arguments.fp16 else 4
    a_layer = tokens * shape.hidden_size * ACTIVATION_UNITS * size // 2
    if arguments.gradient_checkpointing:
        return int(a_layer + tokens * shape.hidden_size * size * shape.num_hidden_layers)
    return int(a_layer * shape.num_hidden_layers)


def _time_step(ready: Prepared) -> float:
    """Seconds of one optimiser step, without the optimiser's own work, which is small."""
    import torch

    trainer: Any = ready.trainer
    model = trainer.accelerator.prepare_model(trainer.model)
    model.train()
    if trainer.args.gradient_checkpointing:  # the trainer turns it on when it begins; its finer settings are left out
        trainer.model.gradient_checkpointing_enable()
    batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    seconds = 0.0
    for _ in range(2):
        started = time.perf_counter()
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, dict(batch))
        trainer.accelerator.backward(loss)
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.perf_counter() - started
        model.zero_grad(set_to_none=True)
    return seconds * ready.packing.accumulation


def check_disk(out: Path, needed: Estimate) -> None:
    """See that the disk has room for all that the run will write.

    Raises:
        Unavailable: it has not.
    """
    place = out
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < needed.disk:
        raise Unavailable(
            f"the disk of {out} has {gigabytes(free)} free; the run will write about {gigabytes(needed.disk)}",
            try_=["--out ELSEWHERE", "--save-strategy no    (no checkpoints, so no resume)"],
        )


def gigabytes(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"
