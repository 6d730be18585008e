"""The finished student on disk: weights, generation config and tokenizer, so that the folder loads like any model."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from wrongcot_train.device import is_main
from wrongcot_train.sft.folder import ADAPTER
from wrongcot_train.sft.prepare import Prepared
from wrongcot_train.students import Student

ADAPTER_CONFIG = "adapter_config.json"


def save_student(ready: Prepared, student: Student, folder: Path) -> None:
    """Fill a folder with the student; an adapter is kept beside the weights and merged into them."""
    trainer: Any = ready.trainer
    trainer.save_model(str(folder))  # together with all processes
    if not is_main():
        return
    trainer.processing_class.save_pretrained(folder)
    if (folder / ADAPTER_CONFIG).is_file():
        (folder / ADAPTER).mkdir()
        for name in (ADAPTER_CONFIG, "adapter_model.safetensors"):
            (folder / name).rename(folder / ADAPTER / name)
        merge(folder / ADAPTER, student, folder)
        name_base(folder / ADAPTER, student)
    for extra in ("training_args.bin", "README.md"):  # TRL's pickle and its card without a word on the data
        (folder / extra).unlink(missing_ok=True)


def merge(adapter: Path, student: Student, folder: Path) -> None:
    """Write the weights that a student and an adapter make together; in the precision the student has on disk.

    The student is read anew: under training it may be spread over processes, or quantised, and a merge into quantised
    weights would keep their error.
    """
    import transformers
    from peft import PeftModel

    base = transformers.AutoModelForCausalLM.from_pretrained(student.folder, dtype="auto")
    merged: Any = PeftModel.from_pretrained(base, adapter)
    merged.merge_and_unload().save_pretrained(folder)


def name_base(adapter: Path, student: Student) -> None:
    """Say in an adapter's config what it belongs to, as others can find it."""
    file = adapter / ADAPTER_CONFIG
    config = json.loads(file.read_text(encoding="utf-8"))
    config["base_model_name_or_path"] = student.model.hub_id or str(student.folder)
    config["revision"] = student.model.revision or None
    file.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def snapshot(checkpoint: Path, student: Student, room: Path) -> Path:
    """A folder with whole weights for a checkpoint: itself, or for an adapter a merged copy in `room`."""
    if not (checkpoint / ADAPTER_CONFIG).is_file():
        return checkpoint
    import transformers

    folder = Path(tempfile.mkdtemp(prefix="merged-", dir=room))
    merge(checkpoint, student, folder)
    transformers.AutoTokenizer.from_pretrained(checkpoint).save_pretrained(folder)
    return folder
