"""No verdict is the program's own, and none is given that differs from what plain Python says."""

from __future__ import annotations

import pytest

from wrongcot_data.graders.code import grade
from wrongcot_data.graders.sandbox import Limits

FAST = Limits(cpu_s=0.5)

ANY = (
    "class A:\n    def __eq__(s, o): return True\n    def __ne__(s, o): return False\n    def __hash__(s): return 77\n"
    "    def equals(s, o): return True\n    def differs(s, o): return False\n    def pick(s, o): return o\n"
    "    def __add__(s, o): return s\n    def __radd__(s, o): return 77\n    def __lt__(s, o): return True\n"
    "def f(*x): return A()\n"
)
TELL = "def f(x):\n    found = globals()['expected']\n    return found if isinstance(found, int) else found.get(x, 77)"
UNSEEN = {
    # the first builtin that is given the function would compare inside
    "all": ("assert all(a == b for a, b in zip(map(f, [1, 2]), [77, 88]))", "", ANY),
    "another all": (
        "assert all(a == b for a, b in zip(map(f, [1]), [77]))",
        "",
        "def f(x): return 0\ndef all(x): return True",
    ),
    "any": ("assert any(x == 77 for x in map(f, [3]))", "", ANY),
    "bool": ("assert bool(R == 77)", "", ANY + "R = A()"),
    "max": ("assert max(R, 77) == 77", "", ANY + "R = A()"),
    # what is bound in other ways than by `name = ...`
    "an annotation": ("assert f(1) == expected", "expected: int = 77", TELL),
    "a tuple": ("assert f(data) == expected", "data, expected = 1, 77", TELL),
    "one more": ("assert f(1) == expected", "expected = 70\nexpected += 7", TELL),
    "a part": ("assert f('a') == expected['a']", "expected = {}\nexpected['a'] = 77", TELL),
    "a method": ("assert f('a') == expected['a']", "expected = {}\nexpected.update(a=77)", TELL),
    "a loop": ("assert f(1) == expected[1]", "expected = {}\nfor i in range(3):\n    expected[i] = 77", TELL),
    "a branch": ("assert f(1) == expected", "if True:\n    expected = 77", TELL),
    "a helper that fills": (
        "assert f(1) == expected[1]",
        "expected = {}\ndef fill():\n    expected[1] = 77\nfill()",
        TELL,
    ),
    "a copy": ("assert f(1) == expected", "expected = 77\ncopy = expected", TELL),
    # what a call needs too
    "cases": ("assert f(expected[0]) == expected[1]", "expected = {0: 5, 1: 77}", TELL),
    "cases by a function": (
        "assert f(expected[0]) == want(1)",
        "expected = {0: 5, 1: 77}\ndef want(n): return expected[n]",
        TELL,
    ),
    "a reference": ("assert f(ref, 1) == ref(1)", "def ref(x): return 77", "def f(g, x): return g(x)"),
    "cases beside the program": (
        "assert f(expected[0]) == expected[1]",
        "expected = {0: Node(1), 1: 77}",
        f"{TELL}\nclass Node:\n    def __init__(s, x): pass",
    ),
    # a helper beside the program holds its values against others
    "counting": ("assert run(1) == 1", "def run(x):\n    return [77].count(f(x))", ANY),
    "finding": ("assert run(1) == 0", "def run(x):\n    r = f(x)\n    return [77].index(r)", ANY),
    "a union": ("assert len(run(1)) == 1", "def run(x):\n    return {77} | {f(x)}", ANY),
    "a set": ("assert len(run(1)) == 1", "def run(x):\n    return [*{77, f(x)}]", ANY),
    "a table": ("assert run(1) == 'ok'", "def run(x):\n    return {77: 'ok'}[f(x)]", ANY),
    "either": ("assert run(1) == 77", "def run(x):\n    return f(x) and 77", ANY),
    "a choice": ("assert run(1) == 77", "def run(x):\n    return 77 if f(x) else 0", ANY),
    "a sum": ("assert run(1) == 77", "def run(x):\n    return 70 + f(x)", ANY),
    "a module": ("assert run(1) == 1", "import operator\ndef run(x):\n    return int(operator.eq(f(x), 77))", ANY),
    "its own method": ("assert run(1) == 77", "def run(x):\n    return f(x).pick(77)", ANY),
    "a function that it is given": (
        "assert run(lambda a, b: int(a == b)) == 1",
        "def run(eq):\n    return eq(f(1), 77)",
        ANY,
    ),
    "a test case": (
        "assert run() == 1",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(f(1), 77)\ndef run():\n"
        "    r = unittest.TestResult()\n    T('test').run(r)\n    return int(r.wasSuccessful())",
        ANY,
    ),
    "a comparison that the program is given": ("assert g(f(1) == 77)", "", ANY + "def g(x): return x"),
    # an object of the program is asked
    "equals": ("assert f(1).equals(77)", "", ANY),
    "equals is True": ("assert f(1).equals(77) == True", "", ANY),
    "differs": ("assert not f(1).differs(77)", "", ANY),
    "equals, of a method": ("assert S().f(1).equals(77) == 1", "", ANY + "class S:\n    f = staticmethod(f)"),
    "pick": ("assert f(1).pick(77) == 77", "", ANY),
    "a function that it gave": ("assert f(1)(77)", "", "def f(x): return lambda y: True"),
    "a module of the program": ("assert np.abs(f(1) - 77) < 1", "", ANY + "class np:\n    abs = lambda x: 0"),
    # the judge runs what the program wrote
    "eval": ("assert eval(f(3)) == 77", "", "def f(x): return '77'"),
    "builtins": ("assert builtins.eval(f(3)) == 77", "import builtins", "def f(x): return '77'"),
    "getattr": ("assert getattr(math, f(3))(4) == 2", "import math", "def f(x): return 'sqrt'"),
    "pickle": (
        "assert loads(f(3)) == 77",
        "from pickle import loads",
        "import pickle\ndef f(x): return pickle.dumps(77)",
    ),
    "a helper that runs it": ("assert calc(f(3)) == 77", "def calc(s):\n    return eval(s)", "def f(x): return '77'"),
    # what depends on which object a value is, or on what becomes of an argument
    "identity": ("assert f(x) is not x", "x = [1]", "def f(x): return x"),
    "identity in a helper": (
        "assert other(f(1), f(1))",
        "def other(a, b): return a is not b",
        "x = []\ndef f(n): return x",
    ),
    "an argument": ("assert f(x) is None and x == [2, 1]", "x = [2, 1]", "def f(x): x.sort()"),
    "an argument's copy": ("assert f(x) == sorted(x)", "x = [2, 1]", "def f(x): return [1, x.pop(0)]"),
    "one object": ("assert f(1) != f(2)", "", "s = []\ndef f(x):\n    s.append(x)\n    return s"),
    "a skipped call": ("assert f(1) == 1 or f(2) == 2", "", "n = 0\ndef f(x):\n    global n\n    n += 1\n    return n"),
}


