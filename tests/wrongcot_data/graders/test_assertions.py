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
        ("assert not f(1), 'why'", ("f(1)",), "not value_0_0", ""),
        ("assert f(g(1)) == g(2)", ("f(g(1))", "g(2)"), "value_0_0 == value_0_1", ""),
        ("assert math.isclose(f(1), 2.5, rel_tol=0.1)", ("f(1)",), "math.isclose(value_0_0, 2.5, rel_tol=0.1)", ""),
        ("assert f(1) == f(2) == -3", ("f(1)", "f(2)"), "value_0_0 == value_0_1 == -3", ""),
        ("assert f(1)[0] == 'a'", ("f(1)",), "value_0_0[0] == 'a'", ""),
        ("assert sum(1, 2) == 3", ("sum(1, 2)",), "value_0_0 == 3", "3"),
        ("assert select([1]) == 1", ("select([1])",), "value_0_0 == 1", "1"),
        ("assert math.isclose(sum(1, 2), 3)", ("sum(1, 2)",), "math.isclose(value_0_0, 3)", ""),
        # what only iterates is given a list, which a generator can become inside
        ("assert set(f([1])) == set([2])", ("[*f([1])]",), "set(value_0_0) == set([2])", ""),
        ("assert sorted(f(1), reverse=True) == [1]", ("[*f(1)]",), "sorted(value_0_0, reverse=True) == [1]", ""),
        ("assert all(x > 0 for x in f(1))", ("[*f(1)]",), "all((x > 0 for x in value_0_0))", ""),
        ("assert len(f(1)) == 1", ("f(1)",), "len(value_0_0) == 1", ""),
        (
            "assert max(f(1), key=lambda p: p[1]) == (1, 2)",
            ("[*f(1)]",),
            "max(value_0_0, key=lambda p: p[1]) == (1, 2)",
            "",
        ),
        # objects of the program stay inside; what is asked of a plain value is asked outside
        ("assert A(1).b(2).c == 3", ("A(1).b(2).c",), "value_0_0 == 3", "3"),
        ("assert f(1).val == 3", ("f(1).val",), "value_0_0 == 3", "3"),
        ("assert f(1)[0].next.val == 3", ("f(1)[0].next.val",), "value_0_0 == 3", "3"),
        ("assert make(3)(4)[0] == 7", ("make(3)(4)",), "value_0_0[0] == 7", ""),
        ("assert f(lambda x: x == 2) == [2]", ("f(lambda x: x == 2)",), "value_0_0 == [2]", "[2]"),
        ("assert Stack().pop() == 3", ("Stack().pop()",), "value_0_0 == 3", "3"),
        ("assert f(1).startswith('ab')", ("f(1)",), "value_0_0.startswith('ab')", ""),
        ("assert A().f(1).startswith('ab')", ("A().f(1)",), "value_0_0.startswith('ab')", ""),
        ("assert f(1).group().upper() == 'A'", ("f(1).group()",), "value_0_0.upper() == 'A'", ""),
    ],
)
def test_calls_of_the_program_go_in_and_all_else_stays_outside(test, calls, expression, expected):
    (one,) = read_tests((test,), "").judgements
    assert (one.calls, one.expression, one.expected, one.fault) == (calls, expression, expected, "")


@pytest.mark.parametrize(
    "test",
    [
        "x = 1",
        "assert x",
        "assert f(",
        "assert f(1) == x",
        "assert f(1); assert f(2)",
        "assert (f(1) == 2, 'always true')",
        "assert all(f(x) == x for x in (1, 2))",
        "assert (lambda: f(1))() == 1",
        "assert (y := f(1)) == y",
        "assert await f(1)",
        "assert np.allclose(f(1), 2.0)",
        "assert True",
        "\0",
        "(" * 2000,
        "assert f(1) == " + "-" * 50_000 + "1",
        "assert f(1)" + ".a" * 40_000,
        "assert f(1) == " + "x" * 200_000,
    ],
)
def test_what_cannot_be_judged_outside_says_why_and_calls_nothing(test):
    (one,) = read_tests((test,), "").judgements
    assert one.fault
    assert not one.calls


