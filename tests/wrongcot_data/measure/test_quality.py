"""The report's numbers: what they count, and that neither order nor size of a set changes how."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.measure.quality import (
    CASES,
    FLAWED,
    N_EXAMPLES,
    N_PARTS,
    SHOWN,
    SOUND,
    UNFLAWED,
    cases,
    median_part,
    trace_quality,
)

LETTERS = {"v": "valid", "i": "invalid", "u": "unchecked"}


def trace(verdicts: str, grade: str = "wrong", number: int = 0, n_tokens: int = 0) -> dict[str, Any]:
    """A row of ten characters a step, verdicts by their first letters."""
    steps = [
        {
            "start": 10 * n,
            "end": 10 * n + 9,
            "text": f"{number:05d}{n:04d}",
            "verdict": LETTERS[letter],
            "kind": "false equation" if letter == "i" else "",
            "operator": "",
        }
        for n, letter in enumerate(verdicts)
    ]
    return {
        "problem_id": f"p{number}",
        "level": 0,
        "completion": [{"role": "assistant", "content": "\n".join(step["text"] for step in steps)}],
        "answer": "1",
        "reference_answer": "2",
        "grade": grade,
        "steps": steps,
        "n_tokens": n_tokens,
    }


@pytest.mark.parametrize(
    ("grade", "verdicts", "expected"),
    [
        ("correct", "vvv", []),
        ("correct", "uviv", [FLAWED]),
        ("correct", "uu", []),
        ("wrong", "uu", []),
        ("wrong", "v", [UNFLAWED]),
        ("wrong", "vuv", [UNFLAWED, SOUND]),
        ("wrong", "vui", [SOUND]),
        ("wrong", "i", []),  # there is nothing before it that was checked
        ("wrong", "iv", []),
        ("wrong", "viv", []),
        ("truncated", "vi", []),
    ],
)
def test_an_answer_is_held_against_the_checked_steps_that_lead_to_it(grade: str, verdicts: str, expected: list[str]):
    assert cases(grade, [LETTERS[letter] for letter in verdicts if letter != "u"]) == expected


def test_shares_are_of_the_traces_in_which_they_can_be_told():
    rows = [
        trace("vv"),
        trace("vi"),
        trace("iv"),
        trace("v"),
        trace("uu"),
        trace("vi", "correct"),
        trace("u", "correct"),
    ]
    found = trace_quality(rows)
    assert found["wrong_answers"] == {
        "rows": 5,
        "checked": 4,
        "without_invalid_step": 2,
        "share_without_invalid_step": 0.5,
        "two_checked": 3,
        "sound_prefix": 2,
        "share_sound_prefix": 0.6667,
    }
    assert found["right_answers"] == {
        "rows": 2,
        "checked": 1,
        "with_invalid_step": 1,
        "share_with_invalid_step": 1.0,
    }


def test_steps_kinds_lengths_and_the_place_of_the_first_error_are_counted():
    found = trace_quality([trace("vuii", n_tokens=7), trace("iv"), trace("v")])
    assert {name: found["steps"][name] for name in ("total", *LETTERS.values())} == {
        "total": 7, "valid": 3, "invalid": 3, "unchecked": 1,
    }  # fmt: skip
    assert found["kinds"] == {"false equation": {"steps": 3, "rows": 2}}
    assert found["characters"]["max"] == 39
    assert (found["tokens"]["median"], found["rows_with_tokens"]) == (7, 1)
    by_part = found["first_invalid_step"]["by_part"]
    assert {part: count for part, count in enumerate(by_part) if count} == {0: 1, 10: 1}  # at 0 and at 20 of 39
    assert len(by_part) == N_PARTS


def test_what_is_not_there_is_null_and_never_a_share_of_nothing():
    found = trace_quality([])
    assert found["rows"] == 0
    assert found["characters"] is found["tokens"] is found["steps"]["per_trace"] is None
    assert found["right_answers"]["share_with_invalid_step"] is None
    assert found["examples"] == {}


rows = st.lists(
    st.builds(
        trace, st.text("viu", max_size=6), st.sampled_from(["wrong", "correct"]), st.integers(0, 99), st.integers(0, 9)
    )
)


@given(rows, st.randoms())
def test_the_order_of_the_rows_makes_no_difference(some: list[dict[str, Any]], rng: random.Random):
    assert trace_quality(rng.sample(some, len(some))) == trace_quality(some)


@given(rows)
def test_every_row_and_every_step_is_counted_once(some: list[dict[str, Any]]):
    found = trace_quality(some)
    assert found["rows"] == len(some) == sum(found["grades"].values())
    assert found["steps"]["total"] == sum(len(row["steps"]) for row in some)
    assert found["first_invalid_step"]["rows"] == sum(
        any(step["verdict"] == "invalid" for step in row["steps"]) for row in some
    )
    assert all(len(found["examples"].get(case, [])) <= N_EXAMPLES for case in CASES)


def test_an_example_tells_the_first_invalid_step_and_is_no_longer_than_it_may_be():
    row = trace("v" * 300 + "i", "correct")
    (example,) = trace_quality([row])["examples"][FLAWED]
    assert example["first_invalid_step"] == row["steps"][-1]["text"]
    assert example["kind"] == "false equation"
    assert len(example["completion"]) == SHOWN + len(" ...")


def test_the_middle_first_error_is_told_as_a_range():
    assert median_part([0] * N_PARTS) == ""
    assert median_part([1, 0, 0, 1, 1, *[0] * (N_PARTS - 5)]) == "15 to 20 %"
