"""What every engine promises, and what the `transformers` engine must not get wrong for the sake of speed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from tests.stub_server import StubThread
from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Engine, Opening, Request, Sampling
from wrongcot_data.engines.decoding import common_prefix, draw_from, first_stop
from wrongcot_data.errors import BadInput, Unavailable
from wrongcot_data.records import Message, Problem, Prompt
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import render
from wrongcot_data.teachers.registry import Teacher

TASK = get_task("countdown")
PROBLEMS = [TASK.read_problem({"nums": [1, 2, n], "target": n + 3}) for n in range(3, 43)]
DRAWN = Sampling(temperature=1.0, top_p=0.95, max_tokens=200)
GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=30)

Open = Callable[..., Engine]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory, make_tiny_model: Callable[..., Path]) -> Path:
    """Random weights, large enough that replies differ; queries share keys, so that our own attention runs."""
    return make_tiny_model(
        tmp_path_factory.mktemp("engine") / "tiny", num_attention_heads=4, num_key_value_heads=2, initializer_range=0.5
    )


@pytest.fixture(scope="session")
def stub() -> Iterator[StubThread]:
    """A server whose replies differ by prompt and seed, but that is no model."""
    server = StubThread(models=["whatever"])
    yield server
    server.stop()


@pytest.fixture(scope="session")
def tiny_for_vllm(tmp_path_factory: pytest.TempPathFactory, make_tiny_model: Callable[..., Path]) -> Path:
    """vLLM's attention on a CPU wants heads of 32 or more."""
    folder = tmp_path_factory.mktemp("engine") / "tiny-for-vllm"
    return make_tiny_model(folder, hidden_size=128, num_attention_heads=4, initializer_range=0.2)


