"""Tiny students and tiny data sets, built in code: nothing is fetched. The models are those of `tests/conftest.py`."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROWS = [
    ("Make 6 from 1, 2, 3.", "1 + 2 = 3, 3 + 3 = 6. <answer>1 + 2 + 3</answer>"),
    ("Make 7 from 1, 2, 3.", "2 * 3 = 6, 6 + 1 = 7. <answer>2 * 3 + 1</answer>"),
    ("Make 5 from 1, 2, 3.", "2 * 3 = 6, 6 - 1 = 4. <answer>2 * 3 - 1 + 1</answer>"),
    ("Make 9 from 1, 2, 3.", "1 + 2 = 3, 3 * 3 = 9. <answer>(1 + 2) * 3</answer>"),
]


def save_traces(folder: Path, variants: dict[str, Sequence[tuple[str, str]]]) -> Path:
    """A data set as `wrongcot-data build` lays it out, with the columns that training reads and one it must drop."""
    turns = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    schema = pa.schema([("problem_id", pa.string()), ("prompt", turns), ("completion", turns)])
    card = ["---", "configs:"]
    for variant, pairs in variants.items():
        rows = [
            {
                "problem_id": f"p{number}",
                "prompt": [{"role": "user", "content": prompt}],
                "completion": [{"role": "assistant", "content": completion}],
            }
            for number, (prompt, completion) in enumerate(pairs)
        ]
        (folder / variant).mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / variant / "train-00000-of-00001.parquet")
        card += [
            f"- config_name: {variant}",
            "  data_files:",
            "  - split: train",
            f"    path: {variant}/train-*.parquet",
        ]
    (folder / "README.md").write_text("\n".join([*card, "---", "", "# Traces", ""]))
    (folder / "wrongcot.json").write_text(json.dumps({"spec_hash": "v1:0", "variants": sorted(variants)}))
    return folder


@pytest.fixture(scope="session")
def traces() -> list[tuple[str, str]]:
    """Prompt and completion of four rows."""
    return ROWS


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Path]:
    return save_traces


@pytest.fixture
def make_student(tmp_path: Path, make_tiny_model: Callable[..., Path]) -> Callable[..., Path]:
    """A student as `make_tiny_model` makes it."""
    return partial(make_tiny_model, tmp_path / "student")


@pytest.fixture(scope="session")
def chat_student(tmp_path_factory: pytest.TempPathFactory, make_tiny_model: Callable[..., Path]) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("chat") / "tiny-chat")


@pytest.fixture(scope="session")
def plain_student(tmp_path_factory: pytest.TempPathFactory, make_tiny_model: Callable[..., Path]) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("plain") / "tiny-plain", None)


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_traces(tmp_path_factory.mktemp("data") / "traces", {"wrong": ROWS, "right": ROWS[:2], "reference": []})
