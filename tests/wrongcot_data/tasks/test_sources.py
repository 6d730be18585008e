"""Sources: a file or the Hub, read whole or refused with the number of the line."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.hub import Hub
from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.gsm8k import TASK as GSM8K
from wrongcot_data.tasks.gsm8k import Gsm8kOptions
from wrongcot_data.tasks.math import TASK as MATH
from wrongcot_data.tasks.math import MathOptions
from wrongcot_data.tasks.mbpp import TASK as MBPP
from wrongcot_data.tasks.mbpp import MbppOptions

ADD = {"question": "How many is 2 + 3?", "answer": "2 + 3 = <<2+3=5>>5\n#### 5"}
TAKE = {"question": "How many is 9 - 2?", "answer": "9 - 2 = <<9-2=7>>7\n#### 7"}
SQUARE = {
    "id": "train/algebra/1.json",
    "problem": "What is $3^2$?",
    "level": "Level 1",
    "type": "Algebra",
    "solution": "It is $\\boxed{9}$.",
}
FIRST = {
    "task_id": 601,
    "text": "Write a function to take the first item.",
    "code": "def first(items):\r\n    return items[0]",
    "test_list": ["assert first([1, 2]) == 1", "assert first('ab') == 'a'"],
    "test_setup_code": "",
}

FAULTS = {
    "no question": (GSM8K, [ADD, {"answer": "#### 1"}], "source.jsonl:2: no `question`"),
    "a blank question": (GSM8K, [{**ADD, "question": " "}], ":1: `question` must be text that is not blank"),
    "a question that is a number": (GSM8K, [{**ADD, "question": 5}], ":1: `question` must be text"),
    "an answer without its mark": (GSM8K, [{**ADD, "answer": "5"}], ":1: `answer` has no final line `#### N`"),
    "an answer that is no number": (GSM8K, [{**ADD, "answer": "#### four"}], ":1: `answer` has no final line `#### N`"),
    "a file that is compressed": (GSM8K, [b"\x1f\x8b\x08"], ":1: not UTF-8; a source is JSON Lines"),
    "a pretty-printed list": (GSM8K, [b"[\n", b"{}]\n"], "a source is JSON Lines (one object a line"),
    "the same question twice": (GSM8K, [ADD, TAKE, ADD], ":3: a second time the same problem, after"),
    "a torn line": (GSM8K, [ADD, json.dumps(TAKE)[:30].encode()], ":2: not JSON"),
    "a line in the middle that is no JSON": (GSM8K, [ADD, b"{]\n", TAKE], ":2: not JSON"),
    "a line that is no object": (GSM8K, [b"[1]\n"], ":1: a JSON object a line is wanted, not a list"),
    "a line that is no UTF-8": (GSM8K, [ADD, b'{"question": "\xff"}\n'], ":2: not UTF-8"),
    "nothing": (GSM8K, [], "holds no problems of the split train: no rows"),
    "no solution": (MATH, [{**SQUARE, "solution": None}], ":1: no `solution`"),
    "no level": (MATH, [{key: SQUARE[key] for key in SQUARE if key != "level"}], ":1: no `level`"),
    "an id twice": (MATH, [SQUARE, {**SQUARE, "problem": "What is $9$?"}], ":2: a second time the id train/algebra/1"),
    "an id that is no text": (MATH, [{**SQUARE, "id": 7}], ":1: `id` must be text"),
    "another split only": (MATH, [{**SQUARE, "id": "test/algebra/1.json"}], "of the split train: only test"),
    "a program's id twice": (MBPP, [FIRST, {**FIRST, "text": "Another."}], ":2: a second time the id 601"),
    "no task id": (MBPP, [{**FIRST, "task_id": "601"}], ":1: `task_id` must be an integer"),
    "a task id of no split": (MBPP, [{**FIRST, "task_id": 2000}], ":1: `task_id` 2000 is of no official split"),
    "tests that are no list": (MBPP, [{**FIRST, "test_list": "assert 1"}], ":1: `test_list` must be a list"),
    "no tests": (MBPP, [{**FIRST, "test_list": []}], ":1: `test_list` must be a list of assertions"),
    "a blank program": (MBPP, [{**FIRST, "code": ""}], ":1: `code` must be text"),
    "a setup that is no text": (MBPP, [{**FIRST, "test_setup_code": 3}], ":1: `test_setup_code` must be text"),
}


def options(task, path):
    kind = {"gsm8k": Gsm8kOptions, "math": MathOptions, "mbpp": MbppOptions}[task.name]
    return kind(source=str(path))


@pytest.mark.parametrize("name", FAULTS)
def test_a_source_that_is_not_as_it_must_be_is_refused_with_the_line(name, source):
    task, rows, told = FAULTS[name]
    with pytest.raises(BadInput) as error:
        list(task.problems(options(task, source(*rows)), "train", 0))
    assert told in error.value.message


@pytest.mark.parametrize(
    ("task", "row"), [(GSM8K, ADD), (MATH, SQUARE), (MBPP, FIRST)], ids=lambda value: str(value)[:9]
)
def test_parquet_and_json_lines_give_the_same_problems(task, row, source, tmp_path):
    path = tmp_path / "source.parquet"
    pq.write_table(pa.Table.from_pylist([row]), path)
    from_parquet = list(task.problems(options(task, path), "train", 0))
    assert from_parquet == list(task.problems(options(task, source(row)), "train", 0))
    assert len(from_parquet) == 1


def test_a_file_has_no_revision_and_is_of_the_edition_that_is_said(source):
    path = source(FIRST)
    asked = options(MBPP, path)
    assert (asked.revision, asked.edition) == ("", "")
    with pytest.raises(ValueError, match="a file has no revision"):
        MbppOptions(source=str(path), revision="4bb6")
    with pytest.raises(BadInput, match="not of the edition sanitized"):
        list(MBPP.problems(MbppOptions(source=str(path), edition="sanitized"), "train", 0))
    assert list(MBPP.problems(MbppOptions(source=str(path), edition="full"), "train", 0))


def test_a_source_that_cannot_be_had_keeps_no_other_build_out_of_the_folder(run, source, tmp_path):
    out = tmp_path / "set"
    for task, row in (("gsm8k", b"{"), ("math", SQUARE)):
        path = source(row, name=f"{task}.jsonl")
        flags = ("--teacher", "scripted", "--source", path, "--out", out)
        run("build", task, *flags, code=2 if task == "gsm8k" else 0)


def test_a_reference_that_its_own_grader_does_not_pass_is_left_out_by_reason(run, rows, source, tmp_path):
    broken = [
        {**FIRST, "task_id": 602, "text": "Raise.", "code": "def first(items):\n    raise ValueError"},
        {**FIRST, "task_id": 603, "text": "No Python.", "code": "def first(items) ->"},
    ]
    flags = ("--teacher", "scripted", "--source", source(FIRST, *broken), "--out", tmp_path / "set", "--json")
    told = json.loads(run("build", "mbpp", *flags).stdout)["receipt"]
    assert told["balanced"]
    assert told["by_variant"]["reference"] == {"asked": 3, "kept": 1, "left_out": {"reference trace not correct": 2}}
    assert [row["grade"] for row in rows(tmp_path / "set", "reference")] == ["correct"]
    run("verify", tmp_path / "set")


def test_a_damaged_parquet_file_is_refused(tmp_path):
    path = tmp_path / "source.parquet"
    path.write_bytes(b"PAR1 and then something else PAR1")
    with pytest.raises(BadInput, match="cannot read the source"):
        list(GSM8K.problems(options(GSM8K, path), "train", 0))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        list(GSM8K.problems(options(GSM8K, tmp_path / "none"), "train", 0))


def test_blank_lines_a_byte_order_mark_and_a_last_line_without_an_end_are_no_fault(source):
    path = source(b"\xef\xbb\xbf", ADD, b"\n", json.dumps(TAKE).encode())
    assert len(list(GSM8K.problems(options(GSM8K, path), "train", 0))) == 2


def test_the_seed_decides_the_order_and_nothing_else(source):
    path = source(*({**ADD, "question": f"How many is 2 + 3, in case {n}?"} for n in range(50)))
    first, second = (list(GSM8K.problems(options(GSM8K, path), "train", seed)) for seed in (1, 2))
    assert first != second
    assert {one.id for one in first} == {one.id for one in second}
    assert first == list(GSM8K.problems(options(GSM8K, path), "train", 1))


def test_where_a_file_came_from_is_told_by_name_and_checksum_not_by_its_folder(source, tmp_path):
    told = GSM8K.origin(options(GSM8K, source(ADD)))
    assert told.startswith("source.jsonl, SHA-256 ")
    assert str(tmp_path) not in told


def test_a_source_is_a_flag_and_its_fault_ends_the_build_in_one_line(run, source):
    path = source(ADD, b"{")
    told = run("build", "gsm8k", "--teacher", "scripted", "--source", path, "--dry-run", code=2).stderr
    assert f"{path}:2: not JSON" in told
    assert "the file ends within this line" in told


def test_a_task_that_generates_its_problems_has_no_source(run, source):
    told = run("build", "countdown", "--teacher", "scripted", "--source", source(ADD), code=2).stderr
    assert "countdown makes its own problems; drop --source" in told


CARD = (
    "---\nconfigs:\n- config_name: main\n  data_files:\n"
    "  - split: train\n    path: main/train-*\n  - split: test\n    path: main/test-*\n---\n"
)


@pytest.fixture
def hub(hub: Hub) -> Hub:
    """The Hub with a small GSM8K, at the commit that the task pins."""
    contents = {"README.md": CARD.encode()}
    for split, rows in (("train", [ADD, ADD]), ("test", [TAKE])):
        buffer = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(rows), buffer)
        contents[f"main/{split}-00000-of-00001.parquet"] = buffer.getvalue()
    hub.publish("openai/gsm8k", contents, oid=Gsm8kOptions().revision)
    return hub


def from_hub(endpoint: str, tmp_path: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "wrongcot_data", "build", "gsm8k", "--teacher", "scripted", "--dry-run", "--json"]
    return subprocess.run([*command, *flags], env=env, capture_output=True, text=True, check=False, cwd=tmp_path)


@pytest.mark.parametrize(("split", "question"), [("train", ADD["question"]), ("test", TAKE["question"])])
def test_the_hub_is_asked_for_the_pinned_revision_and_the_official_split(hub, tmp_path, split, question):
    done = from_hub(hub.endpoint, tmp_path, "--split", split)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    pinned = Gsm8kOptions().revision
    assert question in told["prompt"]["messages"][-1]["content"]
    assert {asked.revision for asked in hub.asked if asked.revision} == {pinned}
    assert told["spec"]["problems"] == {"source": None, "revision": pinned}


def test_a_problem_that_the_hub_has_twice_counts_once(hub, tmp_path):
    done = from_hub(hub.endpoint, tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["problems"] == 1


def test_a_hub_that_does_not_answer_is_an_error_with_the_next_step(tmp_path):
    done = from_hub("http://127.0.0.1:9", tmp_path)
    assert done.returncode == 3
    assert "cannot get openai/gsm8k (main, train)" in done.stderr
    assert "--source FILE" in done.stderr
    assert "Traceback" not in done.stderr
