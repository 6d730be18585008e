"""`wrongcot-data grade` for the tasks with questions and programs, inline, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

SUM = {"question": "How many is 2 + 3?", "reference_answer": "5"}
FIRST = {"question": "Take the first item.", "test_list": ["assert first([1, 2]) == 1", "assert first('ab') == 'a'"]}

LINES = {
    "gsm8k": [
        ({**SUM, "completion": "2 + 3 = 5\nThe final answer is $5$."}, "correct", "same number"),
        ({**SUM, "completion": "2 + 3 = 6\nThe final answer is $6$."}, "wrong", "another number"),
        ({**SUM, "completion": "2 + 3", "finish_reason": "length"}, "truncated", "cut off before an answer"),
    ],
    "math": [
        ({**SUM, "reference_answer": "x+1", "completion": r"\boxed{1 + x}"}, "correct", "equal by both graders"),
        ({**SUM, "reference_answer": "x+1", "completion": r"\boxed{x - 1}"}, "wrong", "different by both graders"),
    ],
    "mbpp": [
        ({**FIRST, "completion": "def first(items):\n    return items[0]"}, "correct", "passes every assertion"),
        ({**FIRST, "completion": "def first(items):\n    return 1"}, "wrong", "failed assertion 2"),
        ({**FIRST, "completion": "def first(items)\n    return 1"}, "no_answer", "syntax error"),
    ],
}


@pytest.mark.parametrize("task", LINES)
def test_inline_problems_are_graded_in_their_order_with_steps(task, run):
    stdin = b"".join(json.dumps(row).encode() + b"\n" for row, _, _ in LINES[task])
    graded = [json.loads(line) for line in run("grade", task, "-", stdin=stdin).stdout.splitlines()]
    found = [(row["grade"], row["reason"]) for row in graded]
    assert found == [(grade, reason) for _, grade, reason in LINES[task]]
    for row in graded:
        assert row["steps"]
        for step in row["steps"]:
            assert row["completion"][step["start"] : step["end"]] == step["text"]


def test_a_false_equation_is_named_in_the_steps(run):
    line = json.dumps({**SUM, "completion": "2 + 3 = 6\nThe final answer is $6$."}).encode()
    row = json.loads(run("grade", "gsm8k", "-", stdin=line).stdout)
    assert [step["kind"] for step in row["steps"]] == ["false equation", ""]


@pytest.mark.parametrize(
    ("task", "row", "told"),
    [
        ("gsm8k", {"question": "?"}, "no `reference_answer`"),
        ("mbpp", {"question": "?"}, "no `test_list`"),
        ("mbpp", {**FIRST, "test_list": "assert 1"}, "`test_list` must be a list"),
        ("math", {"problem_id": "math-1"}, "no `question`: a problem of this task cannot be found"),
    ],
)
def test_a_line_without_its_problem_is_skipped_by_number_and_field(task, row, told, run):
    stdin = json.dumps({**row, "completion": "5"}).encode()
    result = run("grade", task, "-", stdin=stdin, code=1)
    assert f"-:1: {told}" in result.stderr


def grade_without_sandbox(*flags):
    env = {**os.environ, "WRONGCOT_SANDBOX": "none"}
    command = [sys.executable, "-m", "wrongcot_data", "grade", "mbpp", "-", *flags]
    line = json.dumps(LINES["mbpp"][0][0])
    return subprocess.run(command, env=env, input=line, capture_output=True, text=True, check=False)


def test_without_a_sandbox_no_program_is_run_and_the_next_step_is_told():
    done = grade_without_sandbox()
    assert done.returncode == 3
    assert done.stdout == ""
    assert "model-written code is not run" in done.stderr
    assert "--accept-unsafe-exec" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_run_without_a_sandbox_says_so():
    done = grade_without_sandbox("--accept-unsafe-exec")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["grade"], row["sandbox"]) == ("correct", "none")
