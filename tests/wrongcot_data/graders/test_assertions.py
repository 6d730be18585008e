"""Tests taken apart: what goes into the sandbox and what never does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders.assertions import read_tests

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "mbpp"


@pytest.mark.parametrize(
    ("test", "calls", "expression", "expected"),
    [
        ("assert f(1, 2) == 3", ("f(1, 2)",), "value_0_0 == 3", "3"),
        ("assert set(f([1])) == set([2])", ("f([1])",), "set(value_0_0) == set([2])", ""),
        ("assert not f(1), 'why'", ("f(1)",), "not value_0_0", ""),
        ("assert f(g(1)) == g(2)", ("f(g(1))", "g(2)"), "value_0_0 == value_0_1", ""),
        ("assert math.isclose(f(1), 2.5, rel_tol=0.1)", ("f(1)",), "math.isclose(value_0_0, 2.5, rel_tol=0.1)", ""),
        ("assert f(1)[0] == 'a'", ("f(1)",), "value_0_0[0] == 'a'", ""),
        ("assert A(1).b(2).c == 3", ("A(1).b(2)",), "value_0_0.c == 3", ""),
        ("assert sum(1, 2) == 3", ("sum(1, 2)",), "value_0_0 == 3", "3"),
    ],
)
def test_calls_of_the_program_go_in_and_all_else_stays_outside(test, calls, expression, expected):
    (one,) = read_tests((test,), "").judgements
    assert (one.calls, one.expression, one.expected, one.fault) == (calls, expression, expected, "")


def test_only_imports_of_standard_modules_that_are_used_are_known_to_the_judge():
    setup = "import math\nimport re\nimport candidate_module\nfrom collections import Counter\nx = 1"
    suite = read_tests(("assert math.isclose(f(1), 2)", "assert Counter(f(2)) == {}"), setup)
    assert suite.judge_source.splitlines() == ["import math", "from collections import Counter"]


@pytest.mark.parametrize(
    "test", ["x = 1", "assert x", "assert f(", "assert f(1) == x", "assert f(1); assert f(2)", "\0", "(" * 2000]
)
def test_what_cannot_be_judged_outside_says_why_and_calls_nothing(test):
    (one,) = read_tests((test,), "").judgements
    assert one.fault
    assert not one.calls


@given(st.lists(st.text(max_size=60), max_size=3), st.text(max_size=60))
def test_any_text_is_taken_apart_or_refused(tests, setup):
    assert len(read_tests(tuple(tests), setup).judgements) == len(tests)


def test_every_assertion_of_mbpp_can_be_judged_outside():
    files = sorted(SHARED.glob("*.jsonl"))
    if not files:
        pytest.skip(f"no {SHARED}: the shared data is not beside this checkout")
    count = 0
    for row in (json.loads(line) for file in files for line in file.read_text().split("\n") if line):
        setup = "\n".join([*row.get("test_imports", []), row.get("test_setup_code") or ""])
        suite = read_tests(tuple(row["test_list"]), setup)
        assert not [one.fault for one in suite.judgements if one.fault], row["task_id"]
        count += len(suite.judgements)
    assert count == 3109
