from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_train.config import settings
from wrongcot_train.data import read_traces
from wrongcot_train.sft import Prepared, prepare
from wrongcot_train.sft.packing import plan_accumulation, plan_length
from wrongcot_train.students import find_student

LENGTHS = st.lists(st.integers(1, 900), min_size=1, max_size=60)


def prepared(student: Path, dataset: Path, folder: Path, **values: Any) -> Prepared:
    return prepare(settings(**values), find_student(str(student)), read_traces(dataset, "wrong"), folder)


@given(LENGTHS, st.integers(1, 16), st.integers(1, 256))
def test_packed_sequence_holds_any_row_and_no_more_than_the_padded_batch(
    lengths: list[int], batch_size: int, rows_a_step: int
) -> None:
    length = plan_length(lengths, batch_size, rows_a_step, 2048)
    longest = max(lengths)
    assert longest <= length <= max(longest, min(2048, batch_size * longest))


@given(st.integers(1, 5000), st.integers(1, 512), st.data())
def test_rows_a_step_stay_within_half_a_sequence_of_what_was_asked(rows: int, rows_a_step: int, data: Any) -> None:
    sequences = data.draw(st.integers(1, rows))
    kept = plan_accumulation(rows, sequences, rows_a_step)
    a_sequence = rows / sequences
    assert kept >= 1
    assert kept == 1 or abs(kept * a_sequence - rows_a_step) <= a_sequence / 2 + 1e-9


def test_rows_are_packed_without_loss_and_a_step_keeps_its_rows(
    chat_student: Path, dataset: Path, tmp_path: Path
) -> None:
    asked = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    alone = prepared(chat_student, dataset, tmp_path, packing=False, **asked)
    packed = prepared(chat_student, dataset, tmp_path, **asked)
    assert (alone.packing.on, packed.packing.on, packed.packing.why) == (False, True, "equal to rows alone")
    rows: Any = packed.trainer.train_dataset
    assert sorted(length for row in rows for length in row["seq_lengths"]) == sorted(
        len(ids) for ids in alone.rows["input_ids"]
    )
    assert sum(len(row["labels"]) for row in rows) == packed.audit.tokens
    assert (alone.steps, packed.steps) == (10, 10)


def batches(ready: Prepared) -> Any:
    return [ready.trainer._prepare_inputs(batch) for batch in ready.trainer.get_train_dataloader()]


@pytest.mark.parametrize("packing", ["auto", True])
def test_packed_batch_has_the_loss_of_its_rows(packing: Any, chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    """By the trainer's own loss, over the whole set: the sum over rows is the sum over packed sequences."""

    def total(ready: Prepared) -> float:
        model: Any = ready.trainer.model
        model.eval()
        return sum(
            float(ready.trainer.compute_loss(model, dict(batch)).detach()) * int((batch["labels"] != -100).sum())
            for batch in batches(ready)
        )

    alone = total(prepared(chat_student, dataset, tmp_path, packing=False))
    assert total(prepared(chat_student, dataset, tmp_path, packing=packing)) == pytest.approx(alone, rel=1e-5)


def test_attention_that_mixes_rows_is_found_out(
    chat_student: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transformers that does not restart its masks at position ids, as all did once."""
    from transformers import masking_utils

    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", lambda position_ids: None)
    left = prepared(chat_student, dataset, tmp_path)
    assert not left.packing.on
    assert left.packing.why.startswith("a row would see its neighbours")
    with pytest.raises(CheckFailed, match="packed rows would see their neighbours"):
        prepared(chat_student, dataset, tmp_path, packing=True)


def test_packing_that_cuts_rows_by_design_is_refused(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="packing_strategy wrapped"):
        prepared(chat_student, dataset, tmp_path, packing=True, packing_strategy="wrapped")


@pytest.mark.parametrize("packing", ["auto", False])
def test_student_whose_weights_give_no_number_is_refused_before_any_step(
    packing: Any, make_student: Any, dataset: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    student = make_student()
    weights = load_file(student / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, student / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckFailed, match="no number before any training"):
        prepared(student, dataset, tmp_path, packing=packing)
