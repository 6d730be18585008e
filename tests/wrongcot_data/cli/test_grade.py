"""`wrongcot-data grade`: every line is graded or named, and nothing of the user's is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.grade import grade_lines
from wrongcot_data.tasks import get_task

RIGHT = {"nums": [1, 2, 3], "target": 7, "completion": "2 * 3 = 6 <answer>2 * 3 + 1</answer>"}
WRONG = {"problem_id": "countdown-1.2.3-7", "completion": "<answer>1 + 2 + 3</answer>", "mine": {"kept": [1, None]}}
PUZZLE = b'"nums": [1, 2, 3], "target": 7'

FAULTS: dict[str, tuple[bytes, str]] = {
    "torn": (b'{"completion": "<answer>1', "not JSON"),
    "foreign": (b"time,loss,step", "not JSON"),
    "not UTF-8": (b'{"completion": "\xff\xfe"}', "not UTF-8"),
    "a list": (b"[1, 2]", "not an object but list"),
    "a bare number": (b"7", "not an object but int"),
    "no completion": (b"{%b}" % PUZZLE, "no `completion`"),
    "a completion that is no text": (b'{"completion": 3, %b}' % PUZZLE, "no `completion`"),
    "chat turns without the assistant": (
        b'{"completion": [{"role": "user", "content": "<answer>1</answer>"}], %b}' % PUZZLE,
        "no `completion`",
    ),
    "an assistant who says a number": (
        b'{"completion": [{"role": "assistant", "content": 3}], %b}' % PUZZLE,
        "no `completion`",
    ),
    "no problem": (b'{"completion": "x"}', "a row needs problem_id, or nums and target"),
    "an id of another task": (b'{"completion": "x", "problem_id": "gsm8k-1"}', "problem_id"),
    "an id and another puzzle": (
        b'{"completion": "x", "problem_id": "countdown-1.2.3-6", %b}' % PUZZLE,
        "is not the puzzle of nums and target",
    ),
    "numbers as text": (b'{"completion": "x", "nums": ["1", "2"], "target": 3}', "nums: a list of integers"),
    "a number out of bounds": (b'{"completion": "x", "nums": [-1, 2], "target": 3}', "nums: every number"),
    "a target that is a float": (b'{"completion": "x", "nums": [1, 2], "target": 3.0}', "target: an integer"),
    "an endless integer": (b'{"completion": "x", "nums": [1], "target": %b}' % (b"9" * 5000), "not JSON"),
    "brackets without an end": (b"[" * 100_000, "not JSON"),
    "brackets in nums": (b'{"completion": "x", "target": 1, "nums": %b%b}' % (b"[" * 900, b"]" * 900), ""),
}


def lines_of(*rows: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def test_each_line_out_is_the_line_in_with_the_verdict_added(tmp_path: Path, run):
    file = tmp_path / "replies.jsonl"
    file.write_bytes(lines_of(RIGHT, WRONG))
    right, wrong = (json.loads(line) for line in run("grade", "countdown", file).stdout.splitlines())
    assert right == {
        **RIGHT,
        "problem_id": "countdown-1.2.3-7",
        "grade": "correct",
        "reason": right["reason"],
        "answer": "2 * 3 + 1",
        "form": "",
        "sandbox": "",
        "steps": right["steps"],
    }
    assert {name: wrong[name] for name in WRONG} == WRONG
    assert (wrong["grade"], wrong["answer"]) == ("wrong", "1 + 2 + 3")
    for row in (right, wrong):
        for step in row["steps"]:
            assert row["completion"][step["start"] : step["end"]] == step["text"]
    assert right["reason"]
    assert wrong["reason"]


def test_verdicts_that_a_line_brings_along_are_replaced(run):
    line = lines_of({**WRONG, "grade": "correct", "reason": "I say so", "answer": "7"})
    row = json.loads(run("grade", "countdown", "-", stdin=line).stdout)
    assert (row["grade"], row["answer"]) == ("wrong", "1 + 2 + 3")


@pytest.mark.parametrize("name", FAULTS)
def test_a_line_that_cannot_be_graded_is_named_and_skipped_and_the_others_are_graded(run, name: str):
    raw, fault = FAULTS[name]
    result = run("grade", "countdown", "-", stdin=lines_of(RIGHT) + raw + b"\n\n" + lines_of(WRONG), code=1)
    grades = [json.loads(line)["grade"] for line in result.stdout.splitlines()]
    assert grades == ["correct", "wrong"]
    named, account = result.stderr.splitlines()
    assert named.startswith("-:2: ")
    assert fault in named
    assert len(named) < 300
    assert account == "2 graded: 1 correct, 1 wrong; 1 lines skipped"


def test_a_cut_off_last_line_is_named(tmp_path: Path, run):
    file = tmp_path / "replies.jsonl"
    file.write_bytes((lines_of(RIGHT) * 3)[:-10])
    result = run("grade", "countdown", file, code=1)
    assert len(result.stdout.splitlines()) == 2
    assert f"{file}:3: not JSON" in result.stderr


def test_json_is_one_object_with_counts_and_rows(run):
    result = json.loads(
        run("grade", "countdown", "-", "--json", stdin=lines_of(RIGHT, WRONG) + b"torn\n", code=1).stdout
    )
    assert (result["graded"], result["grades"], result["skipped"]) == (2, {"correct": 1, "wrong": 1}, 1)
    assert [fault["line"] for fault in result["faults"]] == [3]
    assert [row["grade"] for row in result["rows"]] == ["correct", "wrong"]
    assert "out" not in result


def test_json_with_out_has_the_rows_in_the_file_only(tmp_path: Path, run):
    out = tmp_path / "graded.jsonl"
    result = json.loads(run("grade", "countdown", "-", "--out", out, "--json", stdin=lines_of(RIGHT)).stdout)
    assert result["out"] == str(out)
    assert "rows" not in result
    assert json.loads(out.read_text())["grade"] == "correct"


def test_an_empty_file_is_graded_to_nothing(run):
    assert run("grade", "countdown", "-", stdin=b"\n \n").stdout == ""


def test_chat_turns_are_read_as_what_the_assistant_says(run):
    turns = [{"role": "user", "content": "<answer>1 + 2 + 3</answer>"}]
    turns.append({"role": "assistant", "content": "<answer>2*3+1</answer>"})
    row = json.loads(run("grade", "countdown", "-", stdin=lines_of({**RIGHT, "completion": turns})).stdout)
    assert (row["grade"], row["completion"]) == ("correct", turns)


def test_a_reply_known_to_be_cut_off_is_graded_so(run):
    cut = {**RIGHT, "completion": "2 * 3 = 6, so", "finish_reason": "length"}
    assert json.loads(run("grade", "countdown", "-", stdin=lines_of(cut)).stdout)["grade"] == "truncated"


def test_out_may_not_be_the_file_that_is_read(tmp_path: Path, run):
    file = tmp_path / "replies.jsonl"
    file.write_bytes(lines_of(RIGHT))
    (tmp_path / "link.jsonl").symlink_to(file)
    for out in (file, tmp_path / "link.jsonl"):
        assert "is the file that is read" in run("grade", "countdown", file, "--out", out, code=2).stderr
    assert file.read_bytes() == lines_of(RIGHT)


def test_out_appears_only_when_it_is_whole(tmp_path: Path, run, monkeypatch):
    file, out = tmp_path / "replies.jsonl", tmp_path / "graded.jsonl"
    file.write_bytes(lines_of(RIGHT) * 50)
    out.write_text("of yesterday")

    def fail_at_the_end(*_: object):
        yield from list(grade_lines(get_task("countdown"), file.read_bytes().splitlines()))
        assert out.read_text() == "of yesterday"
        raise KeyboardInterrupt

    monkeypatch.setattr("wrongcot_data.grade.grade_lines", fail_at_the_end)
    run("grade", "countdown", file, "--out", out, code=130)
    assert out.read_text() == "of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["graded.jsonl", "replies.jsonl"]


def test_files_that_cannot_be_read_or_written_are_said_so(tmp_path: Path, run):
    file = tmp_path / "replies.jsonl"
    file.write_bytes(lines_of(RIGHT))
    assert "cannot read" in run("grade", "countdown", tmp_path / "none.jsonl", code=2).stderr
    assert "cannot read" in run("grade", "countdown", tmp_path, code=2).stderr
    assert "cannot write" in run("grade", "countdown", file, "--out", tmp_path / "no" / "folder", code=3).stderr
    assert "cannot write" in run("grade", "countdown", file, "--out", tmp_path, code=3).stderr
    assert "cannot use" in run("grade", "countdown", file, "--out", tmp_path / ("x" * 300), code=3).stderr
    assert "did you mean countdown?" in run("grade", "cuntdown", file, code=2).stderr


def test_a_byte_order_mark_before_the_first_line_is_passed_over(run):
    result = run("grade", "countdown", "-", stdin=b"\xef\xbb\xbf" + lines_of(RIGHT))
    assert json.loads(result.stdout)["grade"] == "correct"


def test_lone_surrogates_and_control_characters_go_through(run):
    hostile = "\ud800 \x00 \u2028 <answer>2*3+1</answer> \udfff"
    row = json.loads(run("grade", "countdown", "-", stdin=lines_of({**RIGHT, "completion": hostile})).stdout)
    assert (row["grade"], row["completion"]) == ("correct", hostile)


JSON_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5)
TURNS = st.lists(st.fixed_dictionaries({"role": JSON_VALUES | st.just("assistant"), "content": JSON_VALUES}))
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "completion": JSON_VALUES | st.text() | TURNS,
        "problem_id": JSON_VALUES | st.just("countdown-1.2.3-7"),
        "nums": JSON_VALUES | st.lists(st.integers(-1, 10), max_size=5),
        "target": JSON_VALUES | st.integers(-1, 10),
        "finish_reason": JSON_VALUES | st.sampled_from(["stop", "length", "error"]),
    },
)  # fmt: skip


@given(st.binary() | st.text().map(str.encode) | ROWS.map(lambda row: json.dumps(row).encode()))
def test_any_line_is_graded_or_named_and_never_raises(line: bytes):
    results = list(grade_lines(get_task("countdown"), [line]))
    assert len(results) == bool(line.strip())
    for result in results:
        assert bool(result.fault) != bool(result.row)
        assert "\n" not in result.fault
        assert not result.row or result.row["reason"]


def test_another_scorer_stands_beside_the_grade(tmp_path: Path, run):
    file = tmp_path / "rows.jsonl"
    rows = [
        {"nums": [2, 3], "target": 8, "completion": "<answer>2**3</answer>"},
        {"nums": [2, 3], "target": 6, "completion": "<answer>2 * 3</answer>\nDone."},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    graded = json.loads(run("grade", "countdown", file, "--scorer", "tinyzero", "--json").stdout)["rows"]
    assert [(row["grade"], row["tinyzero_score"]) for row in graded] == [("wrong", 1.0), ("correct", 0.0)]
    assert "did you mean tinyzero?" in run("grade", "countdown", file, "--scorer", "tinizero", code=2).stderr
