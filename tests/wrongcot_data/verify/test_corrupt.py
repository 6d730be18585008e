"""`corrupt` through the real command line, and `verify`: what is changed, flipped or removed is found and named."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.forgery import Edit, forge_rows
from wrongcot_data.publish.dataset import MANIFEST, content_by_config, rows_by_config
from wrongcot_data.variants.corrupt.levels import LEVELS, wanted

Rows = list[dict[str, Any]]


@pytest.fixture(scope="session")
def corrupted(tmp_path_factory: pytest.TempPathFactory, run) -> Path:
    """A finished data set of 12 puzzles at all levels, never to be written to."""
    out = tmp_path_factory.mktemp("corrupted") / "countdown"
    run("build", "countdown", "--variant", "corrupt", "--variant", "reference", "--limit", 12, "--out", out)
    return out


def forge(folder: Path, config: str, edit: Edit) -> None:
    """Change rows and make every checksum, count and receipt fit again, as a forger would."""
    forge_rows(folder, config, edit)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["rows"], manifest["content"] = rows_by_config(manifest["files"]), content_by_config(manifest["files"])
    receipt = manifest["receipt"]
    lost = receipt["by_variant"][config]["kept"] - manifest["rows"][config]
    if lost:
        for account in (receipt, receipt["by_variant"][config]):
            account["left_out"]["hopeless"] = account["left_out"].get("hopeless", 0) + lost
        receipt["by_variant"][config]["kept"] -= lost
        receipt["kept"][config] -= lost
    (folder / MANIFEST).write_text(json.dumps(manifest))


def test_a_level_is_a_config_whose_rows_are_exactly_as_wrong_as_it_says(corrupted: Path, rows):
    for level in LEVELS:
        for row in rows(corrupted, f"corrupt-{level}"):
            verdicts = Counter(step["verdict"] for step in row["steps"])
            assert row["level"] == level
            assert verdicts["invalid"] == wanted(level, verdicts["invalid"] + verdicts["valid"])
            assert row["answer_kept"] == (row["grade"] == "correct")
            assert row["parent_id"] == f"{row['problem_id']}:reference"


def test_a_problem_has_one_reference_to_corrupt_however_many_traces_are_asked_for(tmp_path: Path, run):
    flags = ["--variant", "corrupt", "--limit", 6, "--per-problem", 3]
    receipt = json.loads(run("build", "countdown", *flags, "--out", tmp_path / "d", "--json").stdout)["receipt"]
    assert {row["asked"] for row in receipt["by_variant"].values()} == {6}
    assert set(receipt["left_out"]) <= {"too few steps can be made wrong"}


def test_the_manifest_says_how_much_of_each_level_is_wrong(corrupted: Path, rows):
    told = json.loads((corrupted / MANIFEST).read_text())["corrupt"]
    for level in LEVELS:
        found = Counter(step["verdict"] for row in rows(corrupted, f"corrupt-{level}") for step in row["steps"])
        count = told[f"corrupt-{level}"]
        assert (count["wrong"], count["of"]) == (found["invalid"], found["invalid"] + found["valid"])
        assert count["share"] == pytest.approx(count["wrong"] / count["of"], abs=1e-4)


def test_level_0_is_the_reference_byte_for_byte(corrupted: Path, rows):
    base = {row["problem_id"]: row["completion"] for row in rows(corrupted, "reference")}
    assert {row["problem_id"]: row["completion"] for row in rows(corrupted, "corrupt-0")} == base


def test_the_same_command_gives_the_same_bytes(corrupted: Path, tmp_path: Path, run):
    run("build", "countdown", "--variant", "corrupt", "--variant", "reference", "--limit", 12, "--out", tmp_path / "d")
    again = json.loads((tmp_path / "d" / MANIFEST).read_text())
    assert again["content"] == json.loads((corrupted / MANIFEST).read_text())["content"]


def test_right_traces_of_a_teacher_are_corrupted_too(tmp_path: Path, scripted, rows, run):
    flags = ["--variant", "corrupt", "--base", "right", "--level", 50, "--limit", 10]
    receipt = scripted(tmp_path / "d", *flags)["receipt"]
    assert receipt["balanced"]
    found = rows(tmp_path / "d", "corrupt-50")
    samples = {row["sample_id"] for row in rows(tmp_path / "d", "samples")}
    assert found
    assert {row["parent_id"] for row in found} <= samples
    assert {row["teacher"] for row in found} == {"scripted"}
    run("verify", tmp_path / "d")


def test_a_true_data_set_passes(corrupted: Path, run):
    assert json.loads(run("verify", corrupted, "--json").stdout)["differences"] == []


def flip_a_label(rows: Rows) -> None:
    step = next(step for step in rows[2]["steps"] if step["verdict"] == "invalid")
    step["verdict"] = "valid"


def forget_an_operator(rows: Rows) -> None:
    next(step for step in rows[2]["steps"] if step["operator"])["operator"] = ""


def blame_another_operator(rows: Rows) -> None:
    next(step for step in rows[2]["steps"] if step["operator"])["operator"] = "typo"


def change_a_number(rows: Rows) -> None:
    step = next(step for step in rows[2]["steps"] if step["verdict"] == "valid")
    text = rows[2]["completion"][0]["content"]
    at = next(at for at in range(step["start"], step["end"]) if text[at] == "=") + 2
    other = "8" if text[at] == "7" else "7"
    rows[2]["completion"][0]["content"] = text[:at] + other + text[at + 1 :]


def remove_a_row(rows: Rows) -> None:
    del rows[2]


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("corrupt-50", flip_a_label, "corrupt-50 row 2 ({id}): steps are not those of the completion"),
        ("corrupt-50", forget_an_operator, "corrupt-50 row 2 ({id}): step"),
        ("corrupt-50", blame_another_operator, "corrupt-50: the row made from {id}:reference is not what"),
        ("corrupt-50", change_a_number, "corrupt-50 row 2 ({id}): "),
        ("corrupt-50", remove_a_row, "corrupt-50: the row made from {id}:reference is missing"),
        ("corrupt-0", remove_a_row, "corrupt-0: the row of {id}:reference is missing"),
        (
            "corrupt-25",
            lambda rows: rows[2].update(level=50),
            "corrupt-25 row 2 ({id}): variant is 'corrupt' and level",
        ),
        ("corrupt-25", lambda rows: rows[2].update(answer_kept=False), "corrupt-25 row 2 ({id}): answer_kept is"),
        ("reference", lambda rows: rows[2].update(level=25), "reference row 2 ({id}): it has the marks"),
    ],
)
def test_what_is_forged_is_found_and_named(corrupted: Path, tmp_path: Path, run, rows, config, edit, named):
    copy = Path(shutil.copytree(corrupted, tmp_path / "copy"))
    name = rows(copy, config)[2]["problem_id"]
    forge(copy, config, edit)
    differences = json.loads(run("verify", copy, "--json", code=1).stdout)["differences"]
    assert any(one.startswith(named.format(id=name)) for one in differences), differences


def test_a_trace_that_is_gone_from_every_level_is_found(corrupted: Path, tmp_path: Path, run, rows):
    copy = Path(shutil.copytree(corrupted, tmp_path / "copy"))
    name = rows(copy, "corrupt-100")[2]["parent_id"]
    for level in LEVELS:
        forge(copy, f"corrupt-{level}", partial(remove_the_row_of, name))
    differences = json.loads(run("verify", copy, "--json", code=1).stdout)["differences"]
    assert f"corrupt-0: the row made from {name} is missing" in differences


def remove_the_row_of(name: str, rows: Rows) -> None:
    rows[:] = [row for row in rows if row["parent_id"] != name]


def test_a_level_0_that_is_not_its_reference_trace_is_found(corrupted: Path, tmp_path: Path, run, rows):
    copy = Path(shutil.copytree(corrupted, tmp_path / "copy"))
    name = rows(copy, "corrupt-0")[2]["parent_id"]
    forge(copy, "reference", lambda rows: rows[2]["completion"][0].update(content="Another way: 1 + 1 = 2"))
    assert f"its parent's text is not that of {name}" in run("verify", copy, code=1).stdout


def test_a_share_that_the_rows_do_not_have_is_found(corrupted: Path, tmp_path: Path, run):
    copy = Path(shutil.copytree(corrupted, tmp_path / "copy"))
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["corrupt"]["corrupt-50"]["wrong"] += 1
    (copy / MANIFEST).write_text(json.dumps(manifest))
    assert "corrupt-50: its rows have " in run("verify", copy, code=1).stdout


def test_an_operator_that_there_is_not_is_named_before_anything_is_built(tmp_path: Path, run):
    flags = ["--variant", "corrupt", "--operator", "slop", "--out", tmp_path / "d"]
    assert "unknown corruption 'slop': did you mean slip?" in run("build", "countdown", *flags, code=2).stderr
    assert not (tmp_path / "d").exists()


@pytest.fixture(scope="session")
def asked(tmp_path_factory: pytest.TempPathFactory, run) -> Path:
    """A finished data set of 10 puzzles whose mistakes a teacher made, never to be written to."""
    out = tmp_path_factory.mktemp("asked") / "countdown"
    flags = ["--operator", "teacher:scripted", "--level", 0, "--level", 50, "--variant", "reference"]
    run("build", "countdown", "--variant", "corrupt", *flags, "--limit", 10, "--out", out)
    return out


def accepted(rows: Rows) -> dict[str, Any]:
    return next(row for row in rows if row["grade"] == "correct")


def change_a_reply(rows: Rows) -> None:
    row = accepted(rows)
    row["completion"] = row["completion"].replace("=", "= 1", 1)


def change_what_was_put(rows: Rows) -> None:
    row = accepted(rows)
    row["answer"] = row["answer"].replace("=", "= 1", 1)


def remove_replies_to_a_step_that_is_used(rows: Rows) -> None:
    row = accepted(rows)
    rows[:] = [one for one in rows if (one["parent_id"], one["step"]) != (row["parent_id"], row["step"])]


@pytest.mark.parametrize(
    ("config", "edit", "named"),
    [
        ("corrupt_samples", change_a_reply, "answer is"),
        ("corrupt_samples", change_what_was_put, "answer is"),
        ("corrupt_samples", lambda rows: accepted(rows).update(grade="wrong"), "grade is 'correct', not 'wrong'"),
        ("corrupt_samples", lambda rows: accepted(rows).update(reason="bad mood"), "reason is 'one mistake', not"),
        ("corrupt_samples", lambda rows: accepted(rows).update(step=17), "step 17 with its step_text is none"),
        ("corrupt_samples", lambda rows: accepted(rows).update(step_text="1 + 1 = 2"), "is none of parent_completion"),
        ("corrupt_samples", lambda rows: accepted(rows).update(parent_id="x"), "parent_id 'x' is not the reference"),
        ("corrupt_samples", lambda rows: accepted(rows).update(teacher="gemma-9b"), "teacher is 'gemma-9b'"),
        (
            "corrupt_samples",
            lambda rows: accepted(rows).update(parent_completion="1 + 1 = 2"),
            "its parent's text is not",
        ),
        ("corrupt_samples", remove_replies_to_a_step_that_is_used, "receipt: corrupt_samples have "),
        ("corrupt_samples", remove_replies_to_a_step_that_is_used, "corrupt-50: the row made from"),
        ("corrupt-50", flip_a_label, "steps are not those of the completion"),
        ("corrupt-50", blame_another_operator, "is not what its level 0 becomes"),
        ("corrupt-50", change_a_number, "corrupt-50: the row made from"),
        ("corrupt-50", remove_a_row, "is missing"),
    ],
)
def test_of_a_teachers_mistakes_too_what_is_forged_is_found(asked: Path, tmp_path: Path, run, config, edit, named):
    copy = Path(shutil.copytree(asked, tmp_path / "copy"))
    forging = forge_rows if config == "corrupt_samples" else forge
    forging(copy, config, edit)
    differences = json.loads(run("verify", copy, "--json", code=1).stdout)["differences"]
    assert any(named in one and one.startswith((config, "receipt", "corrupt-50")) for one in differences), differences


def test_replies_without_a_teacher_are_named(asked: Path, tmp_path: Path, run):
    copy = Path(shutil.copytree(asked, tmp_path / "copy"))
    manifest = json.loads((copy / MANIFEST).read_text())
    del manifest["corruption"]
    (copy / MANIFEST).write_text(json.dumps(manifest))
    differences = json.loads(run("verify", copy, "--json", code=1).stdout)["differences"]
    assert "corrupt_samples: the manifest names no teacher" in differences
    assert "receipt: corrupt_samples without a teacher, or a teacher without corrupt_samples" in differences
