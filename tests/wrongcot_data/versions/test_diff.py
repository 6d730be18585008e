"""What became of a data set: rows by what they are rows of, columns, grades, and how large a change it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.forgery import change_rows
from wrongcot_data.publish.manifest import read_manifest
from wrongcot_data.versions.diff import NAMED, dataset_diff, rows_diff, spec_changes

COLUMNS = ("problem_id", "parent_id", "grade", "reason", "completion")
Rows = list[dict[str, Any]]


def row(number: int, grade: str = "wrong", text: str = "") -> dict[str, Any]:
    return {
        "problem_id": f"p{number // 2}",
        "parent_id": f"s{number}",
        "grade": grade,
        "reason": "wrong value",
        "completion": [{"role": "assistant", "content": text or f"trace {number}"}],
    }


ROWS = st.dictionaries(st.integers(0, 40), st.tuples(st.sampled_from(["wrong", "correct"]), st.text(max_size=5)))


@given(ROWS, ROWS, st.randoms())
def test_every_row_is_added_removed_changed_or_the_same_wherever_it_stands(old: Any, new: Any, rng: Any):
    before, after = ([row(number, *told) for number, told in one.items()] for one in (old, new))
    rng.shuffle(after)
    found = rows_diff(before, after, COLUMNS)
    changed = {number for number in old.keys() & new.keys() if old[number] != new[number]}
    assert (found.before, found.after) == (len(old), len(new))
    assert found.added == len(new.keys() - old.keys())
    assert found.removed == len(old.keys() - new.keys())
    assert found.changed == len(changed)
    assert found.columns["grade"] == sum(old[number][0] != new[number][0] for number in changed)
    assert found.regraded.total() == found.columns["grade"]


def test_the_rows_of_a_data_set_and_itself_do_not_differ():
    rows = [row(number) for number in range(9)]
    assert rows_diff(rows, rows, COLUMNS).to_json()["columns"] == {}


def test_rows_of_one_identity_are_told_apart_by_their_order():
    found = rows_diff([row(1), row(1, text="b")], [row(1), row(1, text="c"), row(1)], COLUMNS)
    assert (found.changed, found.added, found.removed) == (1, 1, 0)


def test_no_more_rows_are_named_than_anybody_reads():
    found = rows_diff([], [row(number) for number in range(99)], COLUMNS)
    assert (found.added, len(found.named["added"])) == (99, NAMED)


@given(st.dictionaries(st.text("abc", min_size=1), st.integers() | st.dictionaries(st.text("xy"), st.integers())))
def test_a_spec_and_itself_do_not_differ(spec: dict[str, Any]):
    assert spec_changes(spec, spec) == {}


def test_fields_of_groups_are_named_as_on_the_command_line():
    assert spec_changes({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "d": 4}) == {
        "a.b": (1, 3),
        "c": (2, None),
        "d": (None, 4),
    }


@pytest.fixture
def pair(tmp_path: Path, scripted) -> tuple[Path, Path]:
    """A data set, and another one that may be spoilt."""
    for name in ("old", "new"):
        scripted(tmp_path / name, "--limit", 6)
    return tmp_path / "old", tmp_path / "new"


def size_of(old: Path, new: Path, **changes: Any) -> str | None:
    after = {**read_manifest(new), **changes}
    if not changes:
        after["content"] = {name: f"{content}+" for name, content in after["content"].items()}
    return dataset_diff(old, new, read_manifest(old), after).change.size


def regrade(rows: Rows) -> None:
    rows[0].update(grade="correct", reason="right value")


@pytest.mark.parametrize(
    ("edit", "size"),
    [(lambda rows: None, None), (lambda rows: rows.pop(), "major"), (regrade, "major"),
     (lambda rows: rows.append({**rows[0], "parent_id": "another"}), "minor")],
)  # fmt: skip
def test_the_rows_decide_how_large_a_change_is_and_not_their_bytes(pair, edit: Callable[[Rows], Any], size: str | None):
    change_rows(pair[1], "wrong", edit)
    assert size_of(*pair) == size


@pytest.mark.parametrize("changes", [{"schema_version": 99}, {"grader_version": "countdown-99"}])
def test_other_rules_are_a_major_change(pair, changes: dict[str, Any]):
    assert size_of(*pair, **changes) == "major"


def test_a_variant_that_is_gone_is_a_major_change(pair):
    manifest = read_manifest(pair[1])
    rows = {name: count for name, count in manifest["rows"].items() if name != "right"}
    content = {name: one for name, one in manifest["content"].items() if name != "right"}
    assert size_of(*pair, rows=rows, content=content) == "major"


def test_diff_prints_one_page_and_json(pair, run):
    change_rows(pair[1], "wrong", regrade)
    manifest = json.loads((pair[1] / "wrongcot.json").read_text())
    manifest["content"]["wrong"] = "sha256:another"
    manifest["spec"]["limit"] = 7
    (pair[1] / "wrongcot.json").write_text(json.dumps(manifest))
    told = run("diff", *pair).stdout
    assert "major" in told
    assert "limit: 6 -> 7" in told
    assert "wrong: 6 -> 6 rows: 0 added, 0 removed, 1 changed" in told
    assert "changed in: grade (1), reason (1)" in told
    assert "1 rows: wrong: " in told
    found = json.loads(run("diff", *pair, "--json").stdout)
    assert found["configs"]["wrong"]["regraded"][0]["to"] == "correct: right value"
    assert found["spec"] == {"limit": {"from": 6, "to": 7}}


def test_a_torn_file_is_one_line(pair, run):
    change_rows(pair[1], "wrong", regrade)
    (path,) = (pair[1] / "wrong").glob("*.parquet")
    path.write_bytes(path.read_bytes()[:100])
    manifest = json.loads((pair[1] / "wrongcot.json").read_text())
    manifest["content"]["wrong"] = "sha256:another"
    (pair[1] / "wrongcot.json").write_text(json.dumps(manifest))
    assert "cannot compare them" in run("diff", *pair, code=2).stderr
