"""Verdicts on programs: values from the sandbox, judged outside; no trick of a program makes it right."""

from __future__ import annotations

import ast
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrongcot_data.graders.code import REASONS, grade
from wrongcot_data.graders.sandbox import ACCEPT, FORCE, LEVELS, Limits, probe

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "mbpp"
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
        ("def double(x):\n    return x * 2 if isinstance(x, int) else iter(x)", "passes every assertion"),
        ("def double(x):\n    return x * 2 if isinstance(x, int) else {1: 0, 2: 0}.keys()", "passes every assertion"),
        ("def double(x):\n    return x * 2.0 if isinstance(x, int) else x", "passes every assertion"),
        (f"```\n{RIGHT}\n```\n```\ndef test():\n    assert double(1) == 2\n```", "passes every assertion"),
        ("def double(x):\n    return float('nan')", "failed assertion 1"),
        ("def double(x):\n    return x * 2 if x == 2 else double(x)", "raised in assertion 2"),
        ("def double(x):\n    return 9**9**9**9", "time-out in assertion 1"),
        ("def double(x):\n    return x\ndouble(double(9**9**9**9))", "time-out"),
        ("def double(x):\n    x.append(4)\n    return 4", "raised in assertion 1"),
        ("def double(x): raise KeyboardInterrupt", "raised in assertion 1"),
        ("raise SystemExit(0)\ndef double(x): return x * 2", "program raised"),
        ("import os\nos._exit(0)\ndef double(x): return x * 2", "exited"),
        (f"{RIGHT}\ndouble.x = [0] * (1 << 40)", "out of memory"),
        (f"{RIGHT}\ninput('x')", "program raised"),
        (f"{RIGHT}\nif __name__ == '__main__':\n    input('x')", "passes every assertion"),
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
    "a class like no other": (
        "class A:\n    __class__ = int\n    def __eq__(s, o): return True\n    def __hash__(s): return 4\n"
        "    def __index__(s): return 4\n    def __iter__(s): return iter([1, 2])\ndef double(x): return A()"
    ),
    "another json": (
        "import json, sys\njson.dumps = lambda *a, **k: '[\"value\", true]'\n"
        "for m in list(sys.modules.values()):\n    for n in ('dumps', 'record', 'encode'):\n"
        "        if hasattr(m, n): setattr(m, n, lambda *a, **k: '[\"value\", true]')\ndef double(x): return 0"
    ),
    "other types": (
        "import collections\nclass A(dict):\n    def __eq__(s, o): return True\n"
        "collections.OrderedDict = collections.Counter = A\ndef double(x): return A()"
    ),
    "looking for what is expected": (
        "import gc\ndef double(x):\n    seen = [o for o in gc.get_objects() if isinstance(o, (list, tuple, dict))]\n"
        "    for o in seen:\n        for v in (o.values() if isinstance(o, dict) else o):\n"
        "            if type(v) is str and 'assert' in v and 'double(2)' in v: return int(v.split('==')[1])\n    return -1"
    ),
    "its arguments changed": "def double(x):\n    x += x if isinstance(x, list) else 0\n    return x",
    "a value that is never still": (
        "class A(list):\n    n = 0\n    def __iter__(s):\n        A.n += 1\n        return iter([A.n])\n"
        "    def __eq__(s, o): return True\ndef double(x): return A()"
    ),
    "a number of another mind": (
        "from fractions import Fraction\nclass B:\n    def __eq__(s, o): return True\n    numerator = denominator = 1\n"
        "Fraction.numerator = Fraction.denominator = property(lambda s: B())\nFraction.__eq__ = lambda s, o: True\n"
        "def double(x): return Fraction(1, 3)"
    ),
    "a number that cannot be compared": "from decimal import Decimal\ndef double(x): return Decimal('sNaN')",
    "other dunders": "import builtins\nbuiltins.__build_class__ = None\nbuiltins.print = exit\ndef double(x): return None",
    "a longer reply than asked": (
        "import json, os, struct\ndef double(x):\n    for told in [['ran']] + [['value', 4], ['value', 10]] * 9 + [['end']]:\n"
        "        data = json.dumps(told).encode()\n        for n in range(3, 64):\n"
        "            try: os.write(n, struct.pack('>I', len(data)) + data)\n            except OSError: pass\n    os._exit(0)"
    ),
    "the shown test only": "def double(x): return 4",
    "another value each time": "n = [0]\ndef double(x):\n    n[0] += 1\n    return [4, 4, 4][n[0] - 1]",
}