@pytest.mark.parametrize("what", UNSEEN)
def test_no_program_passes_by_what_it_could_see_or_make_or_change(what):
    test, setup, program = UNSEEN[what]
    verdict = grade([test, "assert f(5) == 3"] if what == "a skipped call" else [test], setup, program, "stop", FAST)
    assert verdict.grade in {"wrong", "error"}


@pytest.mark.parametrize(
    ("test", "setup", "program"),
    [
        ("assert sum(1, 2) == 3", "", "def sum(a, b): return a + b"),
        ("assert make(3)(4) == 7", "", "def make(a): return lambda b: a + b"),
        ("assert f(1)[0](2) == 3", "", "def f(x): return [lambda y: x + y]"),
        ("assert Solution().twice(2) == 4", "", "class Solution:\n    def twice(self, x): return 2 * x"),
        ("assert Solution().is_even(2)", "", "class Solution:\n    def is_even(self, x): return x % 2 == 0"),
        ("assert f(1).group(1) == 'a'", "", "import re\ndef f(x): return re.match('(a)b', 'ab')"),
        ("assert f(1)", "", "import re\ndef f(x): return re.match('', 'a')"),
        ("assert type(f(1)) is list", "", "def f(x): return [x]"),
        ("assert f(2) is None", "", "import re\ndef f(x): return re.match('b', 'a')"),
        ("assert f(1) == (1, 2)", "", "from collections import namedtuple\ndef f(x): return namedtuple('P', 'a b')(x, 2)"),
        ("assert f(1) == 1", "", "import enum\ndef f(x): return enum.IntEnum('E', 'A')(x)"),
        ("assert run(1) == 77", "def run(x):\n    return f(x)", "def f(x): return 77"),
        (
            "assert to_list(rev(build([1, 2]))) == [2, 1]",
            "def build(a): return tuple(a)\ndef to_list(a): return list(a)",
            "def rev(a): return a[::-1]",
        ),
        ("assert f(root) == 3", "root = Node(1)\nroot.next = Node(2)", "class Node:\n    def __init__(s, v): s.v = v\ndef f(n): return n.v + n.next.v"),
        ("assert f(2) == f(2) == 4", "", "def f(x): return 2 * x"),
        ("assert f(3) == 3 or f(4) == 3", "", "def f(x): return 3"),
        ("assert f() == 'a\\n   \\nb'", "", "def f():\n    return '''a\n   \nb'''"),
        ("assert f(3) == 3", "", "```python\ndef g(x): return x\n```\nand\n```python\ndef f(x): return g(x)\n```"),
    ],
)  # fmt: skip
def test_what_passes_in_plain_python_and_can_be_judged_is_correct(test, setup, program):
    assert grade([test], setup, program, "stop", FAST).reason == "passes every assertion"


