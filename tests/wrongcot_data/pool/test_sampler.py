"""The sampler: what is asked depends on the replies alone."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.pool.sampler import Quotas, Sampler, Seen, called_for, needed, trace_digest, unbroken
from wrongcot_data.records import Grade, Sample, Verdict

GRADES: list[Grade] = ["correct", "wrong", "no_answer", "truncated", "error"]
QUOTAS = Quotas({"correct": 1, "wrong": 2}, max_attempts=6)

replies = st.lists(
    st.builds(Seen, st.sampled_from(GRADES), st.sampled_from([b"a", b"b", b"c"])), min_size=6, max_size=6
)


def run(
    script: list[list[Seen]], quotas: Quotas, rng: Random, capacity: int, known: list[dict[int, Seen]] | None = None
) -> list[dict[int, Seen]]:
    """Ask until nothing is wanted, replies coming back in random order. Returns the attempts of each problem."""
    sampler = Sampler(quotas, len(script))
    have = [dict(one) for one in known] if known else [{} for _ in script]
    for problem, attempts in enumerate(have):
        for attempt, what in attempts.items():
            sampler.record(problem, attempt, what)
    in_flight: list[tuple[int, int]] = []
    while True:
        in_flight += sampler.next(capacity - len(in_flight))
        assert len(in_flight) <= capacity
        if not in_flight:
            assert sampler.n_finished == len(script)
            return have
        problem, attempt = in_flight.pop(rng.randrange(len(in_flight)))
        assert attempt not in have[problem]
        have[problem][attempt] = script[problem][attempt]
        sampler.record(problem, attempt, script[problem][attempt])


def shortest(script: list[Seen], quotas: Quotas) -> int:
    """The first attempts one would ask, one at a time."""
    return next((n for n in range(len(script)) if needed(script[:n], quotas) == 0), quotas.max_attempts)


@given(st.lists(replies, min_size=1, max_size=5), st.integers(1, 9), st.randoms(use_true_random=False))
def test_never_asks_more_than_one_at_a_time_would(script, capacity, rng):
    asked = run(script, QUOTAS, rng, capacity)
    for problem, one in enumerate(script):
        assert set(asked[problem]) == set(range(shortest(one, QUOTAS)))


@given(st.lists(replies, min_size=1, max_size=4), st.data())
def test_goes_on_from_any_part_of_the_replies_to_the_same_end(script, data):
    rng = Random(0)
    whole = run(script, QUOTAS, rng, capacity=4)
    survived = [{attempt: what for attempt, what in one.items() if data.draw(st.booleans())} for one in whole]
    assert run(script, QUOTAS, rng, capacity=3, known=survived) == whole


def test_duplicates_do_not_count_towards_a_quota():
    twice = [Seen("wrong", b"a"), Seen("wrong", b"a")]
    assert needed(twice, Quotas({"wrong": 2}, 8)) == 1


def test_problems_with_the_fewest_attempts_are_asked_first():
    sampler = Sampler(Quotas({"wrong": 1}, 8), 3)
    sampler.record(0, 0, Seen("error", b""))
    assert sampler.next(2) == [(1, 0), (2, 0)]


def test_a_smaller_build_calls_for_a_part_of_a_larger_one():
    stored = [Seen("wrong", b"a"), Seen("correct", b"b"), Seen("wrong", b"c"), Seen("wrong", b"d")]
    assert called_for(stored, Quotas({"wrong": 1}, 8)) == 1
    assert called_for(stored, Quotas({"correct": 1, "wrong": 1}, 8)) == 2
    assert called_for(stored, Quotas({"correct": 2}, 3)) == 3
    assert called_for(stored, Quotas({}, 3)) == 0


def test_white_space_makes_no_new_trace():
    assert trace_digest("1 + 2\n= 3 ") == trace_digest("1 + 2 = 3")
    assert trace_digest("1 + 2 = 3") != trace_digest("1 + 2 = 4")


def test_what_comes_after_a_missing_attempt_is_not_part_of_a_data_set():
    samples = [_sample(attempt) for attempt in (0, 1, 3, 4)]
    assert [sample.attempt for sample in unbroken(samples)] == [0, 1]
    assert unbroken([_sample(1)]) == []


def _sample(attempt: int) -> Sample:
    return Sample("r", attempt, "p", "", "stop", 0, 0, 0, "e", "", Verdict("wrong", "wrong value"), "g")
