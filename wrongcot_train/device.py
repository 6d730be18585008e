"""What the machine decides of a training run, as a layer of settings below everything that a person says."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from wrongcot_data.errors import missing_extra
from wrongcot_train.config import Layer

ORIGIN = "this machine"


@dataclass(frozen=True, slots=True)
class Device:
    """What trains.

    Attributes:
        name: as people know it, such as `NVIDIA H100 80GB HBM3` or `cpu`.
        bf16: whether its arithmetic in bfloat16 is fast.
    """

    name: str
    gpu: bool
    bf16: bool


def find_device() -> Device:
    """The device that a run would use here.

    Raises:
        Unavailable: torch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise missing_extra("torch", "train") from error
    if not torch.cuda.is_available():
        return Device("cpu", gpu=False, bf16=False)
    return Device(torch.cuda.get_device_name(), gpu=True, bf16=torch.cuda.is_bf16_supported())


def machine_layer(device: Device, adapter: bool) -> Layer:
    """Precision, and the trade of time for memory, of which a CPU has enough.

    Full fine-tuning keeps its weights in float32: bfloat16 rounds small updates away. On a GPU the arithmetic is
    bfloat16 all the same (autocast). Under an adapter the weights do not move, and there they may be small.
    """
    values: dict[str, Any] = {
        "use_cpu": not device.gpu,
        "bf16": device.bf16,
        "fp16": device.gpu and not device.bf16,
        "dtype": "bfloat16" if adapter and device.bf16 else "float32",
        "gradient_checkpointing": device.gpu,
        "dataloader_pin_memory": device.gpu,
    }
    return Layer(ORIGIN, values)


def world_size() -> int:
    """Processes of this run, as `accelerate launch` and torchrun tell it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process is the one that tells and writes."""
    return int(os.environ.get("RANK", "0")) == 0
