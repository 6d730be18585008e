"""`stepwise`: labels up to the first wrong step, no label where it is not known, no text lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.steps import equation_steps
from wrongcot_data.steps.programs import program_steps
from wrongcot_data.views.account import Account
from wrongcot_data.views.stepwise import NO_STEP, WHERE_UNKNOWN, cut, labelled, pieces, why_not


def row_of(text: str, grade: str = "correct") -> dict[str, Any]:
    steps = equation_steps(text)
    return {
        "problem_id": "p0",
        "task": "gsm8k",
        "variant": "right",
        "level": 0,
        "answer": "1",
        "reference_answer": "1",
        "grade": grade,
        "parent_id": "s-0",
        "prompt": [{"role": "user", "content": "How many?"}],
        "completion": [{"role": "assistant", "content": text}],
        "steps": [
            {"start": s.start, "end": s.end, "text": s.text, "verdict": s.verdict, "kind": s.kind} for s in steps
        ],
    }


def test_a_step_counts_as_right_until_the_first_wrong_one_which_ends_the_row():
    row = labelled(row_of("He has apples.\n2 + 3 = 5\n5 + 1 = 7\n7 + 1 = 8"))
    assert row["completions"] == ["He has apples.", "2 + 3 = 5", "5 + 1 = 7"]
    assert row["labels"] == [True, True, False]
    assert row["verdicts"] == ["unchecked", "valid", "invalid"]
    assert row["kind"] == "false equation"
    assert row["prompt"] == "How many?"


def test_a_trace_without_an_invalid_step_is_right_throughout_if_its_answer_is():
    row = labelled(row_of("2 + 3 = 5\nSo 5."))
    assert row["labels"] == [True, True]
    assert row["kind"] == ""


@pytest.mark.parametrize(
    ("text", "grade", "reason"),
    [
        ("2 + 3 = 5", "wrong", WHERE_UNKNOWN),
        ("2 + 3 = 6", "wrong", ""),
        ("2 + 3 = 5", "correct", ""),
        ("", "correct", NO_STEP),
    ],
)
def test_a_trace_whose_wrong_step_is_not_known_has_no_labels(text: str, grade: str, reason: str):
    assert why_not(row_of(text, grade)) == reason


lines = st.lists(st.sampled_from(["2 + 3 = 5", "2 + 3 = 6", "so", "", "  1 + 1 = 2. 2 + 2 = 4."]), max_size=6)


@given(st.lists(st.tuples(lines, st.sampled_from(["correct", "wrong"])), max_size=5))
def test_only_the_last_label_of_a_row_is_false_and_the_account_balances(some: list[tuple[list[str], str]]):
    rows = [row_of("\n".join(text).strip(), grade) for text, grade in some]
    account = Account()
    found = list(cut(lambda _variant, _columns: iter(rows), ["right"], account))
    assert account.asked == len(rows) == account.kept + account.left_out.total()
    assert account.kept == len(found)
    for row in found:
        assert len(row["labels"]) == len(row["completions"]) == len(row["verdicts"]) > 0
        assert all(row["labels"][:-1])
        assert row["labels"][-1] is (row["kind"] == "")


PROGRAM = "def f(x):\n    # twice\n    y = x * 2\n\n    return y\n\nprint(f(1))"


def test_a_program_joined_by_newlines_is_a_program_with_its_comments():
    steps = [{"start": step.start, "end": step.end} for step in program_steps(PROGRAM)]
    assert "\n".join(pieces(PROGRAM, steps)) == PROGRAM.replace("\n\n", "\n")


@given(lines)
def test_no_word_of_a_trace_is_lost(some: list[str]):
    text = "\n".join(some).strip()
    steps = [{"start": step.start, "end": step.end} for step in equation_steps(text)]
    assert " ".join(pieces(text, steps)).split() == text.split()
