"""The server engine against a real server on loopback that is told how to misbehave.

Whatever it does, every request comes back exactly once, or the engine says why nothing more can come.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any

import pytest

from tests.stub_server import StubThread
from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Opening, Request, Sampling, engine_column
from wrongcot_data.engines.endpoints import LONGEST_BACKOFF_S, Endpoint, Limit, backoff, retry_after
from wrongcot_data.engines.openai_api import base_url
from wrongcot_data.engines.server import ServerEngine
from wrongcot_data.errors import BadInput, Unavailable, WrongcotError
from wrongcot_data.records import Message, Prompt
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.registry import Teacher, get_teacher

TASK = get_task("countdown")
TEACHER = Teacher("stub", hub_id="maker/stub")
SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_tokens=300)
SECRET = "sk-sentinel-0123456789"

Make = Callable[..., StubThread]
Open = Callable[..., ServerEngine]


@pytest.fixture(autouse=True)
def no_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def stub() -> Iterator[Make]:
    made: list[StubThread] = []

    def make(**settings: Any) -> StubThread:
        made.append(StubThread(**{"models": ["stub"], **settings}))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture
def open_server() -> Iterator[Open]:
    opened: list[ServerEngine] = []

    def make(*stubs: StubThread, sampling: Sampling = SAMPLING, teacher: Teacher = TEACHER, **options: Any):
        kind = get_engine("server")
        patient = {"backoff_s": 0.01, "patience_s": 10, "base_urls": [one.url for one in stubs]}
        engine = kind.open(Opening(teacher, kind.options(**{**patient, **options}), sampling, TASK, {}))
        assert isinstance(engine, ServerEngine)
        opened.append(engine)
        return engine

    yield make
    for one in opened:
        one.close()


def wanted(number: int, text: str = "", stop: tuple[str, ...] = ("</answer>",)) -> list[Request]:
    """Chat requests, all different."""
    return [
        Request(
            f"r{n}", "p", Prompt("t", messages=(Message("user", text or f"Use {n + 1}, 7 to make 9."),), stop=stop), n
        )
        for n in range(number)
    ]


def replies(engine: ServerEngine, requests: Sequence[Request]) -> dict[str, Completion]:
    """Everything that comes back, by key, with never more under way than the engine likes."""
    found: dict[str, Completion] = {}
    left, under_way = list(requests), 0
    while left or under_way:
        while left and under_way < engine.capacity:
            engine.submit(left.pop(0))
            under_way += 1
        for completion in engine.wait():
            assert completion.key not in found, "a reply came back twice"
            found[completion.key] = completion
            under_way -= 1
    assert found.keys() == {request.key for request in requests}
    return found


def all_well(found: dict[str, Completion]) -> bool:
    return all(one.finish_reason == "stop" and one.text.endswith("</answer>") for one in found.values())


# -- what is asked and what comes back ---------------------------------------------------------------------------------


def test_a_vllm_server_is_asked_for_exactly_our_sampling_and_keeps_the_stop_string(stub: Make, open_server: Open):
    server = stub()
    engine = open_server(server)
    assert all_well(replies(engine, wanted(20)))
    last = server.counts()["last"]
    assert (last["temperature"], last["top_p"], last["max_tokens"], last["model"]) == (0.8, 0.95, 300, "stub")
    assert (last["top_k"], last["min_p"], last["repetition_penalty"]) == (-1, 0.0, 1.0)
    assert (last["stop"], last["include_stop_str_in_output"]) == (["</answer>"], True)
    assert engine_column(engine) == "server vllm 0.32.0, stub"


def test_another_server_is_asked_for_nothing_of_vllms_and_the_reply_is_cut_here(stub: Make, open_server: Open):
    server = stub(vllm=False)
    engine = open_server(server)
    found = replies(engine, wanted(3, stop=("before",)))
    assert all(one.text.endswith("before") and one.finish_reason == "stop" for one in found.values())
    assert server.counts()["last"].keys() == {"model", "messages", "temperature", "top_p", "max_tokens", "seed"}
    assert engine_column(engine) == "server openai, stub, seed and stop not honoured"


def test_plain_text_is_continued_by_the_other_page(stub: Make, open_server: Open):
    server = stub()
    request = Request("r", "p", Prompt("t", text="Use 1, 2 to make 3.", stop=("</answer>",)), 2**62 + 5)
    assert all_well(replies(open_server(server), [request]))
    last = server.counts()["last"]
    assert last["prompt"] == "Use 1, 2 to make 3."
    assert "messages" not in last
    assert last["seed"] == 5  # of 63 bits those that every server takes


def test_a_server_that_refuses_seeds_is_asked_without_and_the_rows_say_so(stub: Make, open_server: Open, caplog):
    server = stub(seeds=False)
    engine = open_server(server, in_flight=4)
    assert engine.not_honoured == ()
    assert all_well(replies(engine, wanted(40)))
    assert engine.not_honoured == ("seed",)
    assert "seed" not in server.counts()["last"]
    assert server.counts()["requests"] < 50
    assert [record.message for record in caplog.records] == [
        f"the server at {server.url}/v1 takes no seeds: going on without"
    ]


def test_a_server_that_wants_the_new_name_of_max_tokens_gets_it(stub: Make, open_server: Open):
    message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
    server = stub(vllm=False, refuse=400, refusals=1, message=message)
    assert all_well(replies(open_server(server, in_flight=1), wanted(5)))
    assert server.counts()["last"]["max_completion_tokens"] == 300
    assert "max_tokens" not in server.counts()["last"]


def test_a_count_of_tokens_that_is_not_given_is_nought_and_not_a_guess(stub: Make, open_server: Open):
    for one in replies(open_server(stub(usage=False)), wanted(3)).values():
        assert (one.n_prompt_tokens, one.n_tokens, one.finish_reason) == (0, 0, "stop")


@pytest.mark.parametrize(
    ("choice", "text", "finish", "error"),
    [
        ({"finish_reason": "length", "message": {"content": "half"}}, "half", "length", ""),
        ({"finish_reason": "length", "message": {"content": None}}, "", "length", ""),
        ({"finish_reason": "stop", "message": {"content": ""}}, "", "stop", ""),
        ({"finish_reason": None, "message": {"content": "a"}}, "a", "unknown", ""),
        ({"finish_reason": "repetition", "text": "a"}, "a", "unknown", ""),
        ({"finish_reason": "length", "text": "a</answer>b"}, "a</answer>", "stop", ""),
        ({"finish_reason": "content_filter", "message": {"content": "x"}}, "", "", "content filter"),
        ({"finish_reason": "tool_calls", "message": {"content": None}}, "", "", "tool call"),
        ({"finish_reason": "abort", "text": "a"}, "", "", "broke the reply off"),
        ({"finish_reason": "stop", "message": {"content": None}}, "", "", "garbage"),
        ({"finish_reason": "stop"}, "", "", "garbage"),
        ([], "", "", "garbage"),
    ],
)
def test_why_a_reply_ended(choice: Any, text: str, finish: str, error: str):
    import json

    from wrongcot_data.engines.openai_api import Refusal, read_answer

    answer = read_answer(200, json.dumps({"choices": [choice]}).encode(), ("</answer>",))
    if error:
        assert isinstance(answer, Refusal)
        assert error in answer.story
    else:
        assert not isinstance(answer, Refusal)
        assert (answer.text, answer.finish_reason) == (text, finish)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"text"', b'{"choices": {}}'])
def test_garbage_of_any_shape_is_never_more_than_garbage(raw: bytes):
    from wrongcot_data.engines.openai_api import GARBAGE, read_answer, read_models

    assert read_answer(200, raw, ()) == GARBAGE
    assert read_models(raw) == []
    for status in (400, 401, 403, 404, 422, 429, 500, 503, 302):
        read_answer(status, raw, ())


# -- faults ------------------------------------------------------------------------------------------------------------

HALF = 0.5


@pytest.mark.parametrize("how", ["garbage", "shape", "empty", "null", "cut"])
def test_a_fault_that_passes_costs_no_row(stub: Make, open_server: Open, how: str):
    server = stub(**{"break": HALF, "how": how, "once": True, "latency_ms": 5})
    assert all_well(replies(open_server(server, in_flight=16), wanted(60)))
    assert server.counts()["replies"] == 60


@pytest.mark.parametrize(
    ("how", "story"),
    [
        ("garbage", "garbage from the server, 3 tries"),
        ("null", "garbage from the server, 3 tries"),
        ("cut", "the connection was cut, 3 tries"),
        ("silent", "no answer within 0.2 s, 3 tries"),
        ("filter", "the server's content filter withheld the reply"),
    ],
)
def test_a_fault_that_stays_is_an_error_of_its_own_row(stub: Make, open_server: Open, how: str, story: str):
    server = stub(**{"break": HALF, "how": how, "latency_ms": 5})
    found = replies(open_server(server, in_flight=16, tries=3, timeout_s=0.2, patience_s=5), wanted(40))
    errors = [one for one in found.values() if one.finish_reason == "error"]
    assert 5 < len(errors) < 35
    assert {one.error for one in errors} == {story}
    assert all(not one.text for one in errors)
    assert all_well({key: one for key, one in found.items() if one.finish_reason != "error"})


def test_http_500_for_ever_is_an_error_after_every_try(stub: Make, open_server: Open):
    server = stub(refuse=500, message="the GPU is on fire")
    found = replies(open_server(server, tries=4), wanted(10))
    assert {one.error for one in found.values()} == {"HTTP 500 from the server: the GPU is on fire, 4 tries"}
    assert server.counts()["requests"] == 40


def test_a_prompt_that_does_not_fit_is_an_error_at_once(stub: Make, open_server: Open):
    message = "This model's maximum context length is 1024 tokens. However, your prompt contains 2000 input tokens"
    server = stub(refuse=400, refusals=5, message=message)
    found = replies(open_server(server, in_flight=4), wanted(20))
    errors = [one.error for one in found.values() if one.finish_reason == "error"]
    assert errors == [f"prompt too long for the served model: {message}"] * 5
    assert server.counts()["requests"] == 20


def test_a_server_that_refuses_every_request_ends_it_before_all_rows_are_errors(stub: Make, open_server: Open):
    engine = open_server(stub(refuse=422, message="unknown field"), in_flight=4)
    with pytest.raises(Unavailable, match="refuses every request: HTTP 422 from the server: unknown field"):
        replies(engine, wanted(500))


def until(server: StubThread, seconds: float, **settings: Any) -> None:
    """Settings for that long, then as before."""
    before = {name: server.stub.settings[name] for name in settings}
    server.set(**settings)
    threading.Timer(seconds, lambda: server.set(**before)).start()


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_gets_fewer_and_every_row_in_the_end(stub: Make, open_server: Open, status: int):
    server = stub()
    engine = open_server(server, in_flight=32, tries=2)
    until(server, 0.5, refuse=status)
    assert all_well(replies(engine, wanted(100)))
    assert server.counts()["replies"] == 100


def test_a_limit_of_the_server_is_found_and_kept_to(stub: Make, open_server: Open):
    server = stub(most=10, latency_ms=10)
    assert all_well(replies(open_server(server, in_flight=64), wanted(400)))
    counts = server.counts()
    assert counts["replies"] == 400
    assert counts["requests"] < 800  # of two requests less than one is refused


def test_after_a_storm_the_server_gets_as_many_as_before(stub: Make, open_server: Open):
    """What curator did not: it stayed at one (its issue 564)."""
    server = stub(latency_ms=5)
    engine = open_server(server, in_flight=64)
    replies(engine, wanted(200))
    assert engine.capacity > 64
    until(server, 0.4, refuse=429)
    lowest = engine.capacity
    for request in wanted(100):
        engine.submit(request)
    found: list[Completion] = []
    while len(found) < 100:
        found += engine.wait()
        lowest = min(lowest, engine.capacity)
    assert lowest < 10
    assert all_well({one.key: one for one in found})
    replies(engine, wanted(1500))
    assert engine.capacity > 64


@pytest.mark.parametrize("date", [False, True])
def test_retry_after_is_respected(stub: Make, open_server: Open, date: bool):
    then = datetime.now(UTC) + timedelta(hours=5)  # the server's clock is five hours ahead
    in_a_second = {"Retry-After": format_datetime(then + timedelta(seconds=1), usegmt=True)}
    headers = {**in_a_second, "Date": format_datetime(then, usegmt=True)} if date else {"Retry-After": "1"}
    server = stub(refuse=429, refusals=1, headers=headers)
    engine = open_server(server, in_flight=1)
    started = time.monotonic()
    assert all_well(replies(engine, wanted(2)))
    assert 0.95 < time.monotonic() - started < 3
    assert server.counts()["requests"] == 3


def test_a_storm_without_end_is_bounded_by_patience(stub: Make, open_server: Open):
    engine = open_server(stub(refuse=429, message="quota used up"), patience_s=0.6)
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"no server answers with a reply, for 0\.6 s now.*quota used up") as caught:
        replies(engine, wanted(50))
    assert time.monotonic() - started < 5
    assert caught.value.try_[0] == "start it again and give the same command: it goes on"


def test_a_request_that_alone_is_too_large_for_the_rate_is_an_error(stub: Make, open_server: Open):
    server = stub(refuse=429, refusals=1, message="Request too large for model on tokens per min")
    found = replies(open_server(server, in_flight=1), wanted(3))
    assert [one.finish_reason for one in found.values()].count("error") == 1


def test_silence_is_bounded_by_patience_and_what_was_served_is_handed_over(stub: Make, open_server: Open):
    server = stub()
    engine = open_server(server, patience_s=0.8)
    assert all_well(replies(engine, wanted(10)))
    server.set(mute=True)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="no server answers"):
        replies(engine, wanted(10))
    assert time.monotonic() - started < 4


def test_a_server_that_writes_for_longer_than_our_patience_is_waited_for(stub: Make, open_server: Open):
    assert all_well(replies(open_server(stub(latency_ms=1500), patience_s=0.5), wanted(3)))


def test_a_server_that_answers_probes_and_nothing_else_is_given_up(stub: Make, open_server: Open):
    engine = open_server(stub(**{"break": 1.0, "how": "silent"}), patience_s=0.4, timeout_s=0.5)
    with pytest.raises(Unavailable, match=r"no answer within 0\.5 s"):
        replies(engine, wanted(5))


def test_a_server_that_cuts_every_connection_is_not_stormed(stub: Make, open_server: Open):
    server = stub(**{"break": 1.0, "how": "cut"})
    found = replies(open_server(server, tries=4), wanted(20))
    assert {one.error for one in found.values()} == {"the connection was cut, 4 tries"}
    assert server.counts()["requests"] == 80


# -- servers that go and come ------------------------------------------------------------------------------------------


def test_a_server_that_dies_and_comes_back_costs_no_row_and_no_try(stub: Make, open_server: Open):
    server = stub(latency_ms=30)
    engine = open_server(server, in_flight=8, tries=2)
    for request in wanted(60):
        engine.submit(request)
    found = engine.wait()
    server.stop()
    time.sleep(0.7)
    again = StubThread(server.port, models=["stub"])
    try:
        while len(found) < 60:
            found += engine.wait()
        assert all_well({one.key: one for one in found})
        assert len({one.key for one in found}) == len(found) == 60
    finally:
        again.stop()


def test_of_several_servers_the_work_of_a_dead_one_goes_to_the_others(stub: Make, open_server: Open, caplog):
    first, second = stub(latency_ms=10), stub(latency_ms=10)
    engine = open_server(first, second, in_flight=8)
    assert all_well(replies(engine, wanted(100)))
    assert min(first.counts()["replies"], second.counts()["replies"]) > 30
    before = second.counts()["replies"]
    for request in wanted(60):
        engine.submit(request)
    time.sleep(0.02)
    first.stop()
    found: list[Completion] = []
    while len(found) < 60:
        found += engine.wait()
    assert all_well({one.key: one for one in found})
    assert second.counts()["replies"] > before
    again = StubThread(first.port, models=["stub"])
    try:
        deadline = time.monotonic() + 10
        while not again.counts()["replies"]:
            assert time.monotonic() < deadline
            replies(engine, wanted(20))
        assert f"the server at {first.url}/v1 is back" in [record.message for record in caplog.records]
    finally:
        again.stop()


def test_a_server_that_was_away_at_first_is_taken_in(stub: Make, open_server: Open):
    first, second = stub(latency_ms=10), stub()
    second.stop()
    engine = open_server(first, second, in_flight=4)
    again = StubThread(second.port, models=["stub"])
    try:
        deadline = time.monotonic() + 10
        while not again.counts()["replies"]:
            assert time.monotonic() < deadline
            assert all_well(replies(engine, wanted(20)))
    finally:
        again.stop()


def test_no_server_at_all_is_said_at_once(stub: Make, open_server: Open):
    gone = stub()
    gone.stop()
    started = time.monotonic()
    with pytest.raises(Unavailable, match=r"no server answers: .*cannot be connected to") as caught:
        open_server(gone, patience_s=60)
    assert time.monotonic() - started < 2
    assert caught.value.try_[0].startswith("vllm serve maker/stub")


def test_closing_does_not_wait_for_hanging_requests(stub: Make, open_server: Open):
    engine = open_server(stub(latency_ms=60_000))
    for request in wanted(256):
        engine.submit(request)
    time.sleep(0.3)
    started = time.monotonic()
    engine.close()
    engine.close()
    assert time.monotonic() - started < 1


# -- keys, models, addresses -------------------------------------------------------------------------------------------


def test_the_key_is_sent_and_never_repeated(stub: Make, open_server: Open, monkeypatch: pytest.MonkeyPatch, caplog):
    caplog.set_level(logging.DEBUG, logger="wrongcot_data")
    monkeypatch.setenv("MY_KEY", SECRET)
    server = stub(key=SECRET)
    engine = open_server(server, key_variable="MY_KEY")
    assert all_well(replies(engine, wanted(3)))
    server.set(refuse=500, message=f"Bearer {SECRET} is not to my taste")
    found = replies(engine, wanted(3))
    assert all(SECRET not in repr(one) for one in found.values())
    assert {one.error for one in found.values()} == {"HTTP 500 from the server: Bearer *** is not to my taste, 6 tries"}
    server.set(key="another")
    with pytest.raises(Unavailable, match=r"does not accept the key in MY_KEY: .*\*\*\*") as caught:
        replies(engine, wanted(3))
    assert SECRET not in str(caught.value) + repr(caught.value.try_) + caplog.text
    assert SECRET not in repr(engine._options) + engine.name


def test_a_key_that_is_wanted_and_not_set_is_named(stub: Make, open_server: Open, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    server = stub(key="k")
    with pytest.raises(Unavailable, match="wants a key") as caught:
        open_server(server)
    assert caught.value.try_ == ("export OPENAI_API_KEY=...",)
    for options, teacher in (({"key_variable": "MY_KEY"}, TEACHER), ({}, get_teacher("gemini-flash"))):
        with pytest.raises(Unavailable, match="is not set") as caught:
            open_server(server, teacher=teacher, **options)
        assert caught.value.try_[0] in ("export MY_KEY=...", "export GEMINI_API_KEY=...")


@pytest.mark.parametrize(
    "options",
    [
        {"base_urls": f"http://me:{SECRET}@host/v1"},
        {"base_urls": [f"http://host/v1?key={SECRET}"]},
        {"base_urls": [f"http://host/v1#{SECRET}"]},
        {"key_variable": SECRET},
    ],
)
def test_options_that_hold_a_secret_are_refused_without_repeating_it(options: dict[str, Any]):
    from wrongcot_data.spec import parse_model

    with pytest.raises(BadInput) as caught:
        parse_model(get_engine("server").options, options)
    assert SECRET not in str(caught.value) + repr(caught.value.try_)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("http://h:8000", "http://h:8000/v1"),
        ("http://h:8000/", "http://h:8000/v1"),
        ("http://h:8000/v1/", "http://h:8000/v1"),
        ("https://h/proxy", "https://h/proxy/v1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
    ],
)
def test_an_address_is_taken_with_and_without_its_end(given: str, used: str):
    assert base_url(given) == used
    assert get_engine("server").options(base_urls=given).base_urls == [used]


@pytest.mark.parametrize("text", ["localhost:8000", "ftp://h", "http://", "http://h:port", "http://a b", ""])
def test_what_is_no_address_is_refused(text: str):
    with pytest.raises(BadInput, match="base URL"):
        base_url(text)


def test_the_teachers_model_is_looked_for_at_the_server(stub: Make, open_server: Open):
    served = {"models/stub": "maker/other", "stub": "stub", "/weights/Stub-Q4.gguf": "/weights/Stub-Q4.gguf"}
    for listed, used in (("stub", "stub"), ("/weights/Stub-Q4.gguf", "/weights/Stub-Q4.gguf")):
        server = stub(models=[listed])
        replies(open_server(server), wanted(1))
        assert server.counts()["last"]["model"] == used == served[listed]
    server = stub(models=["whatever"])
    replies(open_server(server, teacher=Teacher("mine", path="/here")), wanted(1))
    assert server.counts()["last"]["model"] == "whatever"
    replies(open_server(server, model="whatever"), wanted(1))
    unlisted = stub(models=[])
    replies(open_server(unlisted), wanted(1))
    assert unlisted.counts()["last"]["model"] == "maker/stub"


def test_another_model_than_the_teacher_is_refused_with_what_there_is(stub: Make, open_server: Open):
    for models in (["whatever"], ["one", "two"]):
        with pytest.raises(BadInput, match=f"does not have maker/stub; it has {', '.join(models)}") as caught:
            open_server(stub(models=models))
        assert caught.value.try_[0].startswith(f"--engine-option model={models[0]}")


def test_a_model_that_is_gone_and_a_page_that_is_not_there_end_the_build(stub: Make, open_server: Open):
    server = stub()
    engine = open_server(server)
    server.set(models=["another"])
    with pytest.raises(Unavailable, match=r"does not serve stub: .*The model `stub` does not exist"):
        replies(engine, wanted(2))
    server = stub(refuse=404, message="Not Found")
    with pytest.raises(BadInput, match="has no such page"):
        replies(open_server(server), wanted(2))


def test_a_model_without_a_chat_template_is_said_with_the_way_out(stub: Make, open_server: Open):
    message = "default chat template is no longer allowed, so you must provide a chat template"
    with pytest.raises(BadInput, match="has no chat template") as caught:
        replies(open_server(stub(refuse=400, message=message)), wanted(2))
    assert caught.value.try_[0].startswith("--prompt plain-few")


def test_the_revision_is_what_was_asked_for_and_needs_no_server():
    kind = get_engine("server")
    gone = kind.options(base_urls="http://127.0.0.1:1")
    assert kind.revision(get_teacher("gemma-9b"), gone) == "served:google/gemma-2-9b-it"
    named = kind.options(base_urls="http://127.0.0.1:1", model="mine")
    assert kind.revision(get_teacher("gemma-9b"), named) == "served:mine"
    with pytest.raises(BadInput, match="needs to know where"):
        kind.revision(get_teacher("gemma-9b"), kind.options())
    assert issubclass(BadInput, WrongcotError)


# -- the rules, apart --------------------------------------------------------------------------------------------------


def test_the_limit_halves_once_a_round_trip_and_never_reaches_nought():
    limit = Limit(64)
    limit.restart()
    start = limit.value
    assert [limit.overloaded(ticket, 20) for ticket in range(1, 21)] == [True] + [False] * 19
    assert limit.value == start // 2
    for ticket in range(21, 60):
        limit.overloaded(ticket, ticket)
    assert limit.value == 1


def test_from_one_the_limit_is_full_again_in_32_round_trips():
    limit = Limit(256)
    for ticket in range(1, 40):
        limit.overloaded(ticket, ticket)
    assert limit.value == 1
    trips = 0
    while limit.value < 256:
        trips += 1
        for _ in range(limit.value):
            limit.replied(limit.value)
    assert trips <= 40


def test_a_server_that_is_hardly_used_proves_nothing():
    limit = Limit(256)
    before = limit.value
    for _ in range(1000):
        limit.replied(1)
    assert limit.value == before


def test_waits_are_spread_between_nothing_and_the_most():
    rng = Random(1)
    waits = [backoff(number, 0.5, rng) for number in range(1, 2000)]
    assert all(0 <= wait <= LONGEST_BACKOFF_S for wait in waits)
    assert max(waits[:1]) <= 1
    assert sum(waits[100:]) / len(waits[100:]) == pytest.approx(LONGEST_BACKOFF_S / 2, rel=0.1)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, 0), ("", 0), ("7", 7), ("0.5", 0.5), ("-3", 0), ("1e9", 120), ("nan", 0), ("soon", 0), ("inf", 120),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30), ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 120),
    ],
)  # fmt: skip
def test_retry_after_is_read_by_the_servers_own_clock(value: str | None, seconds: float):
    now = datetime(2031, 1, 1, tzinfo=UTC)
    assert retry_after(value, "Wed, 21 Oct 2015 07:28:00 GMT", now) == seconds


def test_an_endpoint_that_asks_to_be_left_alone_is():
    endpoint = Endpoint("http://h/v1", Limit(8))
    ticket = endpoint.send(0.0)
    endpoint.refused(ticket, 1.0, 5.0, lambda number: 0.001 * number)
    endpoint.done(ticket)
    assert endpoint.free(5.9) == 0
    assert endpoint.free(6.1) == 1
