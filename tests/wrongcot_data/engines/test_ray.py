"""The `ray` engine: nothing is lost or doubled when actors die, and what happens in them is said in the driver."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.engines import get_engine, ray_host
from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Engine, Opening, Request, Sampling
from wrongcot_data.engines.ray_host import Host, Order
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import render
from wrongcot_data.teachers.registry import Teacher, get_teacher

TASK = get_task("countdown")
PROBLEMS = {p.id: p for p in (TASK.read_problem({"nums": [1, 2, n], "target": n + 3}) for n in range(3, 43))}
SAMPLING = Sampling(temperature=0.0, top_p=1.0, max_tokens=20)

Open = Callable[..., Engine]


@pytest.fixture
def open_ray(local_ray: None) -> Iterator[Open]:
    """Opens the engine over two actors that take no CPU, and closes it."""
    opened: list[Engine] = []

    def open_one(engine: str = "scripted", teacher: Teacher | None = None, **options: Any) -> Engine:
        kind = get_engine("ray")
        given = kind.options(**{"engine": engine, "actors": 2, "cpus_per_actor": 0} | options)
        opened.append(kind.open(Opening(teacher or get_teacher("scripted"), given, SAMPLING, TASK, PROBLEMS)))
        return opened[-1]

    yield open_one
    for engine in opened:
        engine.close()


def requests(number: int) -> list[Request]:
    ids = list(PROBLEMS)
    problems = [PROBLEMS[ids[n % len(ids)]] for n in range(number)]
    return [Request(f"r{n}", problem.id, render(TASK, problem, "chat-zero"), n) for n, problem in enumerate(problems)]


def drive(engine: Engine, wanted: Sequence[Request], meanwhile: Callable[[int], None] = lambda _n: None) -> dict:
    """Every reply by key, as a build asks for them; `meanwhile` is told how many there are."""
    found: dict[str, Completion] = {}
    sent = 0
    while len(found) < len(wanted):
        for request in wanted[sent : len(found) + engine.capacity]:
            engine.submit(request)
            sent += 1
        for completion in engine.wait():
            assert completion.key not in found, "a reply came back twice"
            found[completion.key] = completion
        meanwhile(len(found))
    return found


def descendants(pid: int) -> dict[int, str]:
    """The processes below a process, with their command lines."""
    children: dict[int, list[tuple[int, str]]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = (folder / "stat").read_text()
                command = (folder / "cmdline").read_text().replace("\0", " ").strip()
            except OSError:
                continue
            parent = int(status.rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append((int(folder.name), command))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child, command in children.get(waiting.pop(), []):
            found[child] = command
            waiting.append(child)
    return found


def actors(pid: int) -> list[int]:
    return [child for child, command in descendants(pid).items() if command.startswith("ray::Host")]


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.05)
    return found


def test_a_killed_actor_costs_only_what_it_was_writing_and_that_is_asked_again(
    open_ray: Open, caplog: pytest.LogCaptureFixture
):
    """The scripted teacher honours seeds, so every reply must be the one of an undisturbed run."""
    options = {"latency_ms": 200, "capacity": 40}
    wanted = requests(600)
    plain = get_engine("scripted")
    undisturbed = drive(plain.open(Opening(get_teacher("scripted"), plain.options(), SAMPLING, TASK, PROBLEMS)), wanted)
    engine = open_ray(engine_options=options)
    assert engine.name.startswith("scripted ")
    killed: list[int] = []

    def kill_one(n_found: int) -> None:
        if n_found > 100 and not killed:
            killed.append(actors(os.getpid())[0])
            os.kill(killed[0], signal.SIGKILL)

    with caplog.at_level(logging.WARNING):
        assert drive(engine, wanted, kill_one) == undisturbed
    assert killed
    assert "requests are asked again" in caplog.text
    until(lambda: engine.capacity == 80)  # it is back
    assert killed[0] not in actors(os.getpid())


@pytest.mark.real
def test_a_request_that_was_with_its_actor_at_three_deaths_comes_back_as_an_error(open_ray: Open):
    engine = open_ray(actors=1, engine_options={"latency_ms": 100_000})
    (request,) = requests(1)
    engine.submit(request)
    for death in range(3):
        until(lambda: engine.capacity > 1)  # it is open
        time.sleep(0.5)  # and has the request
        (actor,) = actors(os.getpid())
        os.kill(actor, signal.SIGKILL)
        if death < 2:
            until(lambda: engine.capacity == 1)
    (completion,) = engine.wait()
    assert (completion.key, completion.finish_reason) == (request.key, "error")
    assert completion.error == "lost with its actor 3 times"


def test_a_build_without_any_actor_left_ends_with_what_to_do(open_ray: Open, caplog: pytest.LogCaptureFixture):
    engine = open_ray(actors=1, max_restarts=0, engine_options={"latency_ms": 100_000, "capacity": 5})
    for request in requests(12):
        engine.submit(request)
    time.sleep(0.5)
    os.kill(actors(os.getpid())[0], signal.SIGKILL)
    with pytest.raises(Unavailable, match="every Ray actor was lost") as caught:
        engine.wait()
    assert caught.value.try_[0].startswith("the same command again")
    assert "its 5 requests are asked again" in caplog.text  # the others waited here


def test_an_actor_that_finds_no_place_is_said_so(open_ray: Open):
    with pytest.raises(Unavailable, match="no room for an actor of 1 GPUs and 1 CPUs"):
        open_ray(gpus_per_actor=1, cpus_per_actor=None, patience_s=0.5)


def test_a_bug_in_an_actor_is_that_bug_in_the_driver(open_ray: Open):
    engine = open_ray(actors=1)
    engine.submit(Request("r", "no such problem", requests(1)[0].prompt, 0))
    with pytest.raises(KeyError, match="no such problem") as caught:
        engine.wait()
    assert "scripted.py" in str(caught.value.__cause__)  # where it was raised


def test_other_weights_on_a_node_are_refused(open_ray: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(get_engine("scripted")), "revision", lambda *_: "rates:here")  # in this process only
    with pytest.raises(BadInput, match=r"not the same everywhere: revision rates:\w+ on a node.*, rates:here where"):
        open_ray()


@pytest.mark.real
def test_a_model_in_an_actor_replies_as_it_does_here_and_its_refusals_keep_their_hints(
    open_ray: Open, tmp_path: Path, make_tiny_model: Callable[..., Path]
):
    pytest.importorskip("torch")
    teacher = Teacher("base", path=str(make_tiny_model(tmp_path / "base", None)))
    wanted = [Request(f"r{n}", "", render(TASK, PROBLEMS[one], "plain-few", 2), n) for n, one in enumerate(PROBLEMS)]
    plain = get_engine("transformers")
    here = drive(plain.open(Opening(teacher, plain.options(), SAMPLING, TASK, {})), wanted[:8])
    engine = open_ray("transformers", teacher, actors=1)
    assert engine.not_honoured == ("seed",)
    assert {key: reply.text for key, reply in drive(engine, wanted[:8]).items()} == {
        key: reply.text for key, reply in here.items()
    }
    engine.submit(requests(1)[0])  # chat turns, for which it has no template
    with pytest.raises(BadInput, match="no chat template") as caught:
        engine.wait()
    assert caught.value.try_[0].startswith("--prompt plain-few")


def test_options_of_the_inner_engine_are_held_to_its_own(run: Callable[..., Any]):
    command = ["build", "countdown", "--teacher", "scripted", "--engine", "ray", "--dry-run", "--engine-option"]
    assert "cannot run itself" in run(*command, "engine=ray", code=2).stderr
    assert "did you mean scripted?" in run(*command, "engine=scriptd", code=2).stderr
    assert (
        "runs on the engine scripted only, not on transformers" in run(*command, "engine=transformers", code=2).stderr
    )
    inner = run(*command, "engine=scripted", "--engine-option", "engine_options={latency: 5}", code=2)
    assert "did you mean engine_options.engine_options.latency_ms?" in inner.stderr
    run(*command, "engine=scripted")


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    kind = get_engine("ray")
    opening = Opening(get_teacher("scripted"), kind.options(engine="scripted"), SAMPLING, TASK, PROBLEMS)
    with pytest.raises(Unavailable, match="comes with the extra 'ray'"):
        kind.open(opening)


@pytest.mark.parametrize(
    ("nodes", "asked", "expected"),
    [
        ([{"CPU": 8}], (None, None, None, 1), (1, 0, 8)),
        ([{"CPU": 8}, {"CPU": 4}], (2, None, None, 1), (2, 0, 4)),
        ([{"CPU": 8}, {"CPU": 8}], (3, None, None, 1), (3, 0, 4)),
        ([{"CPU": 2}], (2, None, None, 4), (2, 0, 1)),
        ([{"CPU": 32, "GPU": 4}, {"CPU": 32, "GPU": 2}], (None, None, None, 1), (6, 1, 1)),
        ([{"CPU": 32, "GPU": 4}, {"CPU": 32, "GPU": 3}], (None, None, None, 2), (3, 2, 1)),
        ([{"CPU": 32, "GPU": 2}], (None, 0.5, None, 1), (4, 0.5, 1)),
        ([{"CPU": 32, "GPU": 2}], (5, 0, 0.25, 1), (5, 0, 0.25)),
    ],
)
def test_actors_fill_the_cluster_unless_told(monkeypatch: pytest.MonkeyPatch, nodes, asked, expected):
    ray = pytest.importorskip("ray", reason="ray is not installed")
    from wrongcot_data.engines.ray_cluster import Cluster

    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": node} for node in nodes])
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    layout = Cluster(None).layout(*asked)
    assert (layout.actors, layout.gpus, layout.cpus) == expected


@pytest.mark.parametrize("address", ["127.0.0.1:{port}", "ray://127.0.0.1:{port}", "127.0.0.1:99999999"])
def test_an_address_that_nobody_answers_is_said_at_once_and_not_left_to_ray(monkeypatch: pytest.MonkeyPatch, address):
    ray = pytest.importorskip("ray", reason="ray is not installed")
    from wrongcot_data.engines.ray_cluster import Cluster

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: pytest.fail("Ray was asked"))
    with socket.socket() as free:  # bound, and nobody listens
        free.bind(("127.0.0.1", 0))
        address = address.format(port=free.getsockname()[1])
        with pytest.raises(Unavailable, match=f"no Ray at {address}: ") as caught:
            Cluster(address)
    assert "ray start --head" in caught.value.try_[0]


def test_more_actors_than_cores_share_them(monkeypatch: pytest.MonkeyPatch):
    ray = pytest.importorskip("ray", reason="ray is not installed")
    from wrongcot_data.engines.ray_cluster import Cluster

    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 2}}])
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    assert 0.66 < Cluster(None).layout(3, None, None, 1).cpus <= 2 / 3


class Stuck(AsyncEngine):
    """Replies to all requests once there are two: whoever does not hand in the second hangs."""

    name = "stuck"
    not_honoured = ()
    capacity = 2

    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    async def _reply(self, request: Request) -> Completion:
        import asyncio

        self.n += 1
        while self.n < 2:
            await asyncio.sleep(0.01)
        return Completion(request.key, "text", "stop", 1, 1)


def host_of(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Host:
    kind = get_engine("scripted")
    monkeypatch.setattr(type(kind), "open", lambda _self, _opening: engine)
    host = Host()
    order = Order(get_teacher("scripted"), "scripted", {}, SAMPLING, "countdown", kind.revision(None, kind.options()))
    assert host.open(order, PROBLEMS).capacity == engine.capacity
    return host


def test_an_actor_hands_in_requests_while_it_waits_for_others(monkeypatch: pytest.MonkeyPatch):
    engine = Stuck()
    host = host_of(engine, monkeypatch)
    first, second = requests(2)
    host.submit([first])
    found: list[str] = []

    def collect() -> None:
        while len(found) < 2:
            found.extend(completion.key for completion in host.collect()[0])

    thread = threading.Thread(target=collect)
    thread.start()
    time.sleep(0.1)
    host.submit([second])
    thread.join(timeout=10)
    engine.close()
    assert sorted(found) == [first.key, second.key]


class LocalError(Exception):
    """Cannot be put together again from its arguments, like many a library's."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")


