"""Fine-tune a student on one variant with TRL's `SFTTrainer`.

`run.py` tells the whole story; each step of it has a file: `rows` (as TRL makes them), `packing`, `prepare` (the
trainer), `estimate`, `steps`, `checkpoints`, `curve`, `save`, and `folder` for what a student's folder can hold.
"""

from wrongcot_train.sft.folder import RECORD
from wrongcot_train.sft.prepare import Prepared, prepare
from wrongcot_train.sft.run import SftSpec, dry_run, look_up, sft

__all__ = ["RECORD", "Prepared", "SftSpec", "dry_run", "look_up", "prepare", "sft"]
