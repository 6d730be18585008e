from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.errors import CheckFailed
from wrongcot_train.audit import MASKED, audit_rows
from wrongcot_train.config import settings as sft_settings
from wrongcot_train.data import read_traces
from wrongcot_train.sft import Prepared, SftSpec, dry_run, prepare
from wrongcot_train.students import find_student, load_tokenizer

Traces = list[tuple[str, str]]
TURN = "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}"
ASKING = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"


def prepared(student: Path, dataset: Path, folder: Path, **settings: Any) -> Prepared:
    return prepare(sft_settings(**settings), find_student(str(student)), read_traces(dataset, "wrong"), folder)


def trained_text(student: Path, row: dict[str, list[int]]) -> str:
    return str(load_tokenizer(student).decode([label for label in row["labels"] if label != MASKED]))


def test_chat_rows_train_the_reply_its_stop_token_and_the_newline(
    chat_student: Path, dataset: Path, traces: Traces, tmp_path: Path
) -> None:
    rows: Any = prepared(chat_student, dataset, tmp_path).rows
    prompt, completion = traces[0]
    tokens = load_tokenizer(chat_student)
    masked = tokens(f"<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n")["input_ids"]
    trained = tokens(f"{completion}<|im_end|>\n")["input_ids"]
    assert rows[0]["input_ids"] == masked + trained
    assert rows[0]["labels"] == [MASKED] * len(masked) + trained


def test_plain_rows_train_the_reply_and_eos(plain_student: Path, dataset: Path, traces: Traces, tmp_path: Path) -> None:
    rows: Any = prepared(plain_student, dataset, tmp_path).rows
    prompt, completion = traces[0]
    tokens = load_tokenizer(plain_student)
    masked, trained = tokens(prompt + "\n")["input_ids"], tokens(completion + "<eos>")["input_ids"]
    assert rows[0]["input_ids"] == masked + trained
    assert rows[0]["labels"] == [MASKED] * len(masked) + trained


def test_audit_counts_rows_tokens_and_stops(chat_student: Path, dataset: Path, traces: Traces, tmp_path: Path) -> None:
    audit = prepared(chat_student, dataset, tmp_path).audit
    assert (audit.rows, audit.cut, audit.stops) == (4, 0, ["<|im_end|>"])
    assert audit.trained_tokens == sum(len(completion) + 2 for _, completion in traces)
    assert "".join(text for text, trained in audit.example if trained) == f"{traces[0][1]}<|im_end|>\n"


def test_template_that_never_ends_a_turn_stops_the_run(
    make_student: Callable[..., Path], dataset: Path, tmp_path: Path
) -> None:
    student = make_student("{% for message in messages %}" + TURN + "\n{% endfor %}" + ASKING)
    with pytest.raises(CheckFailed, match="4 of 4 rows do not end in a token that stops the student"):
        prepared(student, dataset, tmp_path)


def test_turn_end_that_generation_does_not_know_stops_the_run_until_it_is_named(
    make_student: Callable[..., Path], dataset: Path, tmp_path: Path
) -> None:
    student = make_student(eos="<eos>")  # as a base model whose template is another model's
    with pytest.raises(CheckFailed, match="do not end in a token that stops") as caught:
        prepared(student, dataset, tmp_path)
    assert caught.value.try_[0].startswith("--eos-token")
    ready = prepared(student, dataset, tmp_path, eos_token="<|im_end|>")
    assert ready.audit.stops == ["<|im_end|>"]
    assert (
        load_tokenizer(student).convert_tokens_to_ids("<|im_end|>")
        in ready.trainer.model.generation_config.eos_token_id
    )


def test_row_that_would_be_cut_stops_the_run(chat_student: Path, dataset: Path) -> None:
    spec = SftSpec(str(chat_student), dataset, "wrong", sft_settings(max_length=90))
    with pytest.raises(CheckFailed, match=r"2 of 4 rows are longer than 90 tokens.*the first is row 2"):
        dry_run(spec)


def test_truncation_that_was_asked_for_is_counted(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    ready = prepared(chat_student, dataset, tmp_path, max_length=90, allow_truncation=True)
    assert (ready.audit.rows, ready.audit.cut, ready.audit.longest) == (
        4,
        1,
        90,
    )  # another row lost its last newline, which is no loss


def test_run_with_every_reply_cut_away_is_stopped(chat_student: Path, dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckFailed, match="no row is left to train on"):
        prepared(chat_student, dataset, tmp_path, max_length=10, allow_truncation=True)


def test_template_that_asks_in_other_words_than_it_trains_stops_the_run(
    make_student: Callable[..., Path], dataset: Path, tmp_path: Path
) -> None:
    student = make_student(
        "{% for message in messages %}" + TURN + "<|im_end|>\n{% endfor %}" + ASKING[:-12] + "Hm.{% endif %}"
    )
    with pytest.raises(CheckFailed, match="do not begin with the prompt that eval sends"):
        prepared(student, dataset, tmp_path)


def test_two_bos_tokens_stop_the_run(make_student: Callable[..., Path], dataset: Path, tmp_path: Path) -> None:
    student = make_student(
        "{{ bos_token }}{{ bos_token }}{% for message in messages %}" + TURN + "<|im_end|>\n{% endfor %}" + ASKING
    )
    with pytest.raises(CheckFailed, match="begin with two BOS tokens"):
        prepared(student, dataset, tmp_path)


def test_masked_row_and_trained_prompt_are_told_apart(chat_student: Path) -> None:
    tokens = load_tokenizer(chat_student)
    prompt = [{"role": "user", "content": "Q"}]
    ids = tokens("<|im_start|>user\nQ<|im_end|>\n<|im_start|>assistant\nA<|im_end|>\n")["input_ids"]
    masked = {"prompt": prompt, "input_ids": ids, "labels": [MASKED] * len(ids)}
    unmasked = {"prompt": prompt, "input_ids": ids, "labels": ids}
    with pytest.raises(CheckFailed) as caught:
        audit_rows([masked, unmasked], tokens, [tokens.eos_token_id], limit=None, asked=2)
    assert "1 of 2 rows have no trained token (the first is row 0)" in caught.value.message
    assert "1 of 2 rows train part of the prompt (the first is row 1)" in caught.value.message