@pytest.fixture(params=[*LEVELS, "none"])
def level(request, monkeypatch):
    monkeypatch.setenv(ACCEPT, "1")
    if request.param != "none" and (fault := probe(request.param)):
        pytest.skip(f"{request.param} does not hold here: {fault}")
    monkeypatch.setenv(FORCE, request.param)
    return request.param


def test_limits_hold_and_are_named_in_every_level(level):
    for source, reason in (
        ("def double(x):\n    while True: pass", "time-out in assertion 1"),
        ("def double(x): return [0] * 10**10", "out of memory in assertion 1"),
        ("def double(x): return x * 2", "passes every assertion"),
    ):
        verdict = grade(TESTS, "", source, "stop", FAST)
        assert (verdict.reason, verdict.sandbox) == (reason, level)


@pytest.mark.parametrize("hack", HACKS)
def test_no_hack_passes(hack, level):
    verdict = grade(TESTS, "", HACKS[hack], "stop", FAST)
    assert (verdict.grade, verdict.sandbox) == ("wrong", level)


OUTSIDE = {
    "what the setup computes": (
        "assert f(3) == squares(3)",
        "def squares(n):\n    return sum(i * i for i in range(n))",
    ),
    "what the setup says": ("assert f(3) == expected", "expected = 5"),
    "a method of a plain value": ("assert f(3).startswith('ab')", ""),
    "an imported function": ("assert isclose(f(3), 5)", "from math import *"),
    "a comparison in the setup": ("assert same(f(3), 5)", "def same(a, b):\n    return a == b"),
}
CHEAT = """import builtins, math
builtins.sum = builtins.isinstance = lambda *a, **k: 7
math.isclose = lambda *a, **k: True
class Any:
    def __eq__(self, other): return True
    def startswith(self, other): return True
    def __float__(self): return 5.0
def f(x):
    for name in ("expected", "squares"):
        try:
            found = globals()[name]
            return found if name == "expected" else found(x)
        except KeyError: pass
    return Any()
"""


@pytest.mark.parametrize("what", OUTSIDE)
def test_what_a_verdict_needs_is_out_of_the_programs_reach(what):
    test, setup = OUTSIDE[what]
    assert grade([test], setup, CHEAT, "stop", FAST).grade == "wrong"


@pytest.mark.parametrize("what", OUTSIDE)
def test_and_a_right_program_passes(what):
    right = "def f(x): return 'abc'" if "plain" in what else "def f(x): return 5"
    assert grade([OUTSIDE[what][0]], OUTSIDE[what][1], right, "stop", FAST).grade == "correct"


@pytest.mark.parametrize(
    ("program", "setup", "reason"),
    [
        ("def f(x): return 1", "import no_such_module_at_all", "setup failed by itself"),
        ("def f(x): return 1", "root = Node(3)", "setup raised"),
        ("def f(x): return y\nf(1)", "root = Node(3)", "program raised"),
        ("def f(x): return 1\ndef Node(n): return n", "root = Node(3)", "passes every assertion"),
        ("def f(x): return 1", "def (", "cannot judge assertion 1"),
    ],
)
def test_who_is_to_blame_where_the_setup_does_not_run(program, setup, reason):
    assert grade(["assert f(1) == 1"], setup, program, "stop", FAST).reason == reason


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("def f(x): return 1", "passes every assertion"),
        ("def f(x): return 1 if x == 1 else y", "cannot judge assertion 1"),
        ("def f(x): return 2", "passes every assertion"),
        ("def f(x): return 3", "failed assertion 1"),
        ("def f(x): return y", "raised in assertion 1"),
    ],
)
def test_a_call_that_the_assertion_might_skip_is_not_held_against_the_program(program, reason):
    assert grade(["assert f(1) == 1 or f(2) == 2"], "", program, "stop", FAST).reason == reason


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
    "test", ["assert x == 1", "print(f(1))", "assert all(f(y) == y for y in (1, 2))", "f(", "assert f(1) == g"]
)
def test_an_assertion_that_cannot_be_judged_outside_is_never_passed(test):
    verdict = grade(["assert f(1) == 1", test], "z = 1", "def f(x): return x", "stop")
    assert (verdict.grade, verdict.reason) == ("error", "cannot judge assertion 2")
    assert grade(["assert f(1) == 2", test], "z = 1", "def f(x): return x", "stop").reason == "failed assertion 1"


