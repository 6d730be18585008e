"""Packing: several rows in one sequence, so that no time goes into padding, and no row sees another.

TRL packs whole rows (best fit, decreasing) and restarts the position ids at each; the attention of transformers then
keeps rows apart on every backend. That is their promise. Before it is relied on, the student's own loss on a few rows,
packed, is compared with its loss on each row alone.

A batch of packed sequences holds more rows than a batch of rows. So that a run means the same packed or not, `auto`
takes one sequence a batch, of at most as many tokens as the padded batch would have had, and as many batches a step as
keep the rows a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wrongcot_data.errors import CheckFailed
from wrongcot_train.audit import MASKED
from wrongcot_train.config import SftConfig

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

LONGEST = 3
"""Tokens of a packed sequence, in hidden sizes, where attention keeps rows apart by a mask and so looks at all pairs:
from six on (4 T h operations a token against 24 h h of the layers' own products) it costs more than all else."""

NO_LIMIT = 1 << 30

LEAST = 512
"""Tokens below which the cost of taking a batch at all is more than that of looking at all pairs."""

TRL_LENGTH = 1024
"""What TRL packs to unless told otherwise."""

PROBE_ROWS, PROBE_TOKENS = 3, 64
"""What the proof looks at: this many rows, and of each at most the last so many tokens."""

ROUNDING = {"float32": 1e-3}
"""By how much a token's loss may differ through the order of sums alone, by the weights' precision."""

ROUNDING_OF_LEAK = 0.1
"""For smaller types, as a share of what a sequence without any separation changes."""


@dataclass(frozen=True, slots=True)
class Packing:
    """What was decided.

    Attributes:
        on: whether rows are packed.
        why: in a few words.
        length: tokens of a packed sequence at most; None where rows are not packed.
        batch_size: sequences at once on one device.
        accumulation: batches a step.
        rows: that are trained; `sequences` is how many there are of what a batch counts.
    """

    on: bool
    why: str
    length: int | None
    batch_size: int
    accumulation: int
    rows: int
    sequences: int


def plan_length(lengths: Sequence[int], batch_size: int, rows_a_step: int, most: int) -> int:
    """Tokens of a packed sequence: as many as a padded batch would have, no more than a step of rows has.

    Args:
        lengths: tokens of each row.
        rows_a_step: on one device.
        most: tokens, unless a single row is longer.
    """
    longest = max(lengths)
    of_a_step = math.ceil(rows_a_step * sum(lengths) / len(lengths))
    return max(longest, min(batch_size * longest, of_a_step, most))


def most_tokens(model: PreTrainedModel) -> int:
    """Tokens up to which a sequence may be packed; FlashAttention looks at the pairs within a row only."""
    shape: Any = model.config.get_text_config()
    flash = str(getattr(model.config, "_attn_implementation", "")).startswith("flash")
    return NO_LIMIT if flash else max(LEAST, int(LONGEST * shape.hidden_size))


def plan_accumulation(rows: int, sequences: int, rows_a_step: int) -> int:
    """Sequences a step that hold about as many rows as were asked for; at least one."""
    return max(1, round(rows_a_step * sequences / rows))


def pack(rows: Dataset, config: SftConfig, model: PreTrainedModel) -> tuple[Dataset, Packing]:
    """Pack audited rows where that is asked for, or wins and is proven harmless.

    Raises:
        CheckFailed: packing was asked for and is not harmless.
    """
    asked = config.own.packing
    batch_size, accumulation = config["per_device_train_batch_size"], config["gradient_accumulation_steps"]
    unpacked = Packing(False, "not asked for", None, batch_size, accumulation, len(rows), len(rows))
    if asked is False:
        return rows, unpacked
    rows = rows.select_columns(["input_ids", "labels"])
    difference = check_separation(model, rows, "--packing false")
    if asked == "auto" and difference is not None:
        return rows, _but(unpacked, f"a row would see its neighbours: its loss differs by {difference:.2g}")
    if asked is True:
        if difference is not None:
            raise CheckFailed(
                f"packed rows would see their neighbours: a token's loss differs by {difference:.2g}",
                try_=["--packing false", "--attn-implementation sdpa"],
            )
        length = config["max_length"] or max(TRL_LENGTH, *map(len, rows["input_ids"]))
        packed = _packed(rows, length)
        return packed, Packing(True, "asked for", length, batch_size, accumulation, len(rows), len(packed))
    lengths = [len(ids) for ids in rows["input_ids"]]
    rows_a_step = batch_size * accumulation
    length = plan_length(lengths, batch_size, rows_a_step, most_tokens(model))
    packed = _packed(rows, length)
    if len(packed) == len(rows):
        return rows, _but(unpacked, "no two rows fit into one sequence")
    kept = plan_accumulation(len(rows), len(packed), rows_a_step)
    return packed, Packing(True, "equal to rows alone", length, 1, kept, len(rows), len(packed))


def _but(one: Packing, why: str) -> Packing:
    from dataclasses import replace

    return replace(one, why=why)


def _packed(rows: Dataset, length: int) -> Dataset:
    from trl.data_utils import pack_dataset

    packed: Dataset = pack_dataset(rows, length, "bfd")
    return packed


def check_separation(model: Any, rows: Dataset, otherwise: str) -> float | None:
    """By how much the loss of a token differs, packed, from its row alone; None where that is rounding only.

    Raises:
        CheckFailed: the student's own loss is no number, so no training would help; `otherwise` is what to try.
    """
    import torch

    probe = [ids[-PROBE_TOKENS:] for ids in rows[: min(PROBE_ROWS, len(rows))]["input_ids"]]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        alone = [_losses(model, [ids]) for ids in probe]
        packed, leaking = _losses(model, probe), _losses(model, probe, apart=False)
    model.train(was_training)
    expected = torch.cat(alone)
    if not bool(torch.isfinite(expected).all()):
        raise CheckFailed(
            "the student's loss on the first rows is no number before any training; its weights are damaged, or its "
            "precision is too small",
            try_=["--dtype float32", otherwise],
        )
    difference = float((packed - expected).abs().max())
    leak = float((leaking - expected).abs().max())
    kind = str(next(model.parameters()).dtype).removeprefix("torch.")
    bound = ROUNDING.get(kind, ROUNDING_OF_LEAK * leak)
    return difference if len(probe) > 1 and difference > bound else None


def _losses(model: Any, rows: Sequence[Sequence[int]], apart: bool = True) -> Any:
    """The loss of every token but the first of its row, rows side by side in one sequence, as TRL's collator lays
    them: position ids that restart and no attention mask. `apart` is false for position ids that run on.
    """
    import torch
    from torch.nn.functional import cross_entropy

    device = next(model.parameters()).device
    ids = torch.tensor([token for row in rows for token in row], device=device)
    starts = [torch.arange(len(row), device=device) for row in rows]
    positions = torch.cat(starts) if apart else torch.arange(len(ids), device=device)
    logits = model(input_ids=ids[None], position_ids=positions[None], use_cache=False).logits[0].float()
    targets = torch.full_like(ids, MASKED)
    targets[:-1] = ids[1:]
    begins, kept = 0, []
    for row in rows:
        kept += list(range(begins, begins + len(row) - 1))
        begins += len(row)
    at = torch.tensor(kept, device=device)
    return cross_entropy(logits[at], targets[at], reduction="none")