class Kept:
    """An engine that takes half a minute to start, for all tests that ask for the same; the session's end closes it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def kept() -> Iterator[dict[str, Engine]]:
    engines: dict[str, Engine] = {}
    yield engines
    for engine in engines.values():
        engine.close()
        engine.close()


@pytest.fixture
def open_engine(tiny: Path, kept: dict[str, Engine], request: pytest.FixtureRequest) -> Open:
    def opened(name: str, sampling: Sampling = DRAWN, problems: Sequence[Problem] = PROBLEMS, **options: Any) -> Engine:
        if name == "ray":
            request.getfixturevalue("local_ray")
        kind = get_engine(name)
        folder = tiny
        if options.get("base_urls") == "the stub":
            options["base_urls"] = request.getfixturevalue("stub").url
        if name == "vllm":
            pytest.importorskip("vllm", reason="vLLM is not installed here")
            folder = request.getfixturevalue("tiny_for_vllm")
        teacher = Teacher("tiny", path=str(folder))
        by_id = {problem.id: problem for problem in problems}
        opening = Opening(teacher, kind.options(**options), sampling, TASK, by_id)
        if name != "vllm":
            return kind.open(opening)
        asked = repr((sampling, options))
        if asked not in kept:
            kept[asked] = kind.open(opening)
        return Kept(kept[asked])

    return opened


def requests(style: Any = "chat-zero", number: int = len(PROBLEMS)) -> list[Request]:
    return [
        Request(f"r{n}", problem.id, render(TASK, problem, style, 2), n)
        for n, problem in enumerate(PROBLEMS[:number])
    ]  # fmt: skip


def plain(*texts: str, stop: tuple[str, ...] = ()) -> list[Request]:
    return [Request(f"r{n}", PROBLEMS[0].id, Prompt("test", text=text, stop=stop), n) for n, text in enumerate(texts)]


def replies(engine: Engine, wanted: Sequence[Request]) -> dict[str, Completion]:
    """Everything that comes back, by key; never more in flight than the engine takes."""
    found: dict[str, Completion] = {}
    waiting = list(wanted)
    in_flight = 0
    while waiting or in_flight:
        while waiting and in_flight < engine.capacity:
            engine.submit(waiting.pop(0))
            in_flight += 1
        finished = engine.wait()
        assert finished, "wait() must bring at least one"
        for completion in finished:
            assert completion.key not in found, "a reply came back twice"
            found[completion.key] = completion
        in_flight -= len(finished)
    engine.close()
    engine.close()
    return found


RAY = {"engine": "scripted", "engine_options": {"capacity": 5}, "actors": 2, "cpus_per_actor": 0}
SMALL = {"max_num_seqs": 8, "extra": {"kv_cache_memory_bytes": 64 << 20}}
CONTRACT: dict[str, tuple[str, dict[str, Any]]] = {
    "scripted": ("scripted", {}),
    "scripted-3": ("scripted", {"capacity": 3}),
    "transformers": ("transformers", {"batch_size": 8}),
    "vllm": ("vllm", SMALL),
    "server-vllm": ("server", {"base_urls": "the stub"}),
    "server-openai": ("server", {"base_urls": "the stub", "dialect": "openai"}),
    "ray": ("ray", RAY),
}
contract = pytest.mark.parametrize(("name", "options"), CONTRACT.values(), ids=CONTRACT)


def test_every_engine_that_is_installed_is_under_the_contract():
    assert {name for name, _ in CONTRACT.values()} == {entry.name for entry in entry_points(group="wrongcot.engines")}


@contract
def test_every_request_comes_back_exactly_once_and_names_its_tokens(open_engine: Open, name: str, options: dict):
    wanted = requests()
    found = replies(open_engine(name, **options), wanted)
    assert found.keys() == {request.key for request in wanted}
    for completion in found.values():
        assert completion.n_prompt_tokens > 0
        if completion.finish_reason == "error":
            assert completion.error
            assert completion.text == ""
        else:
            assert 0 < completion.n_tokens <= DRAWN.max_tokens
            assert not completion.error


@contract
def test_what_is_withdrawn_does_not_come_back_and_all_else_does(open_engine: Open, name: str, options: dict):
    wanted = requests()
    engine = open_engine(name, **options)
    for request in wanted:
        engine.submit(request)
    taken_back = engine.withdraw()
    found: list[str] = []
    while len(taken_back) + len(found) < len(wanted):
        found += [completion.key for completion in engine.wait()]
    assert sorted(taken_back + found) == sorted(request.key for request in wanted)
    if name == "transformers":
        assert len(taken_back) == len(wanted)
    assert engine.withdraw() == []
    engine.close()


@contract
def test_a_stop_string_is_kept_and_nothing_follows_it(open_engine: Open, name: str, options: dict):
    wanted = (
        requests()
        if "scripted" in (name, options.get("engine"))
        else plain(*["Go on: "] * 12, stop=("0", "1", "2", "ab"))
    )
    stopped = 0
    stops = wanted[0].prompt.stop
    for completion in replies(open_engine(name, **options), wanted).values():
        cut = first_stop(completion.text, stops)
        assert cut in (None, len(completion.text))
        if cut is not None:
            assert completion.finish_reason == "stop"
            stopped += 1
    assert stopped > 3


def test_an_engine_that_honours_seeds_gives_the_same_reply_again_in_any_company(open_engine: Open):
    engine = open_engine("scripted")
    assert "seed" not in engine.not_honoured
    together = replies(engine, requests())
    alone = {}
    for request in reversed(requests()):
        alone |= replies(open_engine("scripted", capacity=1), [request])
    assert alone == together


def test_vllm_draws_by_the_requests_own_seed(open_engine: Open):
    """Sums in a batch differ in their last bits, so a rare reply may differ; most must not."""
    engine = open_engine("vllm", **SMALL)
    assert engine.not_honoured == ()
    together = replies(engine, requests(number=12))
    alone = {request.key: replies(engine, [request])[request.key] for request in requests(number=12)}
    assert sum(alone[key] == together[key] for key in together) >= 10
    assert len({completion.text for completion in together.values()}) >= 10


def test_vllm_takes_more_long_prompts_at_once_than_it_can_read_in_a_step(open_engine: Open):
    """Read in parts, a request with a seed ended vLLM's process on a CPU ("CPU Generator does not use offset")."""
    texts = [f"{number}" + "x" * 799 for number in range(8)]
    found = replies(open_engine("vllm", **SMALL), plain(*texts))
    assert {one.finish_reason for one in found.values()} <= {"stop", "length"}
    assert {one.n_prompt_tokens for one in found.values()} == {800}


def test_scripted_replies_differ_by_seed_and_come_at_the_rates_asked_for(open_engine: Open):
    rates = {"right": 0.2, "wrong": 0.4, "truncated": 0.2, "malformed": 0.1, "failure": 0.1}
    prompt = render(TASK, PROBLEMS[0], "chat-zero")
    wanted = [Request(f"r{n}", PROBLEMS[0].id, prompt, n) for n in range(2000)]
    found = replies(open_engine("scripted", **rates), wanted)
    assert len({completion.text for completion in found.values()}) > 200
    grades: Counter[str] = Counter()
    for completion in found.values():
        error = completion.finish_reason == "error"
        grades["error" if error else TASK.grade(PROBLEMS[0], completion.text, completion.finish_reason).grade] += 1
    for grade, rate in zip(("correct", "wrong", "truncated", "no_answer", "error"), rates.values(), strict=True):
        assert grades[grade] / 2000 == pytest.approx(rate, abs=0.04), grade