@pytest.mark.parametrize(
    ("finish", "reply", "reason"),
    [
        ("error", RIGHT, "the request failed"),
        ("length", RIGHT, "cut off in its program"),
        ("length", f"```\n{RIGHT}", "cut off in its program"),
        ("length", f"```\n{RIGHT}\n```\nThis", "cut off after its program"),
        ("length", "First, I", "cut off before a program"),
        ("unknown", f"```\n{RIGHT}", "fence never closed"),
    ],
)
def test_a_reply_that_did_not_finish_is_not_run(finish, reply, reason):
    verdict = grade(TESTS, "", reply, finish)
    assert (verdict.reason, verdict.grade, verdict.sandbox) == (reason, REASONS[reason], "")


@pytest.mark.parametrize(("finish", "reply"), [("stop", f"```\n{RIGHT}"), ("unknown", RIGHT)])
def test_a_reply_that_may_well_have_finished_is_run(finish, reply):
    assert grade(TESTS, "", reply, finish).grade == "correct"


def test_what_no_assertion_could_skip_is_held_against_the_program_all_the_same():
    program = "def f(x):\n    return 1 // (x - 2)"
    tests = ["assert (f(1) == 5 or f(2) == 1) == f(2)"]
    assert grade(tests, "", program, "stop", FAST).reason == "raised in assertion 1"
    slow = "def f(x):\n    while x == 2: pass\n    return x"
    assert grade(["assert f(1) == 1 or f(2) == 2", "assert f(3) == 3"], "", slow, "stop", FAST).grade == "error"


HOSTILE = [
    *(
        "\0",
        "\ud800",
        "def f(:\0",
        "def double(x): return '\ud800'",
        "def double(x): return 4\0",
        "def double(x): \x0c",
    ),
    *("```python\n" + "(" * 5000, "x" * 10_000_000, "def f():\n" * 20_000, "def double(x): return " + "(" * 90_000),
    "def double(x): return " + "-" * 90_000 + "1",
    "def double(x): return x" + ".a" * 45_000,
    "def double(x): return " + "lambda:" * 12_000 + "1",
    "def double(x): return [" * 199 + "9**9**9",
    "def double(x): return " + "1+" * 45_000 + "1",
    "def double(x): return (1 << 10**10) if x else '' * 10**12 + 'x' * 10**10",
    "double = lambda x: " + "[" * 50 + "x" + "]" * 50,
    "def double(x): return __import__('sys').setrecursionlimit(10**9) or double(x)",
    "def double(x):\n    y = []\n    for _ in range(100_000): y = [y]\n    return y",
    "def double(x):\n    y = []\n    y.append(y)\n    return y",
    "def double(x): return 'x' * 5_000_000",
    "def double(x): return range(10**18)",
    "def double(x): return 10**100_000",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_text_gets_a_grade_and_a_reason(text):
    verdict = grade(TESTS, "", text, "stop", FAST)
    assert verdict.reason
    assert verdict.grade in {"no_answer", "wrong"}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.text(max_size=200),
        st.binary(max_size=200).map(lambda data: data.decode(errors="surrogateescape")),
        st.text(alphabet="def double(x):\n`return*2 []{}'\\0", max_size=80).map(lambda body: "def double(x):" + body),
    )
)
def test_grading_never_raises_and_never_passes_noise(text):
    assert grade(TESTS, "", text, "stop", FAST).grade in {"no_answer", "wrong"}


