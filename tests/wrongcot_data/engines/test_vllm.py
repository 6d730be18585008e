"""vLLM on the CPU, with a small real model; what it must do beyond the contract that every engine is under."""

from __future__ import annotations

import dataclasses
import io
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Engine, Opening, Request, Sampling
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.records import Message, Prompt
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import Teacher, get_teacher
from wrongcot_data.teachers.weights import find_weights

pytestmark = pytest.mark.real
pytest.importorskip("vllm", reason="vLLM is not installed here")

TASK = get_task("countdown")
GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=24)
SMALL: dict[str, Any] = {"extra": {"kv_cache_memory_bytes": 256 << 20}, "max_num_seqs": 16}
TEXTS = ["The capital of France is", "One, two, three,", "Problem: make 7 from 3 and 4.\nSolution:"]


def opening(teacher: Teacher, sampling: Sampling = GREEDY, engine: str = "vllm", **options: Any) -> Opening:
    return Opening(teacher, get_engine(engine).options(**options), sampling, TASK, {})


@pytest.fixture(scope="module")
def smollm2() -> Teacher:
    return get_teacher("smollm2-135m")


@pytest.fixture(scope="module")
def engine(smollm2: Teacher) -> Iterator[Engine]:
    """One for the whole file: starting takes half a minute."""
    engine = get_engine("vllm").open(opening(smollm2, **SMALL))
    yield engine
    engine.close()


def ask(engine: Engine, *prompts: Prompt) -> list[Completion]:
    for number, prompt in enumerate(prompts):
        engine.submit(Request(str(number), "p", prompt, number))
    found: dict[str, Completion] = {}
    while len(found) < len(prompts):
        found |= {completion.key: completion for completion in engine.wait()}
    return [found[str(number)] for number in range(len(prompts))]


def plain(text: str, *stop: str) -> Prompt:
    return Prompt("test", text=text, stop=stop)


def test_the_engine_says_what_it_is(engine: Engine):
    import vllm

    assert engine.name == f"vllm {vllm.__version__} float32 cpu"
    assert engine.capacity == 2 * SMALL["max_num_seqs"]
    assert engine.not_honoured == ()


def test_nothing_that_vllm_set_for_its_own_processes_is_left_behind(engine: Engine):
    assert not {"LD_PRELOAD", "VLLM_ENABLE_V1_MULTIPROCESSING", "VLLM_WORKER_MULTIPROC_METHOD"} & os.environ.keys()
    assert os.environ["VLLM_NO_USAGE_STATS"] == "1"


def test_greedy_replies_are_those_of_the_transformers_engine(engine: Engine, smollm2: Teacher):
    turns = Prompt("test", messages=(Message("user", "Write one sentence about the sea."),))
    prompts = [*map(plain, TEXTS), turns]
    other = get_engine("transformers").open(opening(smollm2, engine="transformers"))
    theirs = ask(other, *prompts)
    other.close()
    assert ask(engine, *prompts) == theirs


def test_a_stop_string_is_kept_and_only_the_tokens_up_to_it_are_counted(engine: Engine):
    (whole,) = ask(engine, plain(TEXTS[1]))
    stop = whole.text[9:12]
    (cut,) = ask(engine, plain(TEXTS[1], stop, "never seen"))
    assert cut.text == whole.text[: whole.text.index(stop) + len(stop)]
    assert cut.finish_reason == "stop"
    assert cut.n_tokens < whole.n_tokens == GREEDY.max_tokens
    assert whole.finish_reason == "length"


def test_the_token_that_ends_a_turn_ends_the_reply_and_is_not_in_it(engine: Engine):
    (reply,) = ask(engine, Prompt("test", messages=(Message("user", "What is 1 + 1? Answer with one word."),)))
    assert "<|im_end|>" not in reply.text
    assert reply.finish_reason == "stop"


def test_a_prompt_that_does_not_fit_is_that_rows_error(engine: Engine):
    good, bad, fine = ask(engine, plain(TEXTS[0]), plain("x " * 9000), plain(TEXTS[1]))
    assert (good.finish_reason, fine.finish_reason) == ("length", "length")
    assert bad.finish_reason == "error"
    assert "prompt of 9001 tokens and 24 to write exceed the model's" in bad.error


def test_a_prompt_that_vllm_refuses_is_that_rows_error(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "_ids", lambda prompt: (10**7,) if prompt.text == "odd" else (1, 2, 3))
    bad, good = ask(engine, plain("odd"), plain("even"))
    assert bad.finish_reason == "error"
    assert bad.error.startswith("vLLM: ")
    assert good.finish_reason == "length"


def test_vllm_gets_our_token_ids_and_adds_none(engine: Engine, smollm2: Teacher):
    from transformers import AutoTokenizer

    from wrongcot_data.engines.tokens import token_ids

    tokenizer: Any = AutoTokenizer.from_pretrained(find_weights(smollm2).folder)
    prompts = [plain(TEXTS[2]), Prompt("test", messages=(Message("user", "hello"),))]
    for prompt, completion in zip(prompts, ask(engine, *prompts), strict=True):
        assert completion.n_prompt_tokens == len(token_ids(tokenizer, prompt))