def test_an_exception_that_cannot_travel_is_told_by_one_that_can(monkeypatch: pytest.MonkeyPatch):
    class Faulty:
        name, not_honoured, capacity = "faulty", (), 1

        def submit(self, _request: Request) -> None: ...

        def wait(self) -> list[Completion]:
            raise LocalError(42, "the library's own")

    monkeypatch.setattr(ray_host, "POLL_S", 0.1)
    host = host_of(Faulty(), monkeypatch)
    assert host.collect() == ([], 1)  # silence is no trouble
    host.submit(requests(1))
    with pytest.raises(RuntimeError, match="LocalError: 42: the library's own"):
        until(lambda: not host.collect())


# Builds as programs of their own, each with a local Ray of its own


def flags(out: Path, *more: object, latency_ms: int = 150, limit: int = 150) -> list[str]:
    inner = f"engine_options={{latency_ms: {latency_ms}, capacity: 20}}"
    ray = ["--engine", "ray", "--engine-option", "engine=scripted", "--engine-option", inner, "--engine-option"]
    ray += ["actors=2", "--engine-option", "cpus_per_actor=0", "--json"]
    command = ["build", "countdown", "--teacher", "scripted", "--limit", limit, "--out", out, *more, *ray]
    command += ["--journal", out / "pool" / "journal.sqlite"]
    return [str(word) for word in command]


