"""What the sandbox does in ordinary use: values come out as they are, failures under their own names, and jobs apart."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, deque
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.graders import sandbox as sandboxes
from wrongcot_data.graders.sandbox import LEVELS, Job, Limits, Sandbox, probe, values

SHORT = Limits(cpu_s=0.3, memory_bytes=256 << 20)


@pytest.fixture(scope="module", params=LEVELS)
def jail(request):
    if fault := probe(request.param):
        pytest.skip(f"{request.param} does not hold here: {fault}")
    made = Sandbox(request.param, size=2)
    yield made
    made.close()


def children(parent: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == parent:
                found += [int(folder.name), *children(int(folder.name))]
        except OSError:
            continue
    return found


def jailed_parent(ours: set[int]) -> int:
    """The process that answers: the innermost of those that a sandbox has started since `ours`."""
    return [pid for pid in children(os.getpid()) if pid not in ours][-1]


# ---- values ----

PLAIN = [
    *[
        None,
        True,
        False,
        0,
        -1,
        2**53,
        -(2**53),
        2**64,
        -(10**5000),
        0.0,
        -0.0,
        1.5,
        5e-324,
        float("inf"),
        float("-inf"),
    ],
    *[1j, complex(-0.0, float("inf")), "", "a\0b", "\ud800", "\U0001f600", b"", b"\0\xff", bytearray(b"x"), range(3)],
    *[range(10**30, -5, -7), Decimal("1.50"), Decimal("-0"), Decimal("Infinity"), Decimal("1e-9999"), Fraction(-3, 4)],
    *[[], (), set(), frozenset(), {}, [1, (2, {3: [4]})], (1,), {1, 2}, frozenset({(1, 2)}), {"a": {(1, "b"): {2}}}],
    *[deque([1, 2]), Counter("aab"), OrderedDict([("b", 1), ("a", 2)]), {1: "a", "1": "b", (1,): "c", None: "d"}],
    *[{2.0**n for n in range(-300, 300)}, {(x, y) for x in range(-60, 60) for y in range(-60, 60)}],
]


def shape(value: object) -> tuple[str, object]:
    """What tells a value from every other: its type and those of its parts, the sign of a zero, what is no number."""
    kind = type(value).__name__
    if isinstance(value, list | tuple | deque):
        return kind, list(map(shape, value))
    if isinstance(value, dict):
        return kind, [(shape(key), shape(part)) for key, part in value.items()]
    if isinstance(value, set | frozenset):
        return kind, sorted(repr(shape(part)) for part in value)
    return kind, hex(value) if isinstance(value, int) else repr(value)


def same(left: object, right: object) -> bool:
    return shape(left) == shape(right)


def comes_back(jail: Sandbox, value: object) -> bool:
    (result,) = jail.judge("", ("value",), {"value": value}).results
    return result.status == "value" and same(result.value, value)


@pytest.mark.parametrize(
    "value",
    PLAIN,
    ids=lambda value: (
        f"{type(value).__name__} {repr(value)[:20]!a}"
        if not (type(value) is int and abs(value) > 2**70)
        else "a huge int"
    ),
)
def test_a_plain_value_comes_back_exactly(value, jail):
    assert comes_back(jail, value)


SCALARS = st.one_of(
    *[st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.binary(), st.fractions()],
    *[st.text(st.characters(codec=None)), st.decimals(allow_nan=False), st.binary().map(bytearray)],
    st.builds(range, st.integers(), st.integers(), st.integers(min_value=1)),
)
KEYS = st.recursive(
    st.one_of(st.integers(), st.text(), st.floats(allow_nan=False), st.binary(), st.none()),
    lambda parts: st.one_of(st.lists(parts, max_size=3).map(tuple), st.frozensets(parts, max_size=3)),
    max_leaves=5,
)
VALUES = st.recursive(
    SCALARS,
    lambda parts: st.one_of(
        *[st.lists(parts, max_size=4), st.lists(parts, max_size=4).map(tuple), st.lists(parts, max_size=4).map(deque)],
        *[st.dictionaries(KEYS, parts, max_size=4), st.dictionaries(KEYS, parts, max_size=4).map(OrderedDict)],
        *[st.sets(KEYS, max_size=4), st.frozensets(KEYS, max_size=4), st.lists(KEYS, max_size=4).map(Counter)],
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=VALUES)
def test_any_plain_value_comes_back_exactly(value, jail):
    assert comes_back(jail, value)


@settings(max_examples=300, deadline=None)
@given(
    coded=st.recursive(
        st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=5),
            st.sampled_from(["int", "float", "fraction", "range", "decimal", "bytes", "0x1", "-1"]),
        ),
        lambda parts: st.one_of(
            st.lists(parts, max_size=4),
            st.dictionaries(st.text(max_size=2), parts, max_size=2),
            st.tuples(
                st.sampled_from(["list", "set", "dict", "counter", "int", "fraction", "range", "complex"]), parts
            ).map(list),
        ),
        max_leaves=12,
    )
)
def test_whatever_is_forged_is_a_value_or_refused(coded):
    with contextlib.suppress(values.MalformedError):
        values.decode(coded)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("defaultdict(list, {1: [2]})", {1: [2]}),
        ("re.match('x', 'abc')", None),
        ("namedtuple('P', 'x y')(1, [2])", (1, [2])),
        ("enum.IntEnum('E', 'A B')(2)", 2),
        ("enum.Enum('S', {'A': 'a'}, type=str)('a')", "a"),
        ("type('I', (int,), {'__index__': lambda s: 9, '__int__': lambda s: 9})(10**30)", 10**30),
        ("type('F', (float,), {'hex': lambda s: '0x0p0', '__float__': lambda s: 9.0})(1.5)", 1.5),
        ("type('S', (str,), {'__str__': lambda s: 'b', '__eq__': lambda s, o: True})('a')", "a"),
        ("[type('L', (list,), {'__iter__': lambda s: iter([9])})([1, 2])]", [[1, 2]]),
        ("type('T', (tuple,), {'__iter__': lambda s: iter([9]), '__len__': lambda s: 1})([1, 2])", (1, 2)),
        ("type('D', (dict,), {'items': lambda s: [(9, 9)], '__iter__': lambda s: iter([9])})({1: 2})", {1: 2}),
    ],
)
def test_what_is_nearly_plain_comes_out_as_what_it_stands_for(source, value, jail):
    job = Job("import enum, re\nfrom collections import defaultdict, namedtuple", calls=(source,))
    (result,) = jail.run(job, SHORT).results
    assert result.status == "value"
    assert same(result.value, value)


@pytest.mark.parametrize(
    ("source", "exact"),
    [("[(1, 2)]", True), ("[P(1)]", False), ("re.match('', '')", False), ("{1: {2.0, None}}", True), ("E(1)", False)],
)
def test_a_value_that_only_stands_for_another_says_so(source, exact, jail):
    program = "import re, enum, collections\nP = collections.namedtuple('P', 'x')\nE = enum.IntEnum('E', 'A B')"
    (result,) = jail.run(Job(program, calls=(source,)), SHORT).results
    assert (result.status, result.exact) == ("value", exact)


def test_a_match_is_true_and_equal_to_nothing(jail):
    (result,) = jail.run(Job("import re", calls=("re.match('a', 'a')",)), SHORT).results
    assert result.value
    assert result.value != ("re.Match", "a")
    told = jail.judge("", ("bool(x)", "x is None"), {"x": result.value}, SHORT)
    assert [one.value for one in told.results] == [True, False]


HASH_BASE = 2**61 - 1
"""Numbers that differ by this have one hash."""


@pytest.mark.parametrize(
    "coded",
    [
        ["set", [["decimal", f"{pow(2, 4 * 50_000, HASH_BASE) - 1}"], ["int", "0x" + "f" * 50_000]]],
        ["dict", [[["tuple", [["int", "0x" + "f" * 500]]], None]]],
        ["set", [["int", hex(5 + n * HASH_BASE)] for n in range(50)]],
        ["set", [["frozenset", [["int", hex(5 + n * HASH_BASE)] for n in range(20)]]]],
        ["list", [["deque", []]] * 300_000],
        ["list", [0] * 300_000],
        10**400,
    ],
    ids=["Decimal and int", "an int in a key", "of one hash", "of one hash, in a key", "deques", "parts", "a bare int"],
)
def test_a_forged_value_that_would_cost_us_time_or_memory_is_refused_at_once(coded):
    start = time.process_time()
    with pytest.raises(values.MalformedError):
        values.decode(coded)
    assert time.process_time() - start < 10  # half a second; it was minutes, and could have been hours


def test_the_worst_that_is_not_refused_takes_a_moment():
    """Sets as full of Decimals and ints of one hash as they may be."""
    huge = [["int", hex(5 + HASH_BASE * (16**380 + n))] for n in range(5)]
    alike = [["decimal", f"{5 + HASH_BASE * n}"] for n in range(1, 35)]
    start = time.process_time()
    values.decode(["list", [["set", [*huge, *alike]]] * 300])  # a quarter of what a reply has room for
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "program",
    [
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass N:\n    x: int",
        "from dataclasses import dataclass\n@dataclass\nclass N:\n    x: 'int'\n    next: 'N | None' = None",
        "import pickle\nclass N:\n    x = 0\n    def __init__(s, x): s.x = x\nassert pickle.loads(pickle.dumps(N(3))).x == 3",
        "import sys\ndef N(x): return sys.modules[__name__].M(x)\nclass M:\n    def __init__(s, x): s.x = x",
        "import typing\nclass N:\n    x: 'int'\n    def __init__(s, x): s.x = x\ntyping.get_type_hints(N)",
    ],
    ids=["future annotations", "annotations in quotes", "pickle", "its own module", "type hints"],
)
def test_a_program_is_a_module_that_can_be_found(program, jail):
    (result,) = jail.run(Job(program, calls=("N(3).x",)), SHORT).results
    assert (result.status, result.value) == ("value", 3)


@pytest.mark.parametrize(
    "source",
    [
        "object()",
        "lambda: 1",
        "open",
        "iter([])",
        "{}.keys()",
        "memoryview(b'')",
        "[object()]",
        "{1: {2: print}}",
        "int",
        "type('S', (set,), {})()",
        "{10**500}",
        "{(1, Fraction(10**500, 3)): 1}",
        "Fraction(10**20000 + 1, 10**20001)",
        "[[0]] * 300_000",
    ],
)
def test_what_is_not_plain_does_not_come_out(source, jail):
    outcome = jail.run(Job("from fractions import Fraction", calls=(source,)), Limits(cpu_s=2.0))
    assert (outcome.status, outcome.results[0].status) == ("done", "unserialisable")
    assert outcome.results[0].detail


def test_packages_beside_the_standard_library_are_not_to_be_seen(jail):
    program = (
        "import os\ndef f():\n    try: return os.listdir(os.path.join(os.path.dirname(os.__file__), 'site-packages'))"
    )
    (result,) = jail.run(Job(f"{program}\n    except OSError: return []", calls=("f()",)), SHORT).results
    assert result.value == []


def test_a_judge_is_given_plain_values_only(jail):
    with pytest.raises(values.MalformedError):
        jail.judge("", ("x",), {"x": object()})


def test_a_judge_sees_its_imports_and_its_values_and_nothing_of_the_job_before(jail):
    jail.run(Job("import builtins, math\nbuiltins.leak = math.leak = 1"), SHORT)
    asked = ("math.isclose(a, b)", "hasattr(math, 'leak')", "leak", "undefined")
    told = jail.judge("import math", asked, {"a": 0.1 + 0.2, "b": 0.3}).results
    assert [result.status for result in told] == ["value", "value", "raised", "raised"]
    assert [result.value for result in told[:2]] == [True, False]


def test_a_judge_without_end_is_ended_and_says_nothing(jail):
    told = jail.judge("", ("1", "sum(iter(int, 1))", "2"), {}, SHORT)
    assert (told.status, told.ran) == ("timeout", True)
    assert [result.status for result in told.results] == ["value", "not reached", "not reached"]


# ---- how jobs end ----


@pytest.mark.parametrize(
    ("job", "status", "ran", "calls"),
    [
        (Job("x = 1"), "done", True, []),
        (Job("x = 1", "y = x + 1", ("x", "y", "z")), "done", True, ["value", "value", "raised"]),
        (Job("x = ", calls=("x",)), "syntax", False, ["not reached"]),
        (Job("x = 1 / 0", calls=("1",)), "raised", False, ["not reached"]),
        (Job("x = 1", "y", ("1",)), "raised", False, ["not reached"]),
        (Job("x = 1", "y = ", ("1",)), "raised", False, ["not reached"]),
        (Job("x = 1", calls=("x +", "x")), "done", True, ["raised", "value"]),
        (Job("import sys", calls=("1", "sys.exit()", "2")), "done", True, ["value", "raised", "value"]),
        (Job("import os", calls=("1", "os._exit(3)", "2")), "exited", True, ["value", "not reached", "not reached"]),
        (Job("x = 1", calls=("1", "sum(iter(int, 1))", "2")), "timeout", True, ["value", "not reached", "not reached"]),
        (Job("while True: pass"), "timeout", False, []),
        (Job("x = 1", calls=("1", "bytearray(1 << 33)", "2")), "memory", True, ["value", "not reached", "not reached"]),
        (Job("x = bytearray(1 << 33)"), "memory", False, []),
        (Job("import ctypes", calls=("1", "ctypes.string_at(0)")), "killed", True, ["value", "not reached"]),
        (Job("x = 1", calls=("1", "'x' * (5 << 20)")), "killed", True, ["value", "not reached"]),
    ],
)
def test_a_job_ends_under_its_own_name_with_the_calls_that_were_reached(job, status, ran, calls, jail):
    outcome = jail.run(job, SHORT)
    assert (outcome.status, outcome.ran, [result.status for result in outcome.results]) == (status, ran, calls)
    assert outcome.level == jail.level


def test_calls_share_their_names_and_see_what_those_before_them_did(jail):
    outcome = jail.run(Job("x = [3, 1, 2]", calls=("x.sort()", "x", "x.clear()", "x")), SHORT)
    assert [result.value for result in outcome.results] == [None, [1, 2, 3], None, []]


def test_what_is_said_of_an_exception_is_short_and_can_be_shown(jail):
    (result,) = jail.run(Job("def f():\n    raise ValueError('\\ud800' * 1000)", calls=("f()",)), SHORT).results
    assert result.detail.startswith("ValueError: ")
    result.detail.encode()


@pytest.mark.parametrize(
    "module",
    [
        "math",
        "re",
        "heapq",
        "itertools",
        "collections",
        "datetime",
        "random",
        "json",
        "decimal",
        "string",
        "bisect",
        "statistics",
        "hashlib",
        "zlib",
        "difflib",
        "xml.etree.ElementTree",
        "unicodedata",
        "email",
        "concurrent.futures",
    ],
)
def test_the_standard_library_can_be_imported(module, jail):
    assert jail.run(Job(f"import {module}"), Limits()).status == "done"


def test_a_set_is_walked_in_the_same_order_each_time(jail):
    job = Job("", calls=("list({'a', 'b', 'c', 'd', 'e'})",))
    assert len({tuple(jail.run(job).results[0].value) for _ in range(4)}) == 1


def test_a_reply_and_a_program_may_be_long(jail):
    text = "x" * 3_000_000
    (result,) = jail.run(Job(f"t = {text!r}", calls=("t",))).results
    assert result.value == text


# ---- many at once ----


def test_two_hundred_jobs_of_sixteen_threads_get_their_own_values(jail):
    def job(number):
        ends = number % 10 == 0  # some end their process in the middle
        return jail.run(Job(f"import os\nx = {number}\nif {ends}: os._exit(0)", calls=("x", "[x] * 3")), Limits())

    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(job, range(200)))
    for number, outcome in enumerate(outcomes):
        wanted = [None, None] if number % 10 == 0 else [number, [number] * 3]
        assert [result.value for result in outcome.results] == wanted
        assert outcome.status == ("exited" if number % 10 == 0 else "done")


def test_two_sandboxes_work_at_once_and_one_outlives_the_other(jail):
    other = Sandbox(jail.level, size=1)
    running = ThreadPoolExecutor(1).submit(jail.run, Job("import time\ntime.sleep(0.5)", calls=("'long'",)))
    assert other.run(Job("", calls=("'short'",))).results[0].value == "short"
    other.close()
    assert running.result().results[0].value == "long"


def test_a_fork_of_our_process_has_a_jail_of_its_own(jail):
    jail.run(Job(""))
    pid = os.fork()
    if pid == 0:
        try:
            value = jail.run(Job("", calls=("'of the fork'",))).results[0].value
            jail.close()
            os._exit(0 if value == "of the fork" else 1)
        finally:
            os._exit(2)
    assert jail.run(Job("", calls=("'of ours'",))).results[0].value == "of ours"
    assert os.waitpid(pid, 0)[1] == 0
    assert jail.run(Job("", calls=("'of ours'",))).results[0].value == "of ours"


# ---- when processes die ----


@pytest.fixture
def fresh(jail):
    """A sandbox of one jailed parent that has done a job, and that parent."""
    ours = set(children(os.getpid()))
    made = Sandbox(jail.level, size=1)
    made.run(Job(""))
    yield made, jailed_parent(ours), ours
    made.close()


def test_a_jailed_parent_killed_while_idle_is_replaced_unnoticed(fresh):
    jail, parent, _ = fresh
    os.kill(parent, signal.SIGKILL)
    time.sleep(0.2)
    assert jail.run(Job("", calls=("1",))).results[0].value == 1


def test_a_jailed_parent_killed_once_while_a_job_runs_is_replaced_and_the_job_run_again(fresh):
    jail, parent, _ = fresh
    threading.Timer(0.4, os.kill, (parent, signal.SIGKILL)).start()
    outcome = jail.run(Job("import time\ntime.sleep(0.7)", calls=("1",)))
    assert (outcome.status, outcome.results[0].value) == ("done", 1)


def test_a_jailed_parent_killed_each_time_is_a_harness_error_and_the_next_job_works(fresh):
    jail, parent, ours = fresh

    def kill_two():
        time.sleep(0.3)
        os.kill(parent, signal.SIGKILL)
        time.sleep(1.0)
        for pid in children(os.getpid()):
            if pid not in ours and pid != parent:
                with contextlib.suppress(ProcessLookupError):  # it was one that had ended already
                    os.kill(pid, signal.SIGKILL)

    threading.Thread(target=kill_two).start()
    outcome = jail.run(Job("import time\ntime.sleep(3)", calls=("1",)))
    assert (outcome.status, outcome.results[0].status) == ("harness error", "not reached")
    assert jail.run(Job("", calls=("1",))).results[0].value == 1


@pytest.mark.parametrize(
    "program",
    [
        "import os\nos.closerange(0, 300)\nwhile True: pass",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nimport time\ntime.sleep(100)",
        "",
    ],
)
def test_nothing_of_a_jail_outlives_us(program, jail):
    code = (
        "import sys\nfrom wrongcot_data.graders.sandbox import *\n"
        f"jail = Sandbox({jail.level!r}, 1)\njail.run(Job(''))\nprint('up', flush=True)\n"
        f"jail.run(Job({program!r}), Limits(cpu_s=60))\nsys.stdin.read()"
    )
    ours = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with ours:
        assert ours.stdout.readline() == "up\n"
        time.sleep(0.4)
        jailed = children(ours.pid)
        assert jailed
        ours.kill()
    deadline = time.monotonic() + 5
    while (left := [pid for pid in jailed if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_process_of_ours_that_stood_still_in_the_middle_of_a_job_mixes_no_answers(jail):
    """What is left of a job that was never taken whole must not be read as the next one."""
    code = (
        "from wrongcot_data.graders import workers\nfrom wrongcot_data.graders.sandbox import *\n"
        "import time\nwrite, slow = workers._write, [True]\n"
        "def late(worker, data, deadline):\n"
        "    if slow and len(data) > 1000:\n        slow.clear()\n        write(worker, data[:500], deadline)\n"
        "        time.sleep(2.3)\n        data = data[500:]\n    write(worker, data, deadline)\n"
        f"workers._write = late\njail = Sandbox({jail.level!r}, 1)\n"
        "print([jail.run(Job('#' * 5000, calls=(str(n),)), Limits(cpu_s=0.05)).results[0].value for n in range(3)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 1, 2]\n"


# ---- which layer ----


def test_no_layer_and_no_consent_is_unavailable_and_says_why(monkeypatch):
    monkeypatch.setenv(sandboxes.FORCE, "none")
    monkeypatch.delenv(sandboxes.ACCEPT, raising=False)
    monkeypatch.setattr(sandboxes, "_accepted", False)
    with pytest.raises(Unavailable, match="no sandbox holds"):
        sandboxes.sandbox()


def test_a_layer_that_there_is_not_is_an_error_even_where_none_is_accepted(monkeypatch):
    monkeypatch.setenv(sandboxes.FORCE, "bubblewarp")
    monkeypatch.setenv(sandboxes.ACCEPT, "1")
    with pytest.raises(BadInput, match="did you mean bubblewrap"):
        sandboxes.sandbox()


@pytest.mark.parametrize("level", LEVELS)
def test_the_layer_that_is_asked_for_is_the_one_that_is_used(level, monkeypatch):
    if fault := probe(level):
        pytest.skip(f"{level} does not hold here: {fault}")
    monkeypatch.setenv(sandboxes.FORCE, level)
    assert sandboxes.sandbox().level == level
    assert sandboxes.sandbox().run(Job("")).level == level
