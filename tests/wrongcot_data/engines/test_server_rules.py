"""The rules of the server engine that need no server: what answers mean, how much is sent, how long is waited."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest

from wrongcot_data.engines import get_engine
from wrongcot_data.engines.endpoints import LONGEST_BACKOFF_S, Endpoint, Limit, backoff, retry_after
from wrongcot_data.engines.openai_api import GARBAGE, Refusal, base_url, own_name, read_answer, read_models
from wrongcot_data.errors import BadInput


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
    answer = read_answer(200, json.dumps({"choices": [choice]}).encode(), ("</answer>",))
    if error:
        assert isinstance(answer, Refusal)
        assert error in answer.story
    else:
        assert not isinstance(answer, Refusal)
        assert (answer.text, answer.finish_reason) == (text, finish)


@pytest.mark.parametrize("count", [True, -1, 1.5, "7", None, 2**31, 10**400, [3]])
def test_a_count_that_cannot_be_one_is_nought(count: Any):
    raw = json.dumps({"choices": [{"text": "a"}], "usage": {"prompt_tokens": 5, "completion_tokens": count}}).encode()
    answer = read_answer(200, raw, ())
    assert not isinstance(answer, Refusal)
    assert (answer.n_prompt_tokens, answer.n_tokens) == (5, 0)


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (429, "The request queue is too large right now, try again later", "busy"),
        (429, "Request too large for gpt-4o in organization o on tokens per min (TPM): Limit 3, Requested 4", "row"),
        (400, "Prompt rejected by moderation: a gardener plants 5 seeds", "misfit"),
        (400, "Prompt rejected: he buys 3 extra seeds", "misfit"),
        (400, "per-request seed is not supported on this device", "seed"),
        (400, "Unsupported parameter: 'seed'", "seed"),
        (400, 'Invalid JSON payload received. Unknown name "seed": Cannot find field.', "seed"),
        (422, '[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted"}]', "seed"),
        (500, "this model does not support seeds", "seed"),
        (500, "the gardener's seeds are gone", "try"),
        (302, "Found", "moved"),
    ],
)
def test_what_a_refusal_means(status: int, message: str, kind: str):
    answer = read_answer(status, json.dumps({"error": {"message": message}}).encode(), ())
    assert isinstance(answer, Refusal)
    assert answer.kind == kind


@pytest.mark.parametrize(
    ("served", "same"),
    [
        ("google/gemma-2-9b", True),
        ("Gemma-2-9B", True),
        ("/weights/gemma-2-9b/", True),
        ("/cache/models--google--gemma-2-9b/snapshots/11c9b309abf7", True),
        ("/weights/gemma-2-9b.gguf", True),
        ("C:\\weights\\gemma-2-9b-Q4_K_M.gguf", True),
        ("gemma-2-9b.IQ3_XS-00001-of-00002.gguf", True),
        ("google/gemma-2-9b-it", False),
        ("/weights/gemma-2-9b-it-Q4_K_M.gguf", False),
        ("/weights/gemma-2-9b/checkpoint-500", False),
        ("my-gemma-2-9b", False),
    ],
)
def test_a_model_is_known_by_its_own_name_and_by_no_part_of_it(served: str, same: bool):
    assert (own_name(served) == own_name("google/gemma-2-9b")) == same


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"[]", b'"text"', b'{"choices": {}}'])
def test_garbage_of_any_shape_is_never_more_than_garbage(raw: bytes):
    assert read_answer(200, raw, ()) == GARBAGE
    assert read_models(raw) == []
    for status in (400, 401, 403, 404, 422, 429, 500, 503, 302):
        read_answer(status, raw, ())


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
