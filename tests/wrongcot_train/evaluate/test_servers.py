"""A student behind an OpenAI-compatible server: asked over HTTP, with no weights on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from tests.stub_server import StubThread
from wrongcot_train.cli import main

GEMMA = ("--model", "google/gemma-2-9b-it")


@pytest.fixture
def server() -> Iterator[StubThread]:
    stub = StubThread(models=["google/gemma-2-9b-it", "mine"])
    yield stub
    stub.stop()


def run(*arguments: str | Path) -> Result:
    asked = ["eval", "--task", "countdown", "--limit", "12", *arguments]
    return CliRunner().invoke(main, [str(one) for one in asked])


def test_a_student_is_asked_at_a_server(server: StubThread, tmp_path: Path) -> None:
    done = run(*GEMMA, "--base-url", server.url, "--samples", "2", "--out", tmp_path, "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["n"], told["samples"], told["grades"]["error"]) == (12, 2, 0)
    assert told["revision"] == "served:google/gemma-2-9b-it"
    assert told["engine"].startswith("server vllm")
    assert told["dtype"] == ""
    counts = server.counts()
    assert (counts["requests"], counts["last"]["temperature"], counts["last"]["top_p"]) == (24, 0.8, 0.95)
    written = pq.read_table(tmp_path / "items.parquet").to_pylist()
    assert all(len(row["completion"]) == 2 and row["completion"][0] != row["completion"][1] for row in written)
    run(*GEMMA, "--base-url", server.url, "--samples", "2", "--out", tmp_path)
    assert server.counts()["requests"] == 24  # nothing is asked twice


def test_a_greedy_reply_is_asked_greedily_and_plain_text_as_text(server: StubThread, tmp_path: Path) -> None:
    run(
        "--model",
        "google/gemma-2-9b-it",
        "--base-url",
        server.url,
        "--prompt",
        "plain-few",
        "--shots",
        "2",
        "--out",
        tmp_path,
    )
    last = server.counts()["last"]
    assert (last["temperature"], "messages" in last) == (0.0, False)
    assert last["prompt"].count("Solution:") == 3


def test_a_students_folder_is_asked_by_its_name_and_in_its_own_form(
    plain_student: Path, server: StubThread, tmp_path: Path
) -> None:
    named = ["--base-url", server.url, "--engine-option", "model=mine", "--out", tmp_path, "--json"]
    told = json.loads(run("--model", plain_student, *named).stdout)
    assert (told["revision"], told["prompt"]) == ("served:mine", "plain-v1")
    assert "prompt" in server.counts()["last"]


def test_replies_that_a_server_fails_to_give_are_errors_and_asked_again(server: StubThread, tmp_path: Path) -> None:
    patience = ["--engine-option", "tries=1", "--engine-option", "backoff_s=0.01"]
    asked = [*GEMMA, "--base-url", server.url, *patience, "--out", tmp_path, "--json"]
    server.set(**{"break": 0.4, "how": "garbage"})
    first = json.loads(run(*asked).stdout)
    assert 0 < first["grades"]["error"] < 12
    server.set(**{"break": 0.0})
    told = json.loads(run(*asked).stdout)
    assert (told["grades"]["error"], told["items_reused"]) == (0, 12 - first["grades"]["error"])


def test_a_server_is_for_the_engine_server(server: StubThread) -> None:
    done = run(*GEMMA, "--base-url", server.url, "--engine", "vllm")
    assert (done.exit_code, "--base-url is for the engine server, not for vllm" in done.stderr) == (2, True)
    nowhere = run(*GEMMA, "--engine", "server")
    assert "the engine server needs to know where" in nowhere.stderr


def test_a_dry_run_says_that_the_server_renders_the_prompt(server: StubThread) -> None:
    done = run(*GEMMA, "--base-url", server.url, "--dry-run")
    assert "it renders and tokenises the prompt itself" in done.stdout
    assert server.counts()["requests"] == 0
