from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_train.data import plain_row, read_traces, trl_rows

Traces = list[tuple[str, str]]


def test_chat_students_get_the_published_rows_as_they_are(dataset: Path, traces: Traces) -> None:
    rows = trl_rows(read_traces(dataset, "wrong").rows, chat=True)
    prompt, completion = traces[0]
    assert rows[0] == {
        "prompt": [{"role": "user", "content": prompt}],
        "completion": [{"role": "assistant", "content": completion}],
    }


def test_students_without_a_template_get_plain_text(dataset: Path, traces: Traces) -> None:
    rows = trl_rows(read_traces(dataset, "wrong").rows, chat=False)
    prompt, completion = traces[0]
    assert rows[0] == {"prompt": prompt + "\n", "completion": completion}


def test_plain_replies_begin_right_after_the_newline() -> None:
    row = plain_row({"prompt": [{"content": "Q"}], "completion": [{"content": "\n  A "}]})
    assert row == {"prompt": "Q\n", "completion": "A "}


def test_unknown_variant_names_the_nearest(dataset: Path) -> None:
    with pytest.raises(BadInput, match="did you mean wrong"):
        read_traces(dataset, "rong")
    with pytest.raises(BadInput, match="known: reference, right, wrong"):
        read_traces(dataset, "paraphrase")


def test_empty_variant_is_an_error_with_the_next_step(dataset: Path) -> None:
    with pytest.raises(BadInput, match="has no rows") as caught:
        read_traces(dataset, "reference")
    assert any("--max-attempts" in hint for hint in caught.value.try_)


def test_folder_without_a_manifest_is_no_data_set(
    tmp_path: Path, traces: Traces, make_dataset: Callable[..., Path]
) -> None:
    folder = make_dataset(tmp_path / "traces", {"wrong": traces})
    (folder / "wrongcot.json").unlink()
    with pytest.raises(BadInput, match=r"it has no wrongcot\.json"):
        read_traces(folder, "wrong")


def test_damaged_files_are_named(tmp_path: Path, traces: Traces, make_dataset: Callable[..., Path]) -> None:
    folder = make_dataset(tmp_path / "traces", {"wrong": traces})
    file = next((folder / "wrong").iterdir())
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(CheckFailed, match="cannot read the files of 'wrong'"):
        read_traces(folder, "wrong")


def test_rebuilt_data_set_is_read_anew(tmp_path: Path, traces: Traces, make_dataset: Callable[..., Path]) -> None:
    folder = make_dataset(tmp_path / "traces", {"wrong": traces})
    before = read_traces(folder, "wrong")
    make_dataset(folder, {"wrong": traces[2:]})
    assert (len(before.rows), len(read_traces(folder, "wrong").rows)) == (4, 2)