def test_scripted_replies_take_as_long_as_asked_and_side_by_side(open_engine: Open):
    started = time.monotonic()
    replies(open_engine("scripted", latency_ms=100), requests())
    assert 0.1 <= time.monotonic() - started < 1
    started = time.monotonic()
    replies(open_engine("scripted", latency_ms=30, capacity=10), requests(number=40))
    assert time.monotonic() - started >= 4 * 0.03


def reference(folder: Path, text: str) -> str:
    """The greedy reply of the library alone, one prompt, its own attention, no segments, nothing shared."""
    return "".join(reference_tokens(folder, text))


@cache
def reference_tokens(folder: Path, text: str) -> list[str]:
    """That reply in tokens; special ones are empty."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ids = tokenizer(text, return_tensors="pt")
    output = model.generate(
        **ids, max_new_tokens=GREEDY.max_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id
    )  # fmt: skip
    return [tokenizer.decode(token, skip_special_tokens=True) for token in output[0, ids["input_ids"].shape[1] :]]


SHARED = "The quick brown fox jumps over the lazy dog, then again. "
TEXTS = [
    "Short",
    "A rather longer one, with 12 + 30 = 42 in it",
    *(SHARED + tail for tail in ("a", "bc", "Make 7 of it")),
]
GROUPS = {
    "alone": [[text] for text in TEXTS],
    "with longer neighbours": [TEXTS],
    "with a shared beginning": [TEXTS[2:]],
    "all the same": [[TEXTS[1]] * 3],
}


@pytest.mark.parametrize("segment", [5, 64])
@pytest.mark.parametrize("group", GROUPS)
def test_a_greedy_reply_is_the_librarys_own_in_whatever_company(
    open_engine: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch, group: str, segment: int
):
    monkeypatch.setattr("wrongcot_data.engines.transformers.SEGMENT", segment)
    for texts in GROUPS[group]:
        found = replies(open_engine("transformers", GREEDY), plain(*texts))
        assert [found[f"r{n}"].text for n in range(len(texts))] == [reference(tiny, text) for text in texts]


def test_the_groups_above_share_what_they_say(tiny: Path):
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(tiny)
    ids = [tokenizer(text)["input_ids"] for text in TEXTS]
    assert len(common_prefix(ids[2:])) == len(SHARED)
    assert common_prefix(ids) == []
    assert len({reference(tiny, text) for text in TEXTS}) == len(TEXTS)


@pytest.mark.parametrize("segment", [4, 64])
def test_a_stop_string_that_falls_over_tokens_and_segments_is_found(
    open_engine: Open, tiny: Path, monkeypatch: pytest.MonkeyPatch, segment: int
):
    monkeypatch.setattr("wrongcot_data.engines.transformers.SEGMENT", segment)
    whole = reference(tiny, TEXTS[0])
    stop = whole[6:10]
    (completion,) = replies(open_engine("transformers", GREEDY), plain(TEXTS[0], stop=(stop,))).values()
    assert completion.text == whole[: whole.index(stop) + 4]
    tokens = reference_tokens(tiny, TEXTS[0])
    least = next(n for n in range(len(tokens)) if stop in "".join(tokens[:n]))
    assert (completion.finish_reason, completion.n_tokens) == ("stop", least)


def test_a_stop_string_in_the_prompt_stops_nothing(open_engine: Open, tiny: Path):
    text = "Problem: </answer>"
    (completion,) = replies(open_engine("transformers", GREEDY), plain(text, stop=("</answer>",))).values()
    assert completion.text == reference(tiny, text)


def test_a_reply_that_reaches_the_limit_is_cut_off_there(open_engine: Open):
    found = replies(open_engine("transformers", Sampling(1.0, 1.0, 7)), plain(*["Go on"] * 10))
    cut = [completion for completion in found.values() if completion.finish_reason == "length"]
    assert cut
    assert {completion.n_tokens for completion in cut} == {7}


def test_a_prompt_that_does_not_fit_is_an_error_of_its_own(open_engine: Open):
    found = replies(open_engine("transformers", GREEDY), plain("fits", "x" * 1000, "fits too"))
    assert "error" not in {found[f"r{n}"].finish_reason for n in (0, 2)}
    assert found["r1"].finish_reason == "error"
    assert "prompt of 1000 tokens and 30 to write exceed the model's 1024" in found["r1"].error


def test_a_device_that_is_not_there_is_said_so(open_engine: Open):
    for device in ("cuda:99", "abacus"):
        with pytest.raises(Unavailable, match=f"device '{device}' cannot be used here"):
            open_engine("transformers", device=device)


def test_a_model_that_is_being_loaded_is_told(open_engine: Open, caplog: pytest.LogCaptureFixture):
    open_engine("transformers").close()
    assert "loading tiny by transformers" in caplog.messages


@pytest.mark.parametrize("part", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_model_with_a_damaged_part_is_said_so(tmp_path: Path, make_tiny_model: Callable[..., Path], part: str):
    (make_tiny_model(tmp_path / "m") / part).write_text("{}" if part == "config.json" else "")
    kind = get_engine("transformers")
    with pytest.raises(BadInput, match="cannot load the model"):
        kind.open(Opening(Teacher("m", path=str(tmp_path / "m")), kind.options(), GREEDY, TASK, {}))


def test_chat_turns_for_a_model_without_a_chat_template_are_refused_with_the_way_out(
    tmp_path: Path, make_tiny_model: Callable[..., Path]
):
    teacher = Teacher("base", path=str(make_tiny_model(tmp_path / "base", None)))
    kind = get_engine("transformers")
    engine = kind.open(Opening(teacher, kind.options(), GREEDY, TASK, {}))
    with pytest.raises(BadInput, match="no chat template") as caught:
        engine.submit(requests()[0])
    assert caught.value.try_[0].startswith("--prompt plain-few")


def test_two_bos_are_refused(tmp_path: Path, make_tiny_model: Callable[..., Path]):
    from transformers import AutoTokenizer

    from wrongcot_data.engines.tokens import token_ids

    template = "{{ bos_token }}%s{%% for message in messages %%}{{ message['content'] }}{%% endfor %%}"
    prompt = Prompt("test", messages=(Message("user", "hi"),))
    once = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path / "once", template % ""))
    ids = token_ids(once, prompt)
    assert ids.count(once.bos_token_id) == 1
    twice = AutoTokenizer.from_pretrained(make_tiny_model(tmp_path / "twice", template % "{{ bos_token }}"))
    with pytest.raises(ValueError, match="two '<bos>' tokens"):
        token_ids(twice, prompt)


@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.95, 0.999, 1.0])
@pytest.mark.parametrize("spread", [0.001, 1.0, 8.0])
def test_the_nucleus_is_the_librarys(top_p: float, spread: float):
    """A spread of 0.001 over 5,000 tokens is flat: from a half on, the nucleus is not among the likeliest 1,024."""
    import torch
    from transformers import TopPLogitsWarper

    torch.manual_seed(1)
    scores = torch.randn(4, 5000) * spread
    ids = torch.zeros(4, 1, dtype=torch.long)
    ours = draw_from(0.7, top_p)(ids, scores)
    theirs = TopPLogitsWarper(top_p)(ids, scores / 0.7) if top_p < 1 else scores / 0.7
    assert torch.equal(ours.isinf(), theirs.isinf())
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("top_p", [0.05, 0.5])
def test_of_tokens_that_are_all_alike_the_nucleus_is_as_large_as_the_librarys(top_p: float):
    import torch
    from transformers import TopPLogitsWarper

    scores, ids = torch.zeros(2, 5000), torch.zeros(2, 1, dtype=torch.long)
    ours, theirs = draw_from(1.0, top_p)(ids, scores), TopPLogitsWarper(top_p)(ids, scores)
    assert ours.isfinite().sum().item() == pytest.approx(theirs.isfinite().sum().item(), abs=2)


def test_grouped_attention_is_the_librarys(tiny: Path):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from wrongcot_data.engines.attention import NAME, implementation_for

    assert implementation_for(AutoConfig.from_pretrained(tiny), "cpu") == NAME
    loader: Any = AutoModelForCausalLM
    torch.manual_seed(0)
    ids = torch.randint(6, 100, (3, 20))
    mask = torch.ones_like(ids)
    mask[0, :7] = 0  # left padding
    mask[1, :1] = 0
    with torch.inference_mode():
        ours, theirs = (
            loader.from_pretrained(tiny, dtype=torch.float32, attn_implementation=name)(ids, attention_mask=mask).logits
            for name in (NAME, "sdpa")
        )
        unmasked = loader.from_pretrained(tiny, dtype=torch.float32, attn_implementation=NAME)(ids).logits
        plainly = loader.from_pretrained(tiny, dtype=torch.float32, attn_implementation="sdpa")(ids).logits
    assert torch.allclose(ours[mask.bool()], theirs[mask.bool()], atol=1e-5)
    assert torch.allclose(unmasked, plainly, atol=1e-5)


def test_our_attention_is_left_alone_where_it_would_be_wrong():
    from types import SimpleNamespace

    from wrongcot_data.engines.attention import implementation_for

    shares = {"num_attention_heads": 4, "num_key_value_heads": 2}
    assert implementation_for(SimpleNamespace(**shares, attn_logit_softcapping=50.0), "cpu") is None
    assert implementation_for(SimpleNamespace(**shares), "cuda") is None
    assert implementation_for(SimpleNamespace(num_attention_heads=4, num_key_value_heads=4), "cpu") is None
