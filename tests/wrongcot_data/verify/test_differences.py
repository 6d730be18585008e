"""`verify`: one changed value, row or byte anywhere is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forgery import forge_rows
from wrongcot_data.measure.report import REPORT
from wrongcot_data.publish.dataset import MANIFEST
from wrongcot_data.spec import make_spec, spec_hash


@pytest.fixture
def copy(tmp_path: Path, built: Path) -> Path:
    """A data set that may be spoilt."""
    return Path(shutil.copytree(built, tmp_path / "copy"))


def test_a_true_data_set_passes(built: Path, run):
    result = json.loads(run("verify", built, "--json").stdout)
    assert result["verified"] is True
    assert result["differences"] == []


def spoil(name: str, value: object) -> Callable[[list[dict[str, Any]]], None]:
    def edit(rows: list[dict[str, Any]]) -> None:
        rows[3][name] = value

    return edit


def flip_a_step(rows: list[dict[str, Any]]) -> None:
    step = next(step for step in rows[3]["steps"] if step["verdict"] == "valid")
    step["verdict"] = "invalid"


def change_a_number(rows: list[dict[str, Any]]) -> None:
    rows[3]["completion"][0]["content"] = "No. <answer>1 + 1</answer>"


def change_the_prompt(rows: list[dict[str, Any]]) -> None:
    rows[3]["prompt"][0]["content"] += " Be brief."


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("wrong", spoil("grade", "correct"), "grade is 'wrong', not 'correct'"),
        ("wrong", spoil("reason", "bad mood"), "not 'bad mood'"),
        ("wrong", spoil("answer", "1 + 1"), "not '1 + 1'"),
        ("wrong", spoil("target", 7), "row 3"),
        ("wrong", spoil("nums", [1, 2, 3]), "row 3"),
        ("wrong", spoil("problem_id", "countdown-1.2-3"), "row 3"),
        ("wrong", spoil("reference_answer", "0"), "reference_answer is not the problem's"),
        ("wrong", spoil("variant", "right"), "variant is 'right'"),
        ("wrong", spoil("first_invalid_step", 17), "first_invalid_step"),
        ("wrong", spoil("finish_reason", "length"), "truncated"),
        ("wrong", change_a_number, "row 3"),
        ("wrong", spoil("completion", []), "row 3"),
        ("wrong", change_the_prompt, "prompt is not the problem's"),
        ("wrong", spoil("parent_id", "somebody"), "parent_id 'somebody' is no trace of this data set"),
        ("wrong", lambda rows: rows[3].update(parent_id=rows[4]["parent_id"]), "its parent's text is not that of"),
        ("wrong", spoil("task", "gsm8k"), "task is 'gsm8k'"),
        ("wrong", spoil("author", "human"), "author is 'human'"),
        ("wrong", spoil("seed", 1), "is not that of sample"),
        ("wrong", spoil("engine", "vllm 9"), "is not that of sample"),
        ("wrong", spoil("n_tokens", 1), "is not that of sample"),
        ("wrong", spoil("grader_version", "countdown-0"), "grader_version is 'countdown-0'"),
        ("reference", spoil("teacher", "gemma-9b"), "teacher is 'gemma-9b'"),
        ("reference", flip_a_step, "steps are not those of the completion"),
        ("samples", spoil("grade", "disputed"), "not 'disputed'"),
        ("samples", spoil("completion", "nothing"), "row 3"),
        ("samples", spoil("attempt", 77), "attempt is 77"),
    ],
)
def test_a_changed_value_is_found_though_every_checksum_fits(copy: Path, run, config: str, edit, named: str):
    forge_rows(copy, config, edit)
    result = run("verify", copy, code=1)
    assert named in result.stdout
    assert f"{config} row 3" in result.stdout


def test_a_right_row_in_wrong_is_found(copy: Path, run, rows):
    stray = {**rows(copy, "right")[0], "variant": "wrong"}
    forge_rows(copy, "wrong", lambda all_rows: all_rows.__setitem__(3, stray))
    assert "has no place in wrong" in run("verify", copy, code=1).stdout


@pytest.mark.parametrize("edit", [lambda rows: rows.pop(), lambda rows: rows.append(rows[0])])
def test_a_row_too_few_or_twice_is_found(copy: Path, run, edit):
    forge_rows(copy, "wrong", edit)
    assert "receipt: wrong" in run("verify", copy, code=1).stdout


def forge_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    change(manifest)
    manifest["spec_hash"] = spec_hash(make_spec(manifest["spec"]))
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_missing_trace_is_named_though_the_receipt_fits(copy: Path, run, rows):
    lost = rows(copy, "wrong")[3]
    forge_rows(copy, "wrong", lambda all_rows: all_rows.pop(3))
    assert (
        f"wrong: the row of sample {lost['parent_id']} ({lost['problem_id']}) is missing"
        in run("verify", copy, code=1).stdout
    )


def test_a_missing_sample_is_found(copy: Path, run, rows):
    pool = rows(copy, "samples")
    at = next(at for at, row in enumerate(pool[:-1]) if row["problem_id"] == pool[at + 1]["problem_id"])
    forge_rows(copy, "samples", lambda all_rows: all_rows.pop(at))
    assert f"the attempts at {pool[at]['problem_id']} are not" in run("verify", copy, code=1).stdout


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda manifest: manifest["spec"].update(variants=["wrong"]), "which the spec does not ask for"),
        (lambda manifest: manifest["spec"].update(views=[]), "which the spec does not ask for"),
        (lambda manifest: manifest["spec"]["mixes"].append({"right": 1, "wrong": 1}), "which the spec asks for"),
        (lambda manifest: manifest["spec"].update(split="test"), "is not of the spec's split test"),
        (lambda manifest: manifest["spec"].update(match="size"), "match is 'none', but the spec says 'size'"),
        (lambda manifest: manifest["spec"]["sampling"].update(temperature=0.1), "temperature is 0.8, but"),
        (lambda manifest: manifest.update(engines=["vllm 9"]), "engines: the samples have"),
        (lambda manifest: manifest["composition"].update(before={}), "before matching wrong had"),
    ],
)
def test_a_manifest_that_is_not_that_of_its_spec_or_rows_is_found(copy: Path, run, change, named: str):
    forge_manifest(copy, change)
    assert named in run("verify", copy, code=1).stdout


def change_a_label(rows: list[dict[str, Any]]) -> None:
    rows[3]["labels"][0] = not rows[3]["labels"][0]


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("preference", spoil("chosen_answer", "7"), "preference row 3"),
        (
            "preference",
            lambda rows: rows[3].update(rejected=rows[4]["rejected"]),
            "rejected is not that of the variants",
        ),
        ("preference", lambda rows: rows.pop(), "missing"),
        ("stepwise", change_a_label, "labels is not that of the variants' rows"),
        ("stepwise", lambda rows: rows.append(rows[0]), "the variants make no such row"),
        ("stepwise", spoil("kind", "bad mood"), "stepwise row 3"),
    ],
)
def test_a_view_that_is_not_that_of_the_variants_is_found(copy: Path, run, config: str, edit, named: str):
    forge_rows(copy, config, edit)
    assert named in run("verify", copy, code=1).stdout


def test_an_account_of_a_view_that_is_not_that_of_the_variants_is_found(copy: Path, run):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["receipt"]["views"]["stepwise"]["asked"] += 1
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert "receipt: stepwise is" in run("verify", copy, code=1).stdout


def test_a_report_that_is_not_that_of_the_rows_is_found_and_the_number_named(copy: Path, run):
    report = json.loads((copy / REPORT).read_text())
    report["configs"]["wrong"]["steps"]["invalid"] += 1
    report["configs"]["right"]["right_answers"]["with_invalid_step"] = 9
    (copy / REPORT).write_text(json.dumps(report))
    found = run("verify", copy, code=1).stdout
    assert "report.json: configs.wrong.steps.invalid is" in found
    assert "report.json: configs.right.right_answers.with_invalid_step is 9, but the rows make 0" in found


@pytest.mark.parametrize("text", ["", "[]", "[" * 100_000])
def test_a_report_that_cannot_be_read_is_one_line(copy: Path, run, text: str):
    (copy / REPORT).write_text(text)
    assert "report.json: " in run("verify", copy, code=1).stdout


def test_a_changed_byte_anywhere_is_found(copy: Path, run):
    (path,) = (copy / "right").glob("*.parquet")
    spoilt = bytearray(path.read_bytes())
    spoilt[100] ^= 1
    path.write_bytes(spoilt)
    assert "right/train-00000-of-00001.parquet: sha256" in run("verify", copy, code=1).stdout


def test_a_missing_file_and_one_too_many_are_found(copy: Path, run):
    (path,) = (copy / "right").glob("*.parquet")
    path.rename(path.with_name("train-00000-of-00002.parquet"))
    found = run("verify", copy, code=1).stdout
    assert "train-00000-of-00001.parquet: missing" in found
    assert "train-00000-of-00002.parquet: not in the manifest" in found


def test_a_torn_file_is_found_and_the_others_are_still_checked(copy: Path, run):
    forge_rows(copy, "wrong", spoil("grade", "correct"))
    (path,) = (copy / "right").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:500])
    found = run("verify", copy, code=1).stdout
    assert "right/train-00000-of-00001.parquet" in found
    assert "wrong row 3" in found


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("spec_hash", "v1:0000000000000000", "spec_hash"),
        ("grader_version", "countdown-0", "graded by countdown-0"),
        ("rows", {"wrong": 1}, "rows"),
        ("teacher", {"name": "gemma-9b", "revision": "1"}, "teacher is 'scripted', but the manifest says 'gemma-9b'"),
        ("sampling", {"temperature": 0.0}, "sampling is"),
    ],
)
def test_a_changed_manifest_is_found(copy: Path, run, name: str, value: object, named: str):
    manifest = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps({**manifest, name: value}))
    assert named in run("verify", copy, code=1).stdout


@pytest.mark.parametrize(
    ("name", "value"), [("asked", 1), ("kept", {"wrong": 1}), ("left_out", {"lost": 3}), ("balanced", False)]
)
def test_a_receipt_whose_sums_are_not_its_parts_is_found(copy: Path, run, name: str, value: object):
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["receipt"][name] = value
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert f"receipt: {name} is {value}" in run("verify", copy, code=1).stdout


@pytest.mark.parametrize("name", ["samples", "tokens", "prompt_tokens"])
def test_a_receipt_that_counts_replies_otherwise_than_their_rows_do_is_found(copy: Path, run, name: str):
    manifest = json.loads((copy / MANIFEST).read_text())
    told = manifest["receipt"][name]
    manifest["receipt"][name] = {**told, "wrong": told["wrong"] + 1} if name == "samples" else told + 1
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert f"receipt: samples have {name} " in run("verify", copy, code=1).stdout


@pytest.mark.parametrize("text", ["", "{", "[]", '{"spec": 1}'])
def test_a_manifest_that_cannot_be_read_is_one_line(copy: Path, run, text: str):
    (copy / MANIFEST).write_text(text)
    assert "cannot be read" in run("verify", copy, code=2).stderr


def test_a_folder_without_manifest_is_said_so(tmp_path: Path, run):
    assert "it is not a data set of ours" in run("verify", tmp_path, code=2).stderr
