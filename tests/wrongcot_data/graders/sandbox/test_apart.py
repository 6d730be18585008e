"""Jobs know nothing of each other, a late one is late, and no value that comes out can hurt us.

Each of these was possible once: a candidate that read an earlier one's values out of the memory that it inherits, one
that slept through its timer, and values that raise or take minutes where they are only looked at.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections import OrderedDict
from pathlib import Path

import pytest

from wrongcot_data.graders.sandbox import LEVELS, Job, Limits, Sandbox, probe, values

SHORT = Limits(cpu_s=0.4, memory_bytes=512 << 20)

SEARCH = """
import ctypes
libc = ctypes.CDLL(None)
libc.sbrk.restype = ctypes.c_void_p
def search(size):
    found = ctypes.string_at(libc.sbrk(0) - size, size)
    return found.count(b'MARK' + b'ED')
"""


@pytest.fixture(scope="module", params=LEVELS)
def jail(request):
    if fault := probe(request.param):
        pytest.skip(f"{request.param} does not hold here: {fault}")
    made = Sandbox(request.param, size=1)
    yield made
    made.close()


@pytest.mark.parametrize("size", [1 << 16, 1 << 18, 1 << 19, 1 << 20])
def test_the_values_of_earlier_jobs_are_not_in_the_memory_of_a_later_one(size, jail):
    for length in (10, 1_000, 50_000):
        said = jail.run(Job("def f(n):\n    return 'MARKED' * n", calls=(f"f({length})",) * 3), SHORT)
        assert said.results[2].value == "MARKED" * length
    outcome = jail.run(Job(SEARCH, calls=(f"search({size})",)), SHORT)
    if outcome.status == "done":  # else it looked where there is no memory
        assert outcome.results[0].value == 0


def test_a_job_that_does_not_hear_its_timer_is_late_though_it_ends_by_itself(jail):
    program = (
        "import signal, time\nsignal.signal(signal.SIGPROF, signal.SIG_IGN)\n"
        "def f(seconds):\n    while time.process_time() < seconds: pass\n    return 'late'"
    )
    outcome = jail.run(Job(program, calls=("f(0)", "f(0.85)")), SHORT)
    assert outcome.status == "timeout"
    assert [result.status for result in outcome.results] == ["value", "not reached"]


def test_an_ordered_dict_comes_out_in_its_own_order(jail):
    program = "from collections import OrderedDict\nd = OrderedDict(a=1, b=2, c=3)\nd.move_to_end('a')"
    assert jail.run(Job(program, calls=("d",)), SHORT).results[0].value == OrderedDict(b=2, c=3, a=1)


@pytest.mark.parametrize("source", ["Decimal('sNaN')", "[Decimal('-sNaN12')]", "range(10**30_000)"])
def test_a_value_that_cannot_be_looked_at_in_peace_does_not_come_out(source, jail):
    outcome = jail.run(Job("from decimal import Decimal", calls=(source,)), SHORT)
    assert outcome.results[0].status == "unserialisable"


@pytest.mark.parametrize(
    "coded",
    [
        ["decimal", "sNaN"],
        ["range", "0x0", "0x" + "f" * 1_000_000, "0x" + "f" * 500_000],
        ["fraction", "0x" + "f" * 500_000, "0x" + "e" * 499_999],
        ["set", [["int", hex(n * (2**61 - 1))] for n in range(20_000)]],
        ["list", [["dict", [[["int", hex(n * (2**61 - 1))], None] for n in range(20_000)]]]],
    ],
    ids=lambda coded: coded[0],
)
def test_a_forged_value_is_refused_before_it_costs_us_anything(coded):
    start = time.process_time()
    with pytest.raises(values.MalformedError):
        values.decode(coded)
    assert time.process_time() - start < 1.0


def test_the_level_none_drops_root_and_has_no_children_but_imports():
    jail = Sandbox("none", size=1)
    program = (
        "import os, email, xml.etree.ElementTree, unicodedata\n"
        "def f():\n    try: return os.fork()\n    except OSError: return os.getuid()"
    )
    (result,) = jail.run(Job(program, calls=("f()",)), SHORT).results
    jail.close()
    assert result.status == "value", result.detail
    assert result.value == (os.geteuid() or 65534)


ALONE = """
import os
from wrongcot_data.graders.sandbox import Job, Sandbox, available_levels
assert os.getuid() == 0
for level, fault in available_levels().items():
    if not fault:
        assert Sandbox(level, 1).run(Job("import os, email", calls=("os.getuid()",))).results[0].value != 0
print("refused or held")
"""


def test_a_root_that_is_alone_in_its_user_namespace_is_no_root_inside():
    """As in a container without root of its own: there is no other user to become."""
    if not shutil.which("unshare"):
        pytest.skip("no program unshare on this machine")
    paths = os.pathsep.join([str(Path(__file__).resolve().parents[4]), sysconfig.get_path("purelib")])
    done = subprocess.run(
        ["unshare", "--map-root-user", sys.executable, "-c", ALONE],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    if "unshare" in done.stderr:
        pytest.skip("no user namespaces on this machine")
    assert done.stdout == "refused or held\n", done.stderr[-1000:]
