"""Which rows a page shows: every kind of row, problems whole, no more than asked, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from wrongcot_data.page.choice import PER_PROBLEM, Entry, choose, gather, kind_of, survey
from wrongcot_data.publish.columns import PARAPHRASE_SAMPLES, SAMPLES

CONFIGS = ("wrong", "right", "corrupt-0", "corrupt-50", SAMPLES)
GRADES = ("correct", "wrong", "truncated")
REASONS = ("wrong value", "number missing", "equals the target")


@st.composite
def data_sets(draw: st.DrawFn) -> list[Entry]:
    """The rows of a data set: its configs one after the other, each in the order of the problems."""
    rows = []
    for config in CONFIGS:
        counts = draw(st.lists(st.integers(0, 5), max_size=12))
        problems = [f"p{number}" for number, count in enumerate(counts) for _ in range(count)]
        for number, problem in enumerate(problems):
            grade, reason = draw(st.sampled_from(GRADES)), draw(st.sampled_from(REASONS))
            rows.append(Entry(config, number, problem, grade, reason, f"family {draw(st.integers(0, 3))}"))
    return rows


def chosen(rows: Sequence[Entry], limit: int, seed: int = 0) -> list[Entry]:
    found = survey(rows, limit, seed)
    return choose(found, gather(rows, found.problems(), seed), limit, seed)


@settings(max_examples=40)
@given(data_sets(), st.integers(1, 60), st.integers(0, 3))
def test_every_kind_has_a_row_and_there_are_no_more_rows_than_asked_or_kinds(rows: list[Entry], limit: int, seed: int):
    page = chosen(rows, limit, seed)
    kinds = {kind_of(entry) for entry in rows}
    assert {kind_of(entry) for entry in page} == kinds
    assert len(page) <= max(limit, len(kinds))
    assert set(page) <= set(rows)
    assert len(set(page)) == len(page)


@settings(max_examples=40)
@given(data_sets(), st.integers(0, 3))
def test_with_room_for_all_every_problem_is_shown_in_every_config_it_has(rows: list[Entry], seed: int):
    page = chosen(rows, len(rows) + 1, seed)
    there = Counter((entry.config, entry.problem_id) for entry in rows)
    here = Counter((entry.config, entry.problem_id) for entry in page)
    assert here.keys() == there.keys()
    assert all(count >= min(there[place], PER_PROBLEM) for place, count in here.items())


@settings(max_examples=40)
@given(data_sets(), st.integers(1, 60))
def test_the_same_rows_and_seed_make_the_same_page(rows: list[Entry], limit: int):
    assert chosen(rows, limit, 7) == chosen(rows, limit, 7)


@settings(max_examples=40)
@given(data_sets(), st.integers(1, 60))
def test_the_rows_of_a_problem_stand_together_in_the_order_of_the_data_set(rows: list[Entry], limit: int):
    page = chosen(rows, limit)
    problems = [entry.problem_id for entry in page]
    assert [problem for number, problem in enumerate(problems) if problem not in problems[:number]] == [
        problem for number, problem in enumerate(problems) if number == 0 or problems[number - 1] != problem
    ]
    places = {entry: number for number, entry in enumerate(rows)}
    for problem in problems:
        of_one = [places[entry] for entry in page if entry.problem_id == problem]
        assert of_one == sorted(of_one)


def full(n_problems: int, configs: Sequence[str] = CONFIGS) -> list[Entry]:
    """Rows in which every problem has one row in each config."""
    return [
        Entry(config, number, f"p{number}", "correct", "equals the target", f"p{number}:reference")
        for config in configs
        for number in range(n_problems)
    ]


def test_problems_are_shown_whole_and_not_one_row_of_each():
    page = chosen(full(1000), 52)
    assert Counter(Counter(entry.problem_id for entry in page).values()) == {len(CONFIGS): 10}


def test_problems_that_have_the_most_variants_come_first():
    rows = [*full(200, CONFIGS[:4]), Entry(SAMPLES, 0, "p150", "wrong", "wrong value", "s")]
    page = chosen(rows, 21)
    assert [entry.problem_id for entry in page][:5] == ["p150"] * 5


def test_one_rare_row_in_a_hundred_thousand_is_there_with_all_of_its_problem():
    rows = full(20_000)
    rare = Entry("wrong", 20_000, "p12345", "wrong", "number missing", "s")
    page = chosen([*rows[:20_000], rare, *rows[20_000:]], 100)
    assert rare in page
    assert {entry.config for entry in page if entry.problem_id == "p12345"} == set(CONFIGS)


def test_another_seed_shows_other_problems():
    rows = full(1000)
    one, other = ({entry.problem_id for entry in chosen(rows, 50, seed)} for seed in (0, 1))
    assert len(one & other) < 5


def test_the_choice_leans_to_no_end_of_the_set():
    numbers = [entry.number for entry in chosen(full(2000), 1000) if entry.config == "wrong"]
    assert 900 < sum(numbers) / len(numbers) < 1100


def test_of_many_traces_of_a_problem_the_same_chains_are_shown_at_every_level():
    rows = [
        Entry(config, number, "p", "correct", "equals the target", f"sample {number}")
        for config in ("corrupt-0", "corrupt-50")
        for number in range(40)
    ]
    page = chosen(rows, 50)
    families = [[entry.family for entry in page if entry.config == config] for config in ("corrupt-0", "corrupt-50")]
    assert families[0] == families[1]
    assert len(families[0]) == PER_PROBLEM


def test_of_the_pool_replies_that_are_no_traces_come_first():
    grades = ["correct"] * 50 + ["truncated"] + ["wrong"] * 50
    rows = [Entry(SAMPLES, number, "p", grade, grade, f"s{number}") for number, grade in enumerate(grades)]
    wholes = gather(rows, {"p"}, 0)
    assert "truncated" in {entry.grade for entry in wholes["p"].entries}


def test_what_a_refused_rewriting_or_a_server_said_makes_no_kind_of_its_own():
    rows = [
        Entry(PARAPHRASE_SAMPLES, 0, "p", "wrong", "quantity missing: 12", "a"),
        Entry(PARAPHRASE_SAMPLES, 1, "p", "wrong", "quantity missing: 13", "b"),
        Entry(SAMPLES, 0, "p", "error", "HTTP 500 after 3.2 s", "c"),
        Entry(SAMPLES, 1, "p", "error", "HTTP 500 after 3.3 s", "d"),
    ]
    assert [tuple(kind) for kind in dict.fromkeys(map(kind_of, rows))] == [
        (PARAPHRASE_SAMPLES, "wrong", "quantity missing"),
        (SAMPLES, "error", "request failed"),
    ]


def test_what_is_kept_in_between_does_not_grow_with_the_rows():
    """Problems that come into question, and of these a few rows a config: however many rows there are."""
    found = survey(iter(full(30_000, CONFIGS[:2])), 40, 0)
    assert len(found.problems()) <= 40 + 2
    many = (Entry("wrong", number, "p", "wrong", "wrong value", f"s{number}") for number in range(10_000))
    assert len(gather(many, {"p"}, 0)["p"].entries) == PER_PROBLEM
