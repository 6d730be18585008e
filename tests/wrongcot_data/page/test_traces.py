"""What a page shows of a row: the whole text in pieces, and nothing that is longer than a page can bear."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.page.choice import Entry
from wrongcot_data.page.traces import MOST_CHARACTERS, MOST_OF_A_WORD, own_columns, pieces, shown, turns

STEPS = st.fixed_dictionaries(
    {
        "start": st.integers(-3, 40),
        "end": st.integers(-3, 40),
        "verdict": st.sampled_from(["valid", "invalid", "unchecked"]),
        "kind": st.sampled_from(["", "false equation", "number not available"]),
        "operator": st.sampled_from(["", "slip: carry"]),
    }
)

ROW: dict[str, Any] = {
    "problem_id": "p",
    "variant": "wrong",
    "level": 0,
    "prompt": [{"role": "user", "content": "Why?"}],
    "completion": [{"role": "assistant", "content": "3 + 4 = 8"}],
    "answer": "8",
    "reference_answer": "7",
    "grade": "wrong",
    "reason": "wrong value",
    "steps": [{"start": 0, "end": 9, "verdict": "invalid", "kind": "false equation", "operator": ""}],
    "answer_kept": True,
    "teacher": "scripted",
    "attempt": 4,
    "parent_id": "abc-4",
    "nums": [3, 4],
    "tests": ["assert f(1) == 2", "assert f(2) == 3"],
}
ENTRY = Entry("wrong", 17, "p", "wrong", "wrong value", "abc-4")


@given(st.text(max_size=30), st.lists(STEPS, max_size=5))
def test_the_pieces_together_are_the_text_whatever_the_offsets_say(text: str, steps: list[dict[str, Any]]):
    cut = pieces(text, steps)
    assert "".join(piece if isinstance(piece, str) else piece[0] for piece in cut) == text


def test_a_step_is_a_piece_with_its_verdict_what_is_wrong_and_who_made_it_so():
    steps = [
        {"start": 0, "end": 9, "verdict": "valid", "kind": "", "operator": ""},
        {"start": 10, "end": 19, "verdict": "invalid", "kind": "false equation", "operator": "slip: carry"},
    ]
    assert pieces("3 + 4 = 7\n7 + 1 = 9\nso 9", steps) == [
        ["3 + 4 = 7", "valid", "", ""],
        "\n",
        ["7 + 1 = 9", "invalid", "false equation: 9 should be 8", "slip: carry"],
        "\nso 9",
    ]


def test_a_row_is_found_again_by_its_name():
    trace = shown(ENTRY, ROW)
    assert (trace.id, trace.variant, trace.level, trace.name, trace.parent) == (
        "wrong/17",
        "wrong",
        0,
        "abc-4",
        "abc-4",
    )
    assert ("attempt", "4") in trace.about


def test_a_level_of_corrupt_is_one_of_the_variant_corrupt():
    trace = shown(ENTRY._replace(config="corrupt-75"), {**ROW, "variant": "corrupt", "level": 75})
    assert (trace.id, trace.variant, trace.level) == ("corrupt-75/17", "corrupt", 75)
    assert ("answer kept", "yes") in trace.about


def test_a_reply_of_the_pool_has_no_steps_and_its_own_name():
    row = {key: value for key, value in ROW.items() if key not in ("steps", "variant", "parent_id", "prompt")}
    trace = shown(ENTRY._replace(config="samples"), {**row, "completion": "so 8", "sample_id": "abc-4"})
    assert (trace.role, trace.name, trace.pieces) == ("samples", "abc-4", ["so 8"])


def test_nothing_of_a_row_is_longer_than_a_page_can_bear():
    long = "7" * 100_000
    row = {**ROW, "completion": [{"content": long}], "answer": long, "reason": long, "engine": long, "steps": []}
    trace = shown(ENTRY._replace(reason=long), row)
    assert trace.cut == 100_000 - MOST_CHARACTERS
    assert len(str(trace)) < MOST_CHARACTERS + 10 * MOST_OF_A_WORD


def test_columns_of_the_task_are_told_with_the_problem():
    assert own_columns(ROW) == [("nums", "3, 4"), ("tests", "assert f(1) == 2\nassert f(2) == 3")]


def test_a_row_that_lacks_what_most_have_is_shown_all_the_same():
    row = {**ROW, "steps": None, "answer": None, "completion": [], "level": None, "parent_id": None}
    trace = shown(ENTRY, row)
    assert (trace.pieces, trace.answer, trace.level, trace.name) == ([], "", 0, "p:wrong")


def test_a_talk_of_many_turns_is_one_text():
    assert turns([{"content": "a"}, {"content": None}, {"content": "b"}]) == "a\n\n\n\nb"
