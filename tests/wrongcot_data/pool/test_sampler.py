"""The sampler: what a data set calls for depends on the replies alone, and little is asked in vain."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.pool.odds import PILOT, Odds
from wrongcot_data.pool.progress import Progress, Quotas, Seen, called_for, unbroken
from wrongcot_data.pool.sampler import Sampler
from wrongcot_data.records import Grade, Sample, Verdict

GRADES: list[Grade] = ["correct", "wrong", "no_answer", "truncated", "error"]
PLAIN = Quotas({"correct": 1, "wrong": 2}, max_attempts=6)
"""Without giving up or asking ahead."""

WORDINGS = [frozenset({1}), frozenset({2}), frozenset({3})]
replies = st.lists(st.builds(Seen, st.sampled_from(GRADES), st.sampled_from(WORDINGS)), min_size=6, max_size=6)
quotas = st.builds(
    Quotas,
    st.sampled_from([{"correct": 1, "wrong": 2}, {"wrong": 1}, {"correct": 1}]),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.03, 0.2, 0.6]),
    st.sampled_from([0.1, 0.5, 2.0]),
)

Known = list[dict[int, Seen]]


def run(
    script: list[list[Seen]], quotas: Quotas, rng: Random, capacity: int, known: Known | None = None
) -> tuple[Known, Odds]:
    """Ask until nothing is wanted, replies coming back in random order. Returns the attempts of each problem."""
    sampler = Sampler(quotas, [number % 2 for number in range(len(script))])
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
            return have, sampler.odds
        problem, attempt = in_flight.pop(rng.randrange(len(in_flight)))
        assert attempt not in have[problem]
        assert attempt < quotas.max_attempts
        have[problem][attempt] = script[problem][attempt]
        sampler.record(problem, attempt, script[problem][attempt])


def view(have: Known, quotas: Quotas, odds: Odds) -> list[tuple[list[Seen], str | None]]:
    """What a data set holds of each problem, and why no more."""
    found = []
    for problem, one in enumerate(have):
        stretch = [one[attempt] for attempt in range(len(one)) if set(range(attempt + 1)) <= one.keys()]
        count, end = called_for(stretch, quotas, odds.group(problem), odds.n_least(problem))
        found.append((stretch[:count], end))
    return found


@given(st.lists(replies, min_size=1, max_size=5), st.integers(1, 9), st.randoms(use_true_random=False))
def test_asks_exactly_what_one_at_a_time_would_where_nothing_is_asked_ahead_or_given_up(script, capacity, rng):
    have, odds = run(script, PLAIN, rng, capacity)
    for problem, one in enumerate(script):
        count, _ = called_for(one, PLAIN, odds.group(problem), odds.n_least(problem))
        assert set(have[problem]) == set(range(count))


@given(st.lists(replies, min_size=1, max_size=6), quotas, st.integers(1, 30), st.integers(1, 30), st.data())
def test_a_data_set_depends_on_the_replies_alone_not_on_order_room_or_kills(script, quotas, room, other, data):
    rng = data.draw(st.randoms(use_true_random=False))
    have, odds = run(script, quotas, rng, room)
    survived = [{attempt: what for attempt, what in one.items() if data.draw(st.booleans())} for one in have]
    again, odds_again = run(script, quotas, rng, other, known=survived)
    assert view(have, quotas, odds) == view(again, quotas, odds_again)
    assert all(end for _, end in view(have, quotas, odds))


def test_the_replies_on_which_a_group_is_given_up_are_in_the_data_set():
    script = [[Seen("no_answer")] * 8 for _ in range(130)]
    quotas = Quotas({"correct": 1}, 8, give_up_below=0.05)
    have, odds = run(script, quotas, Random(1), 16)
    found = view(have, quotas, odds)
    assert [(len(replies), end) for replies, end in found] == [(odds.n_least(n), "hopeless") for n in range(130)]
    assert sum(map(odds.n_least, range(130))) == 100  # two groups


def test_replies_that_never_came_make_no_problem_hopeless():
    outage = [[Seen("error"), *[Seen("wrong")] * 7] for _ in range(60)]
    quotas = Quotas({"wrong": 1}, 8, give_up_below=0.05)
    have, odds = run(outage, quotas, Random(1), 16)
    assert {end for _, end in view(have, quotas, odds)} == {"met"}


def test_an_attempt_that_is_taken_back_is_asked_again():
    sampler = Sampler(Quotas({"wrong": 1}, 3), ["a"])
    assert sampler.next(1) == [(0, 0)]
    sampler.take_back(0, 0)
    assert sampler.next(1) == [(0, 0)]


def test_duplicates_do_not_count_towards_a_quota():
    progress = Progress()
    for wording in (WORDINGS[0], WORDINGS[0], WORDINGS[1]):
        progress.take(Seen("wrong", wording), Quotas({"wrong": 3}, 8))
    assert progress.missing(Quotas({"wrong": 3}, 8)) == {"wrong": 1}


def test_of_problems_that_nothing_is_known_of_those_with_the_fewest_attempts_are_asked_first():
    sampler = Sampler(Quotas({"wrong": 1}, 8), ["all"] * 3)
    sampler.record(0, 0, Seen("error"))
    assert sampler.next(2) == [(1, 0), (2, 0)]


def known_group(rate: float, quotas: Quotas, n_more: int = 3) -> Sampler:
    """A pilot with that share of right first replies, then some problems that were not asked yet."""
    sampler = Sampler(quotas, ["all"] * (PILOT + n_more))
    for problem in range(PILOT):
        sampler.record(problem, 0, Seen("correct" if problem < rate * PILOT else "no_answer"))
    return sampler


def test_the_problem_whose_reply_is_likeliest_to_help_is_asked_first():
    quotas = Quotas({"correct": 2}, 8)
    sampler = known_group(0.3, quotas)
    first = [problem for problem, _ in sampler.next(15)]
    assert set(first) == set(range(15))  # those that were solved once: they will be again
    others = {PILOT, PILOT + 1, PILOT + 2}
    assert Counter(problem for problem, _ in sampler.next(6)) == dict.fromkeys(others, 2)


def test_a_hopeless_problem_is_given_up_early_and_one_with_a_chance_is_not():
    quotas = Quotas({"correct": 1}, 8, give_up_below=0.03)
    assert known_group(0.0, quotas).next(1000) == []
    sampler = known_group(0.1, quotas)
    asked = Counter()
    while turns := sampler.next(1):
        ((problem, attempt),) = turns
        asked[problem] += 1
        sampler.record(problem, attempt, Seen("no_answer"))
    # the posterior mean after n failures is 0.108 / (1 + n): the fourth one brings it below 0.03
    assert asked[PILOT] == 3
    assert asked[0] == 0
    assert asked[PILOT - 1] == 2  # its first reply was part of the pilot


@pytest.mark.parametrize(("ask_ahead", "at_once"), [(2.0, 1), (0.5, 3), (0.1, 10)])
def test_replies_are_asked_ahead_only_as_far_as_they_are_likely_to_be_needed(ask_ahead: float, at_once: int):
    """At a rate of 0.2 the second reply is needed with 0.8, the third with 0.64, the fourth with 0.51, ..."""
    sampler = known_group(0.2, Quotas({"correct": 1}, 12, 0.0, ask_ahead), n_more=1)
    counts = Counter(problem for problem, _ in sampler.next(10_000))
    assert counts[PILOT] == pytest.approx(at_once, abs=1)


def test_nothing_is_asked_ahead_while_a_reply_is_needed_for_certain():
    sampler = known_group(0.2, Quotas({"correct": 1}, 12, 0.0, 0.5), n_more=5)
    first = Counter(problem for problem, _ in sampler.next(45))
    assert set(first.values()) == {1}  # 40 of the pilot and 5 others wait for one each
    assert len(first) == 45


def test_a_smaller_build_calls_for_a_part_of_a_larger_one():
    stored = [Seen("wrong"), Seen("correct"), Seen("wrong", WORDINGS[0]), Seen("wrong", WORDINGS[1])]
    group = Odds(["all"]).group(0)
    assert called_for(stored, Quotas({"wrong": 1}, 8), group) == (1, "met")
    assert called_for(stored, Quotas({"correct": 1, "wrong": 1}, 8), group) == (2, "met")
    assert called_for(stored, Quotas({"correct": 2}, 3), group) == (3, "used up")
    assert called_for(stored, Quotas({"correct": 2}, 8), group) == (4, None)
    assert called_for(stored, Quotas({}, 3), group) == (0, "met")


def test_the_pilot_of_a_group_is_the_same_however_many_problems_follow():
    assert Odds(["a"] * 60).pilot() == Odds(["a"] * 1000).pilot() == list(range(PILOT))
    assert Odds(["a", "b"] * 500).pilot() == list(range(2 * PILOT))


def test_what_comes_after_a_missing_attempt_is_not_part_of_a_data_set():
    samples = [_sample(attempt) for attempt in (0, 1, 3, 4)]
    assert [sample.attempt for sample in unbroken(samples)] == [0, 1]
    assert unbroken([_sample(1)]) == []


def _sample(attempt: int) -> Sample:
    return Sample("r", attempt, "p", "", "stop", 0, 0, 0, "e", "", Verdict("wrong", "wrong value"), "g")