def stored(out: Path) -> int:
    journal = out / "pool" / "journal.sqlite"
    if not journal.exists():
        return 0
    with sqlite3.connect(journal) as db:
        return int(db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'samples'").fetchone()[0]) and int(
            db.execute("SELECT count(*) FROM samples").fetchone()[0]
        )


@pytest.fixture
def start_ray(local_ray: None) -> Callable[..., subprocess.Popen[str]]:
    """Starts `wrongcot-data` in a process group of its own, as a terminal does."""

    def begin(*args: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "wrongcot_data", *args]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    return begin


def gone(pids: Sequence[int]) -> bool:
    return not any(Path(f"/proc/{pid}/cmdline").is_file() and Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)


@pytest.mark.real
def test_a_build_that_loses_itself_and_then_an_actor_gives_the_rows_of_a_plain_one(
    tmp_path: Path, scripted, rows, start_ray
):
    """`kill -9` of the build, then the same command, then `kill -9` of one of its two actors."""
    scripted(tmp_path / "plain", "--limit", 150)
    out = tmp_path / "ray"
    with start_ray(*flags(out)) as process:
        until(lambda: stored(out) > 60)
        left = descendants(process.pid)
        process.kill()
    assert sum("Host" in command for command in left.values()) == 2
    # a local Ray ends with the build that started it; its two agents take about a minute
    until(lambda: gone([pid for pid, command in left.items() if "Agent" not in command]), 30)
    so_far = stored(out)
    with start_ray(*flags(out)) as process:
        until(lambda: stored(out) > so_far + 60)
        os.kill(actors(process.pid)[0], signal.SIGKILL)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "requests are asked again" in errors
    receipt = json.loads(output)["receipt"]  # nothing of Ray's on standard output
    assert receipt["balanced"]
    for config in ("reference", "right", "wrong", "samples"):
        here, there = ([row | {"engine": ""} for row in rows(folder, config)] for folder in (out, tmp_path / "plain"))
        assert here == there, config
    assert {row["engine"].partition(" on ")[2].split()[0] for row in rows(out, "samples")} == {"ray"}


@pytest.mark.real
def test_ctrl_c_in_a_terminal_lets_the_actors_finish(tmp_path: Path, run, rows, start_ray):
    out = tmp_path / "d"
    with start_ray(*flags(out, latency_ms=700, limit=400)) as process:
        until(lambda: stored(out) > 20)
        left = list(descendants(process.pid))
        os.killpg(process.pid, signal.SIGINT)  # all that are in the foreground get it
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "is lost" not in errors
    receipt = json.loads(output)["receipt"]
    assert receipt["balanced"]
    assert receipt["left_out"]["stopped early"] > 0
    assert {row["reason"] for row in rows(out, "samples") if row["grade"] == "error"} <= {"scripted failure"}
    assert gone(left)
    run("verify", out)