SETUP = """import math
from collections import Counter
expected = [1, 2]
limit = 3
factor = 4
def squares(n):
    return [x * factor for x in range(n)]
root = Node(limit)
root.left = Node(4)
def run(x):
    return solve(x, limit)
"""


@pytest.mark.parametrize(
    ("test", "calls", "expression"),
    [
        ("assert f(1) == expected", ("f(1)",), "value_0_0 == expected"),
        ("assert f(1) == squares(2)", ("f(1)",), "value_0_0 == squares(2)"),
        ("assert Counter(f(1)) == Counter(expected)", ("f(1)",), "Counter(value_0_0) == Counter(expected)"),
        ("assert f(root) == 3", ("f(root)",), "value_0_0 == 3"),
        ("assert root.value == 3", ("root.value",), "value_0_0 == 3"),
        ("assert run(1) == 3", ("run(1)",), "value_0_0 == 3"),
    ],
)
def test_the_setup_judges_outside_with_all_that_needs_no_program(test, calls, expression):
    (one,) = read_tests((test,), SETUP).judgements
    assert (one.calls, one.expression, one.fault) == (calls, expression, "")


def test_what_only_the_judge_needs_is_not_told_to_the_program():
    suite = read_tests(("assert f(1) == squares(2)", "assert f(root) == 3"), SETUP)
    assert "squares" not in suite.setup
    assert "squares" in suite.judge_source
    assert "factor" not in suite.setup
    assert "limit = 3" in suite.setup  # `Node(limit)` needs it
    assert "Node" not in suite.judge_source


def test_only_imports_that_are_used_are_run_for_the_judge():
    setup = "import math\nimport re\nfrom collections import Counter\nx = 1"
    suite = read_tests(("assert math.isclose(f(1), 2)", "assert Counter(f(2)) == {}"), setup)
    assert suite.judge_source.splitlines() == ["import math", "from collections import Counter"]
    assert suite.setup == setup


@pytest.mark.parametrize(
    ("test", "setup"),
    [
        ("assert check(1)", "def check(x):\n    return f(x) == 2"),
        ("assert check(1) == True", "def check(x):\n    return math.isclose(f(x), 2)"),
        ("assert result", "result = f(1)"),
        ("assert result == 1", "result = int(f(1) == 2)"),
        ("assert f(1) == 2", "from nothing_listed import *"),
        ("assert f(1) == 2", "def ("),
    ],
)
def test_no_verdict_is_made_where_the_program_runs(test, setup):
    (one,) = read_tests((test,), setup).judgements
    assert one.fault


@pytest.mark.parametrize(
    ("test", "skippable"),
    [
        ("assert f(1) and f(2)", ()),
        ("assert f(1) == f(2) == f(3)", ()),
        ("assert f(1) or f(2)", (1,)),
        ("assert not (f(1) and f(2))", (1,)),
        ("assert f(1) if f(2) else f(3)", (0, 2)),
    ],
)
def test_calls_that_may_be_skipped_are_known(test, skippable):
    (one,) = read_tests((test,), "").judgements
    assert not one.fault
    assert {one.calls[at] for at in one.skippable} == {f"f({at + 1})" for at in skippable}


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
        suite = read_tests((*row["test_list"], *row.get("challenge_test_list", [])), setup)
        assert not [one.fault for one in suite.judgements if one.fault], row["task_id"]
        count += len(suite.judgements)
    assert count == 2172 + 16 + 937


def test_an_assertion_over_a_name_of_a_test_that_is_none_is_not_judged():
    first, second, third = read_tests(("candidate = f", "assert candidate(1) == 3", "assert f(2) == 4"), "").judgements
    assert first.fault
    assert second.fault == "candidate gets its meaning in a test that is no assertion"
    assert not third.fault