def test_attempts_of_one_problem_share_their_prompt(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    cached = []  # vLLM tells by its outputs alone how much of a prompt it had computed already
    complete = engine._completion  # type: ignore[attr-defined]
    monkeypatch.setattr(
        engine, "_completion", lambda request, out: cached.append(out.num_cached_tokens) or complete(request, out)
    )
    prompt = plain("Worked example: 3 + 4 = 7. " * 40)
    first, second = (ask(engine, prompt)[0] for _ in range(2))
    assert cached[0] == 0
    assert cached[1] >= first.n_prompt_tokens // 2
    assert first == second


def test_arguments_of_vllm_pass(smollm2: Teacher):
    from wrongcot_data.engines.vllm import VllmOptions, engine_arguments

    folder = find_weights(smollm2).folder
    passed = engine_arguments(VllmOptions(tensor_parallel_size=2, extra={"block_size": 32}), folder)
    assert (passed["block_size"], passed["tensor_parallel_size"], passed["dtype"]) == (32, 2, "float32")


def test_what_extra_takes_is_known_to_this_vllm():
    from vllm.engine.arg_utils import AsyncEngineArgs

    from wrongcot_data.engines.vllm import HARMLESS

    assert {field.name for field in dataclasses.fields(AsyncEngineArgs)} >= HARMLESS


def test_a_limit_that_leaves_no_room_is_said_before_anything_is_started(
    smollm2: Teacher, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(BadInput, match="max_tokens 9000 leaves no room: the model holds 8192 tokens here"):
        get_engine("vllm").open(opening(smollm2, Sampling(0.0, 1.0, 9000), **SMALL))
    assert "loading smollm2-135m by vllm" in caplog.messages


def test_a_model_that_cannot_be_loaded_is_said_in_one_line_with_the_cause(
    tmp_path: Path, make_tiny_model: Callable[..., Path], capfd: pytest.CaptureFixture[str]
):
    folder = make_tiny_model(tmp_path / "m", hidden_size=128, num_attention_heads=4, num_key_value_heads=4)
    capfd.readouterr()
    (folder / "model.safetensors").write_bytes(b"\0" * 100)
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with pytest.raises(BadInput, match=r"vLLM cannot run the model in .*eader") as caught:
        get_engine("vllm").open(opening(Teacher("m", path=str(folder)), **SMALL))
    assert "\n" not in caught.value.message
    assert capfd.readouterr().err.count("\n") < 5
    left = [child for child in psutil.Process().children(recursive=True) if child.pid not in before]
    assert [child.cmdline() for child in left if "resource_tracker" not in " ".join(child.cmdline())] == []


def test_the_cause_of_a_failure_is_the_first_error_that_was_logged():
    from wrongcot_data.engines.vllm_processes import first_line, root_cause

    log = io.BytesIO(
        b"(EngineCore pid=7) ERROR 11-24 18:00:00 [core.py:1] EngineCore failed to start.\n"
        b"(EngineCore pid=7) ERROR 11-24 18:00:00 [core.py:1] Traceback (most recent call last):\n"
        b"(EngineCore pid=7) ERROR 11-24 18:00:00 [core.py:1] torch.OutOfMemoryError: no room\n"
        b"RuntimeError: Engine core initialization failed. See root cause above.\n"
    )
    assert root_cause(RuntimeError("Engine core initialization failed."), log) == "no room"
    assert root_cause(RuntimeError("told\nmore"), io.BytesIO(b"")) == "told"
    assert first_line(ValueError("1 validation error\n  Value error, too long [type=value_error]\n  see")) == "too long"


SCRIPT = """
    import signal, sys
    from wrongcot_data.engines import get_engine
    from wrongcot_data.engines.base import Opening, Request, Sampling
    from wrongcot_data.records import Prompt
    from wrongcot_data.tasks import get_task
    from wrongcot_data.teachers.registry import Teacher

    if __name__ == "__main__":
        signal.signal(signal.SIGINT, lambda *_: None)
        kind = get_engine("vllm")
        options = kind.options(max_num_seqs=4, extra={"kv_cache_memory_bytes": 64 << 20})
        teacher = Teacher("tiny", path=sys.argv[1])
        engine = kind.open(Opening(teacher, options, Sampling(0.0, 1.0, 8), get_task("countdown"), {}))
        print("open", flush=True)
        for line in sys.stdin:
            engine.submit(Request(line, "p", Prompt("test", text=line), 1))
            print(engine.wait()[0].finish_reason, flush=True)
"""


def test_ctrl_c_does_not_reach_the_core_and_a_killed_build_takes_it_along(
    tmp_path: Path, make_tiny_model: Callable[..., Path]
):
    folder = make_tiny_model(tmp_path / "m", hidden_size=128, num_attention_heads=4, num_key_value_heads=4)
    script = tmp_path / "open_engine.py"
    script.write_text(textwrap.dedent(SCRIPT))
    with subprocess.Popen(
        [sys.executable, script, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as build:
        assert build.stdin
        assert build.stdout
        assert build.stderr
        try:
            assert build.stdout.readline() == "open\n"
            children = psutil.Process(build.pid).children(recursive=True)
            os.killpg(build.pid, signal.SIGINT)  # as a terminal does
            time.sleep(1)
            build.stdin.write("abc\n")
            build.stdin.flush()
            assert build.stdout.readline() in ("length\n", "stop\n")
        finally:
            build.kill()
        assert len(children) >= 1
        _, alive = psutil.wait_procs(children, timeout=10)
        assert alive == []
        assert build.stderr.read().count("\n") < 5


def test_a_core_that_is_killed_ends_the_build_with_the_way_on(engine: Engine):
    """The last test here: it takes the file's engine with it."""
    for child in multiprocessing.active_children():
        child.kill()
    with pytest.raises(Unavailable, match="vLLM's process ended") as caught:
        ask(engine, *[plain(text) for text in TEXTS] * 100)
    assert "same command" in caught.value.try_[0]
    engine.close()
    engine.close()
