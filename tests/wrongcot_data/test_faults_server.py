"""Builds whose server misbehaves, through the real command line: nothing is lost, nothing is asked twice."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stub_server import StubProcess, StubThread

SECRET = "sk-sentinel-9876543210"


@pytest.fixture(autouse=True)
def no_gpu_and_no_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("wrongcot_data.teachers.availability.find_gpus", list)
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub() -> Iterator[StubThread]:
    server = StubThread()
    yield server
    server.stop()


@pytest.fixture
def processes() -> Iterator[list[StubProcess]]:
    made: list[StubProcess] = []
    yield made
    for one in made:
        one.kill()


def flags(out: Path, *urls: str, **options: Any) -> list[object]:
    """A build by servers of a teacher that needs a GPU here."""
    at = [flag for url in urls for flag in ("--base-url", url)]
    quick = {"backoff_s": 0.02, **options}
    sets = [flag for name, value in quick.items() for flag in ("--engine-option", f"{name}={value}")]
    return ["build", "countdown", "--teacher", "gemma-9b", "--variant", "wrong", "--out", out, *at, *sets]


def samples(out: Path) -> list[tuple[str, int, str]]:
    """What the journal holds; nothing while it is being made."""
    try:
        with sqlite3.connect(out / "pool" / "journal.sqlite") as db:
            return db.execute("SELECT request_id, attempt, finish_reason FROM samples").fetchall()
    except sqlite3.OperationalError:
        return []


def test_a_budget_holds_where_the_server_counts_no_tokens(tmp_path: Path, run):
    stub = StubThread(usage=False)
    try:
        limit = ["--limit", 200, "--max-tokens", 100, "--max-tokens-total", 2000, "--json"]
        told = json.loads(run(*flags(tmp_path / "d", stub.url), *limit).stdout)["receipt"]
    finally:
        stub.stop()
    assert sum(told["samples"].values()) + told["spare"]["replies"] <= 20
    assert told["left_out"]["token budget used up"] > 0


def until_stored(out: Path, number: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 60
    while not (out / "pool").exists() or len(samples(out)) < number:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_a_build_by_a_server_needs_no_gpu_here_and_says_who_wrote_the_rows(tmp_path: Path, run, rows, stub: StubThread):
    out = tmp_path / "d"
    run(*flags(out, stub.url), "--limit", 30)
    (row, *_) = rows(out, "wrong")
    assert row["teacher"] == "gemma-9b"
    assert row["teacher_revision"] == "served:google/gemma-2-9b-it"
    assert row["engine"] == "server vllm 0.32.0, google/gemma-2-9b-it"
    manifest = json.loads((out / "wrongcot.json").read_text())
    assert manifest["spec"]["engine"] == "server"
    assert manifest["spec"]["engine_options"]["base_urls"] == [stub.url]
    run("verify", out)
    asked = stub.counts()["requests"]
    stub.stop()
    run(*flags(out, stub.url), "--limit", 30)  # nothing is missing, so nobody is asked
    assert stub.counts()["requests"] == asked


@pytest.mark.parametrize(("once", "errors"), [(True, False), (False, True)])
def test_garbage_for_half_of_the_rows_ends_with_a_balanced_receipt(
    tmp_path: Path, run, stub: StubThread, once: bool, errors: bool
):
    out = tmp_path / "d"
    stub.set(**{"break": 0.5, "how": "garbage", "once": once})
    receipt = json.loads(run(*flags(out, stub.url, tries=3), "--limit", 60, "--json").stdout)["receipt"]
    assert receipt["balanced"]
    assert receipt["asked"] == receipt["kept"]["wrong"] + sum(receipt["left_out"].values())
    assert bool(receipt["samples"].get("error")) == errors
    stored = samples(out)
    paid = sum(receipt["samples"].values()) + receipt["spare"]["replies"]
    assert len({row[:2] for row in stored}) == len(stored) == paid
    assert stub.counts()["twice"] == 0
    assert stub.counts()["replies"] == sum(1 for row in stored if row[2] != "error")


def test_a_server_killed_in_the_middle_ends_the_build_with_the_next_step_and_the_same_command_finishes(
    tmp_path: Path, start, rows, processes: list[StubProcess]
):
    out = tmp_path / "d"
    processes.append(StubProcess(latency_ms=40))
    url, port = processes[0].url, processes[0].port
    # 8 at once and 40 ms: 200 rows a second, which the journal stores a second's worth at a time
    command = [*flags(out, url, patience_s=1, in_flight=8), "--limit", 500]
    with start(*command) as process:
        until_stored(out, 60, process)
        processes[0].kill()
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    assert "no server answers" in errors
    assert "start it again and give the same command: it goes on" in errors
    assert "Traceback" not in errors
    before = samples(out)
    assert 60 <= len(before) < 500
    assert "error" not in {row[2] for row in before}
    processes.append(StubProcess(port, latency_ms=1))
    with start(*command) as process:
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    after = samples(out)
    assert set(before) < set(after)
    assert "error" not in {row[2] for row in after}
    assert processes[1].counts()["twice"] == 0
    assert processes[1].counts()["requests"] == len(after) - len(before)
    assert len(rows(out, "wrong")) == 500


def test_of_two_servers_one_is_killed_and_the_build_finishes(tmp_path: Path, start, rows, processes: list[StubProcess]):
    out = tmp_path / "d"
    processes += [StubProcess(latency_ms=40), StubProcess(latency_ms=40)]
    urls = [one.url for one in processes]
    with start(*flags(out, *urls, in_flight=4), "--limit", 400) as process:
        deadline = time.monotonic() + 60
        while processes[0].counts()["replies"] < 40:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        processes[0].kill()
        _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"the server at {urls[0]}/v1 is away" in errors
    assert "error" not in {row[2] for row in samples(out)}
    assert len(rows(out, "wrong")) == 400


def test_the_key_is_in_no_file_and_in_no_output(tmp_path: Path, run, monkeypatch: pytest.MonkeyPatch, stub: StubThread):
    out = tmp_path / "d"
    monkeypatch.setenv("MY_KEY", SECRET)
    stub.set(key=SECRET, refuse=500, refusals=20, message=f"Bearer {SECRET} broke me")
    result = run(*flags(out, stub.url, key_variable="MY_KEY", tries=1, in_flight=4), "--limit", 40, "--json")
    assert json.loads(result.stdout)["receipt"]["samples"]["error"] == 20
    said = result.stdout + result.stderr
    stub.set(key="another")
    refused = run(*flags(out, stub.url, key_variable="MY_KEY"), "--limit", 50, code=3)
    assert "does not accept the key in MY_KEY: Incorrect API key provided: Bearer ***" in refused.stderr
    assert SECRET not in said + refused.stdout + refused.stderr
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > 4
    for path in files:
        assert SECRET.encode() not in path.read_bytes(), path
    with sqlite3.connect(out / "pool" / "journal.sqlite") as db:  # texts are packed in there
        stored = db.execute("SELECT * FROM samples").fetchall()
    assert SECRET not in repr(stored)
    assert "***" in run("show", out, "--variant", "samples", "--grade", "error", "-n", 1).stdout


def test_a_base_url_with_another_engine_or_a_secret_is_refused(tmp_path: Path, run):
    clash = run(*flags(tmp_path / "d", "http://localhost:1"), "--engine", "transformers", code=2)
    assert "--base-url is for the engine server, not for transformers" in clash.stderr
    secret = run(*flags(tmp_path / "d", f"http://me:{SECRET}@localhost:1"), code=2)
    assert "carries a user or a password" in secret.stderr
    assert SECRET not in secret.stderr
    scripted = run("build", "countdown", "--teacher", "scripted", "--base-url", "http://localhost:1", code=2)
    assert "runs on the engine scripted only" in scripted.stderr
    assert not (tmp_path / "d").exists()


def test_a_server_that_is_not_there_and_a_key_that_is_not_set_leave_the_next_step(tmp_path: Path, run):
    gone = run(*flags(tmp_path / "d", "http://127.0.0.1:9"), "--limit", 5, code=3)
    assert "no server answers: http://127.0.0.1:9/v1: cannot be connected to" in gone.stderr
    unset = run("build", "countdown", "--teacher", "gemini-flash", "--out", tmp_path / "g", code=3)
    assert "GEMINI_API_KEY is not set" in unset.stderr
    assert "try:  export GEMINI_API_KEY=..." in unset.stderr
    assert not (tmp_path / "g").exists()


@pytest.mark.parametrize("stop", ["interrupt", "deadline"])
def test_a_build_that_is_stopped_while_its_server_is_away_still_makes_its_data_set(
    tmp_path: Path, start, run, processes: list[StubProcess], stop: str
):
    out = tmp_path / "d"
    processes.append(StubProcess(latency_ms=100))
    minutes = ["--max-minutes", 0.1] if stop == "deadline" else []
    command = [*flags(out, processes[0].url, patience_s=8, in_flight=8), "--limit", 400, *minutes, "--json"]
    with start(*command) as process:
        until_stored(out, 10, process)
        processes[0].kill()
        if stop == "interrupt":
            process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == (130 if stop == "interrupt" else 0), errors
    receipt = json.loads(output)["receipt"]
    assert receipt["balanced"]
    assert receipt["kept"]["wrong"] > 0
    run("verify", out)


def test_a_build_that_is_stopped_sends_nothing_more(tmp_path: Path, start, processes: list[StubProcess]):
    out = tmp_path / "d"
    processes.append(StubProcess(latency_ms=1000, most=2))
    with start(*flags(out, processes[0].url, in_flight=64), "--limit", 400, "--json") as process:
        until_stored(out, 4, process)
        process.send_signal(signal.SIGINT)
        stopped = time.monotonic()
        process.communicate(timeout=120)
        assert time.monotonic() - stopped < 20
    assert process.returncode == 130
