"""Paraphrase builds by the scripted paraphraser, through the real command line: accounted for, killed, verified."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forgery import forge_rows
from tests.wrongcot_data.variants.builds import Command, built, stored
from wrongcot_data.publish.dataset import MANIFEST


@pytest.mark.parametrize("task", ["countdown", "gsm8k", "math", "mbpp"])
@pytest.mark.parametrize("of", ["reference", "wrong"])
def test_every_task_has_its_traces_rewritten_and_the_set_verifies(
    tmp_path: Path, run, rows, command: Command, task: str, of: str
):
    out = tmp_path / "d"
    receipt = built(run, command(task, out, "--variant", "paraphrase", "--variant", of, "--of", of, count=12))
    assert receipt["balanced"]
    assert receipt["kept"]["paraphrase"] > 0
    account = receipt["by_variant"]["paraphrase"]
    assert account["asked"] == 12 == account["kept"] + sum(account["left_out"].values())
    run("verify", out)
    parents = {row["parent_id"] or f"{row['problem_id']}:reference": row for row in rows(out, of)}
    for row in rows(out, "paraphrase"):
        base = parents[row["parent_id"]]
        text = base["completion"][0]["content"]
        assert row["parent_completion"] == text
        assert row["completion"][0]["content"] != text
        assert row["prompt"] == base["prompt"]
        assert (row["grade"], row["author"], row["teacher"]) == (base["grade"], "model", "scripted")
        assert row["prompt_template"] == "paraphrase/chat-zero@1"
        assert 0.2 <= row["overlap"] < 0.9
    assert {row["overlap"] for row in rows(out, of)} == {0.0}


def test_every_attempt_is_accounted_for_and_every_missing_row_has_a_reason(tmp_path: Path, run, rows, command: Command):
    out = tmp_path / "d"
    flags = ["--variant", "paraphrase", "--max-attempts", 2, "--give-up-below", 0, "--per-problem", 2]
    receipt = built(run, command("gsm8k", out, *flags))
    samples = rows(out, "paraphrase_samples")
    told = receipt["paraphrase_samples"]
    assert told["replies"] == len(samples)
    assert told["accepted"] == sum(row["grade"] == "correct" for row in samples)
    reasons = Counter(
        "the request failed" if row["grade"] == "error" else row["reason"].partition(":")[0]
        for row in samples
        if row["grade"] != "correct"
    )
    assert told["refused"] == dict(reasons)
    left = receipt["by_variant"]["paraphrase"]["left_out"]
    assert set(left) <= {*reasons, "only duplicates left"}
    assert receipt["samples"] == {}  # the reference needs no teacher but the paraphraser
    assert not (out / "samples").exists()


def test_a_wrong_trace_that_is_not_there_is_a_row_left_out(tmp_path: Path, run, command: Command):
    never = ["--engine-option", "wrong=0", "--engine-option", "right=0.8"]
    receipt = built(run, command("countdown", tmp_path / "d", "--variant", "paraphrase", "--of", "wrong", *never))
    assert receipt["by_variant"]["paraphrase"]["left_out"] == {"no trace to paraphrase": 24}
    run("verify", tmp_path / "d")


def test_the_same_command_again_asks_for_nothing_and_another_limit_only_for_what_is_new(
    tmp_path: Path, run, rows, command: Command
):
    out, flags = tmp_path / "d", ["--variant", "paraphrase", "--ask-ahead", 2, "--give-up-below", 0]
    built(run, command("countdown", out, *flags))
    first, n_stored = rows(out, "paraphrase_samples"), stored(out)
    built(run, command("countdown", out, *flags, "--engine-option", "latency_ms=100000"))  # a request would hang
    assert rows(out, "paraphrase_samples") == first
    built(run, command("countdown", out, *flags, count=36))
    assert rows(out, "paraphrase_samples")[: len(first)] == first
    assert stored(out) == len(rows(out, "paraphrase_samples")) > n_stored == len(first)


def test_kills_in_either_stage_cost_no_row_and_double_none(tmp_path: Path, run, rows, killed, command: Command):
    flags = ["--variant", "wrong", "--variant", "paraphrase", "--of", "wrong", "--engine-option", "capacity=16"]
    built(run, command("countdown", tmp_path / "whole", *flags, count=150))
    out = tmp_path / "killed"
    slow = command("countdown", out, *flags, "--engine-option", "latency_ms=60", count=150)
    killed(slow, 6, 1.5, 5)
    built(run, command("countdown", out, *flags, count=150))
    for config in ("wrong", "paraphrase", "samples", "paraphrase_samples"):
        assert rows(out, config) == rows(tmp_path / "whole", config), config
    run("verify", out)


def test_a_token_budget_holds_for_both_stages_together(tmp_path: Path, run, command: Command):
    flags = ["--variant", "paraphrase", "--of", "wrong", "--max-tokens-total", 6000]
    receipt = built(run, command("countdown", tmp_path / "d", *flags, count=60))
    spare = receipt["spare"]["tokens"] + receipt["paraphrase_samples"]["spare"]["tokens"]
    assert receipt["tokens"] + receipt["paraphrase_samples"]["tokens"] + spare <= 6000
    assert receipt["left_out"]["token budget used up"] > 0


def test_a_dry_run_tells_of_the_rewritings(tmp_path: Path, run, command: Command):
    args = command("countdown", tmp_path / "d", "--variant", "paraphrase", "--per-problem", 2, "--dry-run")
    plan = json.loads(run(*args, "--json").stdout)
    assert plan["replies"] == {"least": 0, "most": 0}
    about = {"paraphraser": "scripted", "of": "reference", "least": 48, "most": 192, "cannot_run_here": ""}
    assert plan["rewritings"] == about
    assert "reference traces by scripted: 48 to 192 replies more" in run(*args).stdout


def test_the_rewritings_on_which_the_others_are_given_up_are_in_the_data_set(
    tmp_path: Path, run, rows, command: Command
):
    rates = {"right": 0, "wrong": 1, "truncated": 0, "malformed": 0, "failure": 0}
    never = [flag for name, rate in rates.items() for flag in ("--engine-option", f"{name}={rate}")]
    out = tmp_path / "d"
    receipt = built(run, command("gsm8k", out, "--variant", "reference", "--variant", "paraphrase", *never))
    assert receipt["kept"]["paraphrase"] == 0
    asked = rows(out, "paraphrase_samples")
    assert {row["problem_id"] for row in asked} == {row["problem_id"] for row in rows(out, "reference")}
    assert "hopeless" not in receipt["by_variant"]["paraphrase"]["left_out"]  # each has a refusal to tell of


def test_a_greedy_paraphraser_is_asked_once(tmp_path: Path, run, command: Command):
    flags = ["--variant", "reference", "--variant", "paraphrase", "--temperature", 0, "--give-up-below", 0]
    receipt = built(run, command("gsm8k", tmp_path / "d", *flags))
    assert receipt["paraphrase_samples"]["replies"] == 24


def test_only_a_model_with_weights_is_a_student(tmp_path: Path, run, command: Command):
    args = command("countdown", tmp_path / "d", "--variant", "paraphrase", "--paraphraser", "self:scripted")
    assert "has no weights to train" in run(*args, code=2).stderr
    args = command("countdown", tmp_path / "d", "--variant", "paraphrase", "--paraphraser", "self:smollm2-135")
    assert "did you mean smollm2-135m?" in run(*args, code=2).stderr


def _spoil(name: str, value: object) -> Callable[[list[dict[str, Any]]], None]:
    return lambda rows: rows[2].__setitem__(name, value)


def _change_a_number(rows: list[dict[str, Any]]) -> None:
    turn = rows[2]["completion"][0]
    turn["content"] = turn["content"].replace("12", "13", 1)


def _copy_the_base(rows: list[dict[str, Any]]) -> None:
    rows[2]["completion"][0]["content"] = rows[2]["parent_completion"]


def _change_both(rows: list[dict[str, Any]]) -> None:
    rows[2]["parent_completion"] += "\n"


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("paraphrase", _spoil("overlap", 0.5), "overlap is"),
        ("paraphrase", _spoil("grade", "wrong"), "not 'wrong'"),
        ("paraphrase", _spoil("parent_id", "somebody"), "parent_id 'somebody'"),
        ("paraphrase", _spoil("parent_completion", "Another trace.\n#### 1"), "its parent's text is not"),
        ("paraphrase", _spoil("teacher", "gemma-9b"), "teacher is 'gemma-9b'"),
        ("paraphrase", _spoil("prompt_template", "gsm8k/chat-zero@1"), "prompt_template is"),
        ("paraphrase", _change_a_number, "no paraphrase: "),
        ("paraphrase", _copy_the_base, "no paraphrase: near copy"),
        ("paraphrase", _change_both, "its parent's text is not that of"),
        ("paraphrase", lambda rows: rows.pop(), "receipt: paraphrase"),
        ("paraphrase", lambda rows: rows.pop(3), "paraphrase: the row of attempt"),
        ("paraphrase", _spoil("seed", 7), "is not that of its rewriting"),
        ("paraphrase", _spoil("attempt", 77), "no build would take attempt 77 at"),
        ("paraphrase_samples", _spoil("grade", "disputed"), "not 'disputed'"),
        ("paraphrase_samples", _spoil("reason", "bad mood"), "not 'bad mood'"),
        ("paraphrase_samples", lambda rows: rows.pop(), "receipt: paraphrase_samples have replies"),
        ("reference", _spoil("overlap", 0.5), "belong to paraphrases only"),
    ],
)
def test_verify_finds_what_is_no_paraphrase_though_every_checksum_fits(
    spoilt: Path, run, config: str, edit: Callable[[list[dict[str, Any]]], None], named: str
):
    forge_rows(spoilt, config, edit)
    assert named in run("verify", spoilt, code=1).stdout


def test_verify_counts_the_refusals_of_a_receipt_again(spoilt: Path, run):
    manifest = json.loads((spoilt / MANIFEST).read_text())
    manifest["receipt"]["paraphrase_samples"]["refused"] = {"bad mood": 1}
    (spoilt / MANIFEST).write_text(json.dumps(manifest))
    assert "receipt: paraphrase_samples have refused {'bad mood': 1}" in run("verify", spoilt, code=1).stdout


@pytest.fixture
def spoilt(tmp_path: Path, run, command: Command) -> Path:
    """A data set that may be spoilt."""
    out = tmp_path / "d"
    built(run, command("gsm8k", out, "--variant", "reference", "--variant", "paraphrase", count=8))
    return out
