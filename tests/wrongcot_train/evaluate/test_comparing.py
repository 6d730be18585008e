"""Evals with several replies an item, compared: by the share of an item that is right."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from wrongcot_data.errors import BadInput, CheckFailed
from wrongcot_train.cli import main
from wrongcot_train.compare import compare, read_groups
from wrongcot_train.evaluate import ANSWERED, EvalSpec, evaluate, prepare
from wrongcot_train.evaluate.reading import read_run

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """An eval of the scripted student, as often right as it is said."""

    def one(name: str, right: float, samples: int, limit: int = 40, **changes: Any) -> Path:
        rates = {"right": right, "wrong": 0.9 - right, "truncated": 0.05, "malformed": 0.05, "failure": 0.0}
        asked: dict[str, Any] = {"temperature": 0.8, "engine_options": rates, **changes}
        spec = EvalSpec("scripted", "countdown", engine="scripted", limit=limit, samples=samples, **asked)
        evaluate(prepare(spec), tmp_path / name, lambda done: None)
        return tmp_path / name

    return one


def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["problem_id"]: row for row in pq.read_table(folder / "items.parquet").to_pylist()}


def compared(*folders: Path, **options: Any) -> dict[str, Any]:
    return compare(read_groups({folder.name: [folder] for folder in folders}), **options)


def test_the_difference_is_that_of_the_item_means(make: Make) -> None:
    weak, strong = make("weak", 0.2, 4), make("strong", 0.5, 4, seed=0)
    told = compared(weak, strong, flips=1)
    (one,) = told["comparisons"]
    a, b = rows(weak), rows(strong)
    means = {name: fmean(b[name]["correct"]) - fmean(a[name]["correct"]) for name in a}
    assert one["strict"]["difference"] == pytest.approx(fmean(means.values()))
    assert (one["strict"]["gained"], one["strict"]["lost"]) == (
        sum(value > 0 for value in means.values()),
        sum(value < 0 for value in means.values()),
    )
    assert one["strict"]["low"] < one["strict"]["difference"] < one["strict"]["high"]
    assert (one["strict"]["test"], one["strict"]["interval"], one["strict"]["odds"]) == (
        "sign flips",
        "bootstrap",
        None,
    )
    assert any(
        "the share that is right is compared: by sign flips, not McNemar's test" in note for note in told["notes"]
    )
    scores = [group["runs"][0]["strict"] for group in told["groups"]]
    assert [score["n"] for score in scores] == [160, 160]
    assert [score["value"] for score in scores] == [
        fmean(fmean(row["correct"]) for row in one.values()) for one in (a, b)
    ]
    gained = next(flip for flip in one["flips"] if flip["flip"] == "gained")
    assert gained["b"]["grade"] == "correct"
    assert gained["a"]["grade"] != "correct"


def test_answered_by_both_is_of_the_replies_with_an_answer(make: Make) -> None:
    weak, strong = make("weak", 0.2, 4), make("strong", 0.5, 4)
    (one,) = compared(weak, strong)["comparisons"]

    def mean(row: dict[str, Any]) -> float:
        answered = [right for right, grade in zip(row["correct"], row["grade"], strict=True) if grade in ANSWERED]
        return fmean(answered)

    a, b = rows(weak), rows(strong)
    both = [name for name in a if all(set(row[name]["grade"]) & ANSWERED for row in (a, b))]
    assert one["answered"]["n"] == len(both)
    assert one["answered"]["difference"] == pytest.approx(fmean(mean(b[name]) - mean(a[name]) for name in both))


def test_another_number_of_replies_is_told_and_compared(make: Make) -> None:
    told = compared(make("two", 0.3, 2), make("six", 0.3, 6))
    assert any(note.startswith("replies an item differ") for note in told["notes"])
    assert [group["runs"][0]["samples"] for group in told["groups"]] == [2, 6]


def test_one_reply_each_is_mcnemars_test_as_ever(make: Make) -> None:
    told = compared(make("one", 0.2, 1), make("other", 0.6, 1))
    assert told["comparisons"][0]["strict"]["test"] == "exact McNemar"
    assert told["notes"] == []


def test_greedy_and_drawn_replies_are_not_compared_unasked(make: Make) -> None:
    greedy, drawn = make("greedy", 0.3, 1, temperature=None), make("drawn", 0.3, 4)
    with pytest.raises(BadInput, match="temperature differs"):
        compared(greedy, drawn)
    told = compared(greedy, drawn, allow=["temperature", "top_p"])
    assert told["comparisons"][0]["strict"]["test"] == "sign flips"


def test_runs_of_several_replies_each_are_groups_as_any(make: Make) -> None:
    folders = {
        name: [make(f"{name}{n}", rate, 3, seed=0, top_p=0.9) for n in (1, 2)]
        for name, rate in (("a", 0.2), ("b", 0.5))
    }
    told = compare(read_groups(folders))
    assert told["groups"][1]["strict"] > told["groups"][0]["strict"]
    assert all(len(group["runs"]) == 2 for group in told["groups"])


def test_items_that_do_not_give_the_score_are_refused(make: Make) -> None:
    folder = make("one", 0.3, 3)
    score = json.loads((folder / "score.json").read_text())
    score["strict"]["correct"] += 1
    (folder / "score.json").write_text(json.dumps(score))
    with pytest.raises(CheckFailed, match="do not give the score"):
        read_run(folder)


def test_the_command_reads_them(make: Make) -> None:
    done = CliRunner().invoke(main, ["compare", str(make("weak", 0.2, 4)), str(make("strong", 0.5, 4))])
    assert done.exit_code == 0, done.output
    assert "/160" in done.stdout
    assert "sign flips" in done.stdout
