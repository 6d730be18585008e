"""Matched and mixed data sets through the command line, and what `verify` finds where one of them lies."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.forgery import change_rows
from wrongcot_data.publish.dataset import MANIFEST

MIXED = "mix-right-25-wrong-75"


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, scripted) -> Path:
    out = tmp_path_factory.mktemp("matched") / "d"
    scripted(out, "--limit", 60, "--per-problem", 2, "--match", "problems", "--mix", "wrong=0.75,right=0.25")
    return out


@pytest.fixture
def copy(tmp_path: Path, matched: Path) -> Path:
    return Path(shutil.copytree(matched, tmp_path / "copy"))


def test_matched_variants_are_of_the_same_problems_and_the_receipt_says_what_that_cost(matched: Path, rows, run):
    by_variant = {name: Counter(row["problem_id"] for row in rows(matched, name)) for name in ("wrong", "right")}
    assert by_variant["wrong"] == by_variant["right"]
    manifest = json.loads((matched / MANIFEST).read_text())
    assert manifest["receipt"]["balanced"]
    assert manifest["receipt"]["left_out"]["not matched"] > 0
    before, after = manifest["composition"]["before"], manifest["composition"]["after"]
    assert before["wrong"]["success_rate"] < before["right"]["success_rate"]
    assert after["wrong"]["success_rate"] == after["right"]["success_rate"]
    assert "matched to the same problems" in (matched / "README.md").read_text()
    assert json.loads(run("verify", matched, "--json").stdout)["verified"]


def test_a_mix_is_rows_of_its_parts_in_its_shares(matched: Path, rows):
    mix = rows(matched, MIXED)
    parts = {name: rows(matched, name) for name in ("wrong", "right")}
    assert all(row in parts[row["variant"]] for row in mix)
    problems = {name: {row["problem_id"] for row in mix if row["variant"] == name} for name in parts}
    assert not problems["wrong"] & problems["right"]
    total = sum(map(len, problems.values()))
    assert abs(len(problems["wrong"]) - 0.75 * total) <= 0.5


@pytest.mark.parametrize("match", ["size", "tokens"])
def test_matched_in_size_or_tokens(tmp_path: Path, scripted, run, make_tiny_model, match: str):
    tokenizer = make_tiny_model(tmp_path / "student")
    flags = ["--limit", 40, "--match", match, "--tokenizer", tokenizer]
    scripted(tmp_path / "d", *flags)
    after = json.loads((tmp_path / "d" / MANIFEST).read_text())["composition"]["after"]
    if match == "size":
        assert len({one["rows"] for one in after.values()}) == 1
    else:
        totals = [one["tokens"] for one in after.values()]
        assert max(totals) - min(totals) < 500  # less than the shortest row that was left out
        assert len({one["rows"] for one in after.values()}) > 1
    run("verify", tmp_path / "d")


def test_a_second_build_in_the_folder_takes_the_old_mix_away(tmp_path: Path, scripted):
    scripted(tmp_path / "d", "--limit", 20, "--mix", "wrong=1,right=1")
    assert (tmp_path / "d" / "mix-right-50-wrong-50").is_dir()
    scripted(tmp_path / "d", "--limit", 20)
    assert not list((tmp_path / "d").glob("mix-*"))


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("right", lambda rows: rows.pop(7), "is not matched, another variant has no row for it"),
        (MIXED, lambda rows: rows.pop(7), f"{MIXED} row 7"),
        (MIXED, lambda rows: rows[7].update(seed=1), f"{MIXED} row 7"),
        (MIXED, lambda rows: rows.pop(), f"{MIXED}: lacks the row of"),
        (MIXED, lambda rows: rows.append(rows[0]), "has no place in the mix"),
    ],
)
def test_a_row_that_is_gone_or_changed_is_named(copy: Path, run, config: str, edit, named: str):
    change_rows(copy, config, edit)
    assert named in run("verify", copy, "--json", code=1).stdout


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--match", "everything"], "unknown match 'everything'"),
        (["--match", "tokens"], "matching tokens needs a tokenizer"),
        (["--match", "tokens", "--tokenizer", "/nowhere/at/all"], "/nowhere/at/all"),
        (["--mix", "wrong=0.5"], "a mix takes two variants or more"),
        (["--mix", "wrong=0.5,right=-1"], "each with a share above 0"),
        (["--mix", "wrong=1e308,right=1e308"], "each with a share above 0 and up to 1,000,000"),
        (["--mix", "wrong=1,right=2", "--mix", "wrong=2,right=4"], "two mixes have one name"),
        (["--mix", "wrong=0.5,rite=0.5"], "unknown part of a mix 'rite'"),
        (["--mix", "wrong"], "--mix takes NAME=VALUE"),
        (["--mix", "wrong=much,right=1"], "mixes"),
        (["--variant", "wrong", "--mix", "wrong=1,right=1"], "unknown part of a mix 'right'"),
    ],
)
def test_what_cannot_be_matched_or_mixed_is_said_before_anything_is_built(tmp_path: Path, run, flags, told: str):
    result = run("build", "countdown", "--teacher", "scripted", "--out", tmp_path / "d", *flags, code=2)
    assert told in result.stderr
    assert not (tmp_path / "d").exists()
