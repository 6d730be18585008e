"""Which views a build writes, and that they are part of what it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wrongcot_data.plan import make_plan
from wrongcot_data.spec import make_spec, spec_hash

TASK = {"task": "countdown", "teacher": "scripted"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("preference", "stepwise")),
        ({"variants": ["reference", "wrong"]}, ()),
        ({"variants": ["wrong"], "views": ["stepwise"]}, ("stepwise",)),
        ({"views": ["stepwise", "preference"]}, ("preference", "stepwise")),
        ({"views": []}, ()),
    ],
)
def test_the_spec_of_a_build_names_the_views_it_writes(fields: dict[str, object], expected: tuple[str, ...]):
    assert make_plan(make_spec({**TASK, **fields})).spec.views == expected


def test_views_by_default_and_by_name_are_the_same_build():
    by_name = make_plan(make_spec({**TASK, "views": ["stepwise", "preference"]}))
    assert spec_hash(make_plan(make_spec(TASK)).spec) == spec_hash(by_name.spec)


def test_a_view_without_its_variants_is_refused_with_what_to_type(run):
    result = run("build", "countdown", "--teacher", "scripted", "--variant", "wrong", "--view", "preference", code=2)
    assert "the view preference needs the variants right and wrong; without: right" in result.stderr
    assert "try:  --variant wrong --variant right" in result.stderr


def test_views_are_in_the_receipt_and_balance(built: Path, rows):
    receipt = json.loads((built / "wrongcot.json").read_text())["receipt"]
    assert receipt["balanced"]
    for name, account in receipt["views"].items():
        assert account["kept"] == len(rows(built, name)) > 0
        assert account["asked"] == account["kept"] + sum(account["left_out"].values())
    assert receipt["views"]["stepwise"]["asked"] == sum(receipt["kept"].values())


def test_every_pair_is_a_right_and_a_wrong_sample_of_one_problem(built: Path, rows):
    pool = {row["sample_id"]: row for row in rows(built, "samples")}
    for row in rows(built, "preference"):
        chosen, rejected = pool[row["chosen_id"]], pool[row["rejected_id"]]
        assert (chosen["grade"], rejected["grade"]) == ("correct", "wrong")
        assert chosen["problem_id"] == rejected["problem_id"] == row["problem_id"]
        assert chosen["completion"].strip() == row["chosen"][0]["content"]


def test_views_that_are_no_longer_asked_for_are_taken_away(tmp_path: Path, scripted, run):
    out = tmp_path / "d"
    scripted(out, "--limit", 5)
    assert (out / "preference").is_dir()
    receipt = scripted(out, "--limit", 5, "--view", "none")["receipt"]
    assert receipt["views"] == {}
    assert not (out / "preference").exists()
    assert not (out / "stepwise").exists()
    run("verify", out)


def test_show_prints_the_rows_of_a_view(built: Path, run):
    assert "chosen" in run("show", built, "--variant", "preference", "-n", 1).stdout
    assert "\n+ " in run("show", built, "--variant", "stepwise", "-n", 1).stdout