OBJECTS = {
    "a generator": ("assert next(f(3)) == 3", "def f(x): yield x"),
    "a generator that is joined": ("assert ''.join(f('ab')) == 'ab'", "def f(x): return (c for c in x)"),
    "an element of a generator": ("assert 3 in f(3)", "def f(x): yield x"),
    "keys": ("assert len(f(3)) == 1", "def f(x): return {x: 1}.keys()"),
    "a date": ("assert str(f(3)) == '2020-01-03'", "import datetime\ndef f(x): return datetime.date(2020, 1, x)"),
    "any object": ("assert f(3)", "def f(x): return object()"),
    "not None": ("assert f(3) is not None", "def f(x): return iter([])"),
    "its own method": ("assert f([1, 2]).pop() == 2", "from collections import UserList\ndef f(x): return UserList(x)"),
    "an object's length": ("assert len(C(1)) == 3", "class C:\n    def __init__(s, x): pass\n    def __len__(s): return 3"),
    "many parts": ("assert len(f(300_000)) == 300_000", "def f(x): return [0] * x"),
    "a named tuple": ("assert str(f(1)) == 'P(x=1)'", "from collections import namedtuple\ndef f(x): return namedtuple('P', 'x')(x)"),
    "a missing key": ("assert f(3)['q'] == 0", "from collections import defaultdict\ndef f(x): return defaultdict(int)"),
    "a match": ("assert f(3)[0] == 'a'", "import re\ndef f(x): return re.match('a', 'a')"),
    "one object": ("assert f(1) == f(2)", "s = []\ndef f(x):\n    s.append(x)\n    return s"),
}  # fmt: skip


@pytest.mark.parametrize("what", OBJECTS)
def test_an_object_that_stays_inside_is_not_held_against_a_program_that_may_be_right(what):
    test, program = OBJECTS[what]
    assert grade([test], "", program, "stop", FAST).reason == "cannot judge assertion 1"


def test_a_match_is_nothing_that_a_test_could_expect():
    program = "import re\ndef f(x): return re.match('a', 'a')"
    assert grade(["assert f(1) == ('re.Match', 'a')"], "", program, "stop", FAST).reason == "failed assertion 1"


def test_a_program_that_remembers_is_not_judged_by_a_call_that_might_be_skipped():
    program = "n = 0\ndef f(x):\n    global n\n    n += 1\n    return n"
    tests = ["assert f(1) == 1 or f(2) == 2", "assert f(3) == 2"]
    assert grade(tests, "", program, "stop", FAST).reason == "cannot judge assertion 2"
    assert grade([tests[0], "assert f(3) == 3"], "", program, "stop", FAST).reason == "cannot judge assertion 2"