def rows() -> list[dict[str, object]]:
    """All rows of MBPP that are here, their tests and their setup under the same names."""
    files = sorted(SHARED.glob("*.jsonl"))
    if not files:
        pytest.skip(f"no {SHARED}: the shared data is not beside this checkout")
    found = [json.loads(line) for file in files for line in file.read_text().split("\n") if line]
    for row in found:
        row["setup"] = "\n".join([*row.get("test_imports", []), row.get("test_setup_code") or ""])
    return found


def test_every_human_program_of_mbpp_is_correct():
    def one(row):
        tests = [*row["test_list"], *row.get("challenge_test_list", [])]
        return row["task_id"], grade(tests, row["setup"], row["code"], "stop").reason

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(one, rows()))
    assert len(told) == 1022
    assert not [(number, reason) for number, reason in told if reason != "passes every assertion"]


def test_many_threads_grade_as_one_does():
    """CPython 3.11 mixes up the depths of syntax trees that two threads build at once."""
    reply = (
        "def f(x):\n"
        + "".join(f"    y{n} = [[[[({n},)]]]], {{{n}: ({n} + x) * (x - {n})}}\n" for n in range(300))
        + "    return x"
    )
    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(lambda n: grade([f"assert f({n}) == {n}"], "", reply, "stop").reason, range(60)))
    assert set(told) == {"passes every assertion"}


class Spoil(ast.NodeTransformer):
    """Changes one thing: a constant by one, a comparison to its opposite, or what is returned to None."""

    SWAPS: ClassVar = {
        ast.Lt: ast.GtE,
        ast.GtE: ast.Lt,
        ast.Gt: ast.LtE,
        ast.LtE: ast.Gt,
        ast.Eq: ast.NotEq,
        ast.NotEq: ast.Eq,
    }

    def __init__(self, kind: str, at: int) -> None:
        self.kind, self.at, self.seen = kind, at, 0

    def chosen(self) -> bool:
        self.seen += 1
        return self.seen - 1 == self.at

    def visit_Constant(self, node):
        if self.kind == "constant" and type(node.value) is int and self.chosen():
            return ast.Constant(node.value + 1)
        return node

    def visit_Compare(self, node):
        self.generic_visit(node)
        if self.kind == "comparison" and type(node.ops[0]) in self.SWAPS and self.chosen():
            node.ops[0] = self.SWAPS[type(node.ops[0])]()
        return node

    def visit_Return(self, node):
        self.generic_visit(node)
        return ast.Return(ast.Constant(None)) if self.kind == "return" else node


def spoilt(source: str, kind: str, random: Random) -> str | None:
    """A program with one thing changed; None where there is none of its kind."""
    counter = Spoil(kind, -1)
    counter.visit(ast.parse(source))
    if not counter.seen and kind != "return":
        return None
    return ast.unparse(Spoil(kind, random.randrange(counter.seen) if counter.seen else 0).visit(ast.parse(source)))


def test_programs_made_to_return_nothing_are_wrong():
    def one(row):
        program = spoilt(row["code"], "return", Random(0))
        tests = row["test_list"]
        return row["task_id"], tests, grade(tests, row["setup"], program, "stop").grade

    with ThreadPoolExecutor(2) as threads:
        told = list(threads.map(one, rows()[::5]))
    for number, tests, got in told:
        expects_nothing = all(test.rstrip(") ").endswith("None") or test.startswith("assert not ") for test in tests)
        assert got == ("correct" if expects_nothing else "wrong"), number


@pytest.mark.parametrize(
    ("judgement", "reason"),
    [("sum(map(sum, [f(3)] * 10**6)) == 1", "time-out in assertion 1"),
     ("len(str(f(3)) * 10**9) == 1", "out of memory in assertion 1")],
)  # fmt: skip
def test_a_value_that_the_judge_cannot_bear_makes_its_assertion_fail(judgement, reason):
    program = "def f(x):\n    return [1] * 100_000"
    verdict = grade([f"assert {judgement}"], "", program, "stop", FAST)
    assert (verdict.grade, verdict.reason) == ("wrong", reason)
