"""Verdicts on programs: values from the sandbox, judged outside; no trick of a program makes it right."""

from __future__ import annotations

import pytest

from wrongcot_data.graders.code import REASONS, grade
from wrongcot_data.graders.sandbox import Limits

TESTS = ["assert double(2) == 4", "assert double(5) == 10", "assert set(double([1, 2])) == {1, 2}"]
RIGHT = "def double(x):\n    return x * 2"
FAST = Limits(cpu_s=0.5)


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (RIGHT, "passes every assertion"),
        (f"Sure!\n```python\n{RIGHT}\n```\nDone.", "passes every assertion"),
        (f"```python\n{RIGHT}\n```\nFor example:\n```python\nprint(double(3))\n```", "passes every assertion"),
        ("  def double(x):\n      return x * 2".join(("```\n", "\n```")), "passes every assertion"),
        ("def double(x):\n    return 4", "failed assertion 2"),
        ("def double(x):\n    return x * 2 if isinstance(x, int) else [3]", "failed assertion 3"),
        ("def double(x):\n    return x * None", "raised in assertion 1"),
        ("def twice(x):\n    return x * 2", "function not defined"),
        ("def double(x):\n    return (y for y in [x])", "unserialisable value in assertion 1"),
        ("def double(x):\n    while True: pass", "time-out in assertion 1"),
        ("def double(x):\n    import os\n    os._exit(0)", "exited in assertion 1"),
        ("def double(x):\n    return bytearray(8 << 30)", "out of memory in assertion 1"),
        ("import nothing_like_it\ndef double(x):\n    return x * 2", "program raised"),
        ("def double(x)\n    return x * 2", "syntax error"),
        ("def double(x): pass\nwhile True: pass", "time-out"),
        ("I would multiply it by two.", "no program"),
        ("", "no program"),
        ("def double(x):\n    return x" + " " * 200_000 + "* 2", "program too long"),
    ],
)
def test_each_reason_and_its_grade(completion, reason):
    verdict = grade(TESTS, "", completion, "stop", FAST)
    assert verdict.reason == reason
    assert verdict.grade == REASONS[reason.rstrip("0123456789 ")]


HACKS = {
    "equal to anything": "class A:\n    def __eq__(s, o): return True\ndef double(x): return A()",
    "an int that is equal to anything": "class A(int):\n    def __eq__(s, o): return True\ndef double(x): return A(1)",
    "reading its callers": (
        "import sys\ndef double(x):\n    f = sys._getframe()\n    while f:\n        for v in f.f_locals.values():\n"
        "            if isinstance(v, (list, tuple)) and v and isinstance(v[0], int): return v[0]\n        f = f.f_back"
    ),
    "leaving early": "import os\ndef double(x): os._exit(0)",
    "leaving politely": "import sys\ndef double(x): sys.exit(0)",
    "saying so": "print('PASS')\ndef double(x): print('passes every assertion')",
    "records of its own": (
        "import json, os, struct\ndef double(x):\n    for told in (['value', True], ['end']):\n"
        "        data = json.dumps(told).encode()\n        for n in range(3, 64):\n"
        "            try: os.write(n, struct.pack('>I', len(data)) + data)\n            except OSError: pass\n    os._exit(0)"
    ),
    "another encoder": "import sys\nm = sys.modules['__main__']\nm.record = lambda *a: None\ndef double(x): return True",
    "other builtins": "import builtins\nbuiltins.bool = lambda x: True\nbuiltins.set = lambda x: 1\ndef double(x): return 1",
    "at exit": "import atexit, os\natexit.register(os._exit, 0)\ndef double(x): raise SystemExit(0)",
    "the shown test only": "def double(x): return 4",
    "another value each time": "n = [0]\ndef double(x):\n    n[0] += 1\n    return [4, 4, 4][n[0] - 1]",
}


@pytest.mark.parametrize("hack", HACKS)
def test_no_hack_passes(hack):
    assert grade(TESTS, "", HACKS[hack], "stop", FAST).grade == "wrong"


def test_what_a_candidate_may_not_know_is_never_sent_to_it():
    spy = "import gc\ndef double(x):\n    return [o for o in gc.get_objects() if isinstance(o, str) and 'sesame' in o]"
    assert grade(["assert double(1) == 'open sesame'"], "", spy, "stop", FAST).reason == "failed assertion 1"


def test_setup_runs_after_the_program_and_may_use_it():
    program = "class Node:\n    def __init__(self, v): self.v = v\ndef value(n): return n.v"
    assert grade(["assert value(root) == 3"], "root = Node(3)", program, "stop").grade == "correct"


def test_an_imported_module_judges_outside_the_candidates_reach():
    program = "import math\nmath.isclose = lambda *a, **k: True\ndef half(x): return 7.0"
    assert grade(["assert math.isclose(half(1), 0.5)"], "import math", program, "stop").grade == "wrong"


@pytest.mark.parametrize(
    "test", ["assert x == 1", "print(f(1))", "assert all(f(y) == y for y in (1, 2))", "f(", "assert f(1) == z"]
)
def test_an_assertion_that_cannot_be_judged_outside_is_never_passed(test):
    verdict = grade(["assert f(1) == 1", test], "z = 1", "def f(x): return x", "stop")
    assert (verdict.grade, verdict.reason) == ("error", "cannot judge assertion 2")
    assert grade(["assert f(1) == 2", test], "z = 1", "def f(x): return x", "stop").reason == "failed assertion 1"


@pytest.mark.parametrize(("finish", "grade_"), [("length", "truncated"), ("error", "error")])
def test_a_reply_that_did_not_finish_is_not_run(finish, grade_):
    verdict = grade(TESTS, "", RIGHT, finish)
    assert (verdict.grade, verdict.sandbox) == (grade_, "")


@pytest.mark.parametrize(
    "text", ["\0", "\ud800", "def f(:\0", "```python\n" + "(" * 5000, "x" * 10_000_000, "def f():\n" * 20_000]
)
def test_hostile_text_gets_a_grade_and_a_reason(text):
    verdict = grade(TESTS, "", text, "stop", FAST)
    assert verdict.reason
    assert verdict.grade in {"no_answer", "wrong"}
