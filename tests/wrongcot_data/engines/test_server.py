"""The server engine against a real server on loopback that is told how to misbehave.

Whatever it does, every request comes back exactly once, or the engine says why nothing more can come.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.stub_server import StubThread
from wrongcot_data.engines import get_engine
from wrongcot_data.engines.base import Completion, Opening, Request, Sampling, engine_column
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


def until_it_ends(engine: ServerEngine) -> tuple[list[Completion], WrongcotError]:
    """What comes back before the engine says that nothing more can come, and what it says."""
    found: list[Completion] = []
    while True:
        try:
            found += engine.wait()
        except WrongcotError as error:
            return found, error


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
        ("endless", "garbage from the server, 3 tries"),
        ("bomb", "garbage from the server, 3 tries"),
        ("filter", "the server's content filter withheld the reply"),
    ],
)
def test_a_fault_that_stays_is_an_error_of_its_own_row(stub: Make, open_server: Open, how: str, story: str):
    server = stub(**{"break": HALF, "how": how, "latency_ms": 5})
    timeout = 0.2 if how == "silent" else 5
    found = replies(open_server(server, in_flight=16, tries=3, timeout_s=timeout, patience_s=5), wanted(40))
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


@pytest.mark.parametrize("status", [400, 403])
def test_a_server_that_served_and_then_refuses_everything_ends_it_before_all_rows_are_errors(
    stub: Make, open_server: Open, status: int
):
    server = stub(latency_ms=5)
    engine = open_server(server, in_flight=8)
    assert all_well(replies(engine, wanted(30)))
    server.set(refuse=status, message="quota exceeded for today")
    for request in wanted(300):
        engine.submit(request)
    errors, error = until_it_ends(engine)
    assert len(errors) < 20
    assert f"refuses every request: HTTP {status} from the server: quota exceeded for today" in str(error)


def test_replies_in_between_make_refusals_those_of_their_rows(stub: Make, open_server: Open):
    server = stub()
    engine = open_server(server, in_flight=1)
    errors = 0
    for _ in range(3):
        replies(engine, wanted(1))
        server.set(refuse=400, refusals=15)
        errors += sum(one.finish_reason == "error" for one in replies(engine, wanted(16)).values())
    assert errors == 45


def test_prompts_that_are_too_long_are_not_taken_for_a_server_that_refuses_everything(stub: Make, open_server: Open):
    server = stub(refuse=400, message="maximum context length is 1024 tokens", refusals=60)
    found = replies(open_server(server), wanted(80))
    assert sum(one.finish_reason == "error" for one in found.values()) == 60


def test_a_redirect_is_no_rows_fault(stub: Make, open_server: Open):
    server = stub(refuse=302)
    with pytest.raises(BadInput, match="sends us elsewhere: HTTP 302"):
        replies(open_server(server), wanted(2))
    server.set(refuse=0)
    engine = open_server(server, in_flight=4, patience_s=1)
    replies(engine, wanted(10))
    until(server, 0.5, refuse=302)
    assert all_well(replies(engine, wanted(50)))
    server.set(refuse=302)
    with pytest.raises(Unavailable, match=r"no server answers with a reply.*HTTP 302"):
        replies(engine, wanted(50))


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


def test_a_pause_that_the_server_asks_for_is_not_held_against_it(stub: Make, open_server: Open):
    server = stub(refuse=429, refusals=2, headers={"Retry-After": "1"})
    assert all_well(replies(open_server(server, in_flight=1, patience_s=1.2), wanted(2)))


def test_a_server_that_asks_for_pauses_without_end_is_given_up(stub: Make, open_server: Open):
    engine = open_server(stub(refuse=429, headers={"Retry-After": "0.2"}), patience_s=0.3, timeout_s=0.7)
    started = time.monotonic()
    with pytest.raises(Unavailable, match="no server answers"):
        replies(engine, wanted(5))
    assert 0.9 < time.monotonic() - started < 4


@pytest.mark.parametrize("patience_s", [10, 0.4])
def test_a_request_refused_again_and_again_is_its_own_fault_only_after_our_patience(
    stub: Make, open_server: Open, patience_s: float, monkeypatch: pytest.MonkeyPatch
):
    """However short the waits are in between: sixty refusals may be over in a moment."""
    monkeypatch.setattr("wrongcot_data.engines.server.MOST_REFUSALS", 5)
    server = stub(latency_ms=5)
    marked = wanted(1, text="the one that is refused")[0]
    usual, refused = server.stub.refusal, 0

    def refusal(asked: dict[str, Any]) -> Any:
        nonlocal refused
        if "the one that is refused" in asked["messages"][-1]["content"] and (refused < 12 or patience_s < 1):
            refused += 1
            return 429, {"error": {"message": "later"}}
        return usual(asked)

    monkeypatch.setattr(server.stub, "refusal", refusal)
    engine = open_server(server, in_flight=4, backoff_s=0.03, patience_s=patience_s)
    others = [Request(f"o{n}", one.problem_id, one.prompt, one.seed) for n, one in enumerate(wanted(400))]
    found = replies(engine, [marked, *others])
    assert found.pop("r0").finish_reason == ("stop" if patience_s == 10 else "error")
    assert all_well(found)


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


def test_what_a_frozen_server_holds_goes_to_the_others(stub: Make, open_server: Open):
    """The other has nothing to do then, and is not taken for one that does not answer."""
    first, second = stub(), stub()
    engine = open_server(first, second, in_flight=16, patience_s=1)
    assert all_well(replies(engine, wanted(20)))
    first.set(mute=True)
    assert all_well(replies(engine, wanted(40)))
    assert second.counts()["replies"] >= 40


@pytest.mark.parametrize("status", [401, 402, 404])
def test_a_server_that_can_serve_nothing_is_left_to_the_others(
    stub: Make, open_server: Open, status: int, caplog: pytest.LogCaptureFixture
):
    first, second = stub(latency_ms=10), stub(latency_ms=10)
    engine = open_server(first, second, in_flight=8)
    assert all_well(replies(engine, wanted(50)))
    second.set(refuse=status, message="not for you")
    before = second.counts()["requests"]
    assert all_well(replies(engine, wanted(100)))
    assert second.counts()["requests"] - before < 20
    (said,) = [record.message for record in caplog.records]
    assert f"{second.url}/v1" in said
    assert "not for you; going on without" in said
    first.set(refuse=status, message="nor here")
    with pytest.raises(WrongcotError, match="nor here"):
        replies(engine, wanted(10))


def test_one_that_is_found_unfit_when_it_comes_is_left_to_the_others(stub: Make, open_server: Open, caplog):
    first, second = stub(latency_ms=10), stub()
    second.stop()
    engine = open_server(first, second, in_flight=4)
    again = StubThread(second.port, models=["another"])
    try:
        deadline = time.monotonic() + 10
        while "going on without" not in caplog.text:
            assert time.monotonic() < deadline
            assert all_well(replies(engine, wanted(20)))
        assert all_well(replies(engine, wanted(20)))
    finally:
        again.stop()


def test_what_the_last_server_writes_is_taken_in_before_its_refusal_ends_it(stub: Make, open_server: Open):
    server = stub(latency_ms=300)
    engine = open_server(server, in_flight=80)
    for request in wanted(19):
        engine.submit(request)
    time.sleep(0.1)
    server.set(refuse=402, message="no more money")
    engine.submit(Request("last", "p", Prompt("t", text="Use 1, 2 to make 3."), 1))
    found, error = until_it_ends(engine)
    assert "wants to be paid: HTTP 402 from the server: no more money" in str(error)
    assert len(found) == 19
    assert all_well({one.key: one for one in found})


def test_what_was_never_sent_can_be_withdrawn(stub: Make, open_server: Open):
    server = stub(latency_ms=300)
    engine = open_server(server, in_flight=16)  # four at first
    requests = wanted(30)
    for request in requests:
        engine.submit(request)
    taken_back = engine.withdraw()
    assert taken_back == [request.key for request in requests[4:]]
    assert engine.withdraw() == []
    found: list[Completion] = []
    while len(found) < 4:
        found += engine.wait()
    assert {one.key for one in found} == {"r0", "r1", "r2", "r3"}
    assert all_well(replies(engine, requests[4:]))
    assert server.counts()["requests"] == 30
    engine.close()
    assert engine.withdraw() == []


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


def test_a_key_is_not_repeated_in_whatever_way_a_server_writes_it(
    stub: Make, open_server: Open, monkeypatch: pytest.MonkeyPatch
):
    key = 'sk-se"nt\\inel/98+76=='
    monkeypatch.setenv("MY_KEY", key)
    server = stub()
    engine = open_server(server, key_variable="MY_KEY", tries=1)
    for told in (
        {"you sent": key},
        {"error": {"message": json.dumps({"was": key})}},
        {"detail": repr(key)},
        [quote(key)],
    ):
        monkeypatch.setattr(server.stub, "refusal", lambda _asked, told=told: (400, told))
        (one,) = replies(engine, wanted(1)).values()
        assert "***" in one.error
        assert "inel" not in one.error
    with pytest.raises(BadInput, match=r"it has model-\*\*\*") as caught:
        open_server(stub(models=[f"model-{key}"]), key_variable="MY_KEY")
    assert "inel" not in repr(caught.value.try_)


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
        {"base_urls": f"admin:{SECRET}@gpu-box:8000"},
        {"base_urls": f"host:8000/v1?key={SECRET}"},
        {"base_urls": f"http:/me:{SECRET}@host"},
        {"key_variable": SECRET},
    ],
)
def test_options_that_hold_a_secret_are_refused_without_repeating_it(options: dict[str, Any]):
    from wrongcot_data.spec import parse_model

    with pytest.raises(BadInput) as caught:
        parse_model(get_engine("server").options, options)
    assert SECRET not in str(caught.value) + repr(caught.value.try_)


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
    for models in (["whatever"], ["one", "two"], ["maker/stub-it"], ["stubby"], ["a-stub"]):
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
