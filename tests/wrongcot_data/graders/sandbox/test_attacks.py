"""Every attack, in both layers, as root and as an ordinary user: held, within its limit, nothing left behind."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import secrets
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import pytest

from tests.wrongcot_data.graders.sandbox.attacks import ATTACKS
from wrongcot_data.graders.sandbox import LEVELS, Job, Limits, Sandbox, probe
from wrongcot_data.graders.sandbox.seccomp import ALLOWED, ARCHITECTURES, FCNTL

LIMITS = Limits(cpu_s=0.25, memory_bytes=512 << 20, reply_bytes=1 << 20)
SECRET = secrets.token_hex(16)


@contextlib.contextmanager
def planted():
    """A secret in the environment, and one in a file that the user who runs this may read. Gives the file."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("secret", "secret_module.py"):
            Path(folder, name).write_text(f"SECRET = {SECRET!r}")
        os.environ["WRONGCOT_TEST_SECRET"] = SECRET
        yield Path(folder, "secret")
        del os.environ["WRONGCOT_TEST_SECRET"]


def outcome_of(jail: Sandbox, source: str, secret_file: Path) -> tuple[str, str]:
    """How an attack ended, in one word, and all that it said."""
    column = ARCHITECTURES[platform.machine()][1]
    listed = {row[column] for row in (*ALLOWED.values(), FCNTL)} - {None}
    source = source.replace("SECRET_FILE", repr(str(secret_file))).replace("LISTED", repr(listed))
    outcome = jail.run(Job(source, calls=("attack()",)), LIMITS)
    (result,) = outcome.results
    shown = "" if type(result.value) is int else repr(result.value)[:200_000]  # a million digits are not written out
    said = json.dumps([shown, result.detail, outcome.detail])
    if outcome.status != "done":
        return outcome.status, said
    return ("held" if result.value == "held" else result.status), said


def descendants() -> set[int]:
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    family = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family - {os.getpid()}


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for whoever adopted it does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module", params=LEVELS)
def jail(request):
    if fault := probe(request.param):
        pytest.skip(f"{request.param} does not hold here: {fault}")
    made = Sandbox(request.param, size=1)
    made.run(Job(""))
    yield made
    made.close()


@pytest.fixture(scope="module")
def secret_file():
    with planted() as file:
        yield file


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_held_within_its_limit_and_the_next_job_works(name, jail, secret_file):
    source, wanted = ATTACKS[name]
    before = {path: set(Path(path).iterdir()) for path in ("/tmp", "/dev/shm") if Path(path).is_dir()}
    mounts = Path("/proc/self/mountinfo").read_text()
    processes = descendants()
    start = time.monotonic()
    ended, said = outcome_of(jail, source, secret_file)
    assert ended in wanted, said[:500]
    assert time.monotonic() - start < LIMITS.wall_s + 2
    assert SECRET not in said
    assert descendants() == processes  # no more, and the jailed parent is the same
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert not any("wrongcot-attack" in new.name for path in before for new in set(Path(path).iterdir()) - before[path])
    assert jail.run(Job("def f(x):\n    return x", calls=("f([1, 'a'])",)), Limits()).results[0].value == [1, "a"]


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_left_when_the_sandbox_is_closed(level):
    if fault := probe(level):
        pytest.skip(f"{level} does not hold here: {fault}")
    before = descendants()
    jail = Sandbox(level, size=2)
    outcome_of(jail, ATTACKS["endless loop"][0], Path())
    assert descendants() > before
    jail.close()
    deadline = time.monotonic() + 5
    while descendants() != before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert descendants() == before


@pytest.mark.parametrize("level", LEVELS)
def test_nothing_is_left_when_we_are_killed_while_a_job_runs(level):
    if fault := probe(level):
        pytest.skip(f"{level} does not hold here: {fault}")
    program = (
        "from wrongcot_data.graders.sandbox import *\n"
        f"jail = Sandbox({level!r}, 1)\njail.run(Job('x = 1'))\nprint('up', flush=True)\n"
        "jail.run(Job('while True: pass'), Limits(cpu_s=60))"
    )
    before = descendants()
    ours = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert ours.stdout.readline() == "up\n"
    time.sleep(0.5)
    jailed = descendants() - before - {ours.pid}
    assert jailed
    ours.kill()
    ours.wait()
    deadline = time.monotonic() + 10
    while any(map(lives, jailed)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not [pid for pid in jailed if lives(pid)]


ORDINARY = """
import json, os, sys
from concurrent.futures import ThreadPoolExecutor
sys.path[:0] = json.loads(sys.argv[1])
from tests.wrongcot_data.graders.sandbox.attacks import ATTACKS
from tests.wrongcot_data.graders.sandbox.test_attacks import SECRET, outcome_of, planted
from wrongcot_data.graders.sandbox import Sandbox, probe
level = sys.argv[2]
if fault := probe(level):
    print(json.dumps({"skip": fault}))
else:
    jail = Sandbox(level, size=4)
    with planted() as file, ThreadPoolExecutor(4) as threads:
        ended = threads.map(lambda row: outcome_of(jail, row[0], file), ATTACKS.values())
        told = {name: [word, said[:500], SECRET in said] for name, (word, said) in zip(ATTACKS, ended)}
    print(json.dumps(told))
    jail.close()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="the other tests run as an ordinary user already")
@pytest.mark.parametrize("level", LEVELS)
def test_every_attack_is_held_as_an_ordinary_user_too(level):
    # The interpreter may lie in a folder of root's: it is mounted where everybody can read it, for this process only.
    root, place = Path(__file__).resolve().parents[4], tempfile.mkdtemp(prefix="ordinary")
    Path(place).chmod(0o755)
    python = f"{place}/bin/{Path(sys.executable).resolve().name}"
    paths = json.dumps([str(root), sysconfig.get_path("purelib")])
    script = f'mount --bind {sys.base_prefix} {place} && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", python, "-c", ORDINARY, paths, level]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    except FileNotFoundError as error:
        pytest.skip(f"no {error.filename} on this machine")
    finally:
        Path(place).rmdir()
    if "mount" in done.stderr and "permitted" in done.stderr:
        pytest.skip("this root may not mount")
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    if "skip" in found:
        pytest.skip(f"{level} does not hold for an ordinary user here: {found['skip']}")
    assert found.keys() == ATTACKS.keys()
    assert not {name: told for name, told in found.items() if told[0] not in ATTACKS[name][1] or told[2]}
