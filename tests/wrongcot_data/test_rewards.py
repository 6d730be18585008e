"""Our graders as functions of Python, and as the reward of TRL's GRPO."""

from __future__ import annotations

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.rewards import grade, reward

PUZZLE = {"nums": [1, 2, 3], "target": 7}
SUM = {"question": "How many is 2 + 3?", "reference_answer": "5"}
FIRST = {"question": "Write a function to take the first item.", "test_list": ["assert first([1, 2]) == 1"]}


@pytest.mark.parametrize(
    ("task", "row"),
    [
        ("countdown", {**PUZZLE, "completion": "2 * 3 + 1 = 7\n<answer>2 * 3 + 1</answer>"}),
        ("gsm8k", {**SUM, "completion": "2 + 3 = 5\nThe final answer is $5$."}),
        ("math", {**SUM, "completion": "$2 + 3 = 5$\nThe final answer is $5$."}),
        ("mbpp", {**FIRST, "completion": "def first(items):\n    return items[0]"}),
    ],
)
def test_a_row_comes_back_with_grade_reason_answer_and_steps(task, row):
    graded = grade(task, row)
    assert graded["grade"] == "correct"
    assert {"reason", "answer", "form", "sandbox", "problem_id", *row} <= set(graded)
    for step in graded["steps"]:
        assert set(step) == {"start", "end", "text", "verdict", "kind", "operator"}
        assert row["completion"][step["start"] : step["end"]] == step["text"]
    assert task == "mbpp" or "valid" in {step["verdict"] for step in graded["steps"]}


def test_a_row_without_its_problem_is_an_error_that_names_the_field():
    with pytest.raises(BadInput, match="no `reference_answer`"):
        grade("gsm8k", {"question": "?", "completion": "5"})


@pytest.mark.parametrize("reference", ["5", "2 + 3 = 5\n#### 5", "$5.00"])
def test_a_reference_of_gsm8k_is_a_number_alone_or_at_the_end_of_a_solution(reference):
    row = {**SUM, "reference_answer": reference, "completion": "The final answer is $5$."}
    assert grade("gsm8k", row)["grade"] == "correct"


def test_a_reference_that_is_no_number_is_refused_not_called_wrong():
    with pytest.raises(BadInput, match="`reference_answer` must be a number, not 'five'"):
        grade("gsm8k", {**SUM, "reference_answer": "five", "completion": "The final answer is $5$."})


def test_a_reward_is_one_for_right_and_nothing_for_all_else():
    completions = ["The final answer is $5$.", "The final answer is $6$.", "Well."]
    columns = {name: [value] * 3 for name, value in SUM.items()}
    assert reward("gsm8k")(prompts=["?"] * 3, completions=completions, **columns) == [1.0, 0.0, 0.0]


def test_what_a_grade_is_worth_can_be_said():
    wanted = reward("gsm8k", {"correct": 2.0, "wrong": -1.0, "no_answer": None})
    completions = ["The final answer is $5$.", "The final answer is $6$.", "Well."]
    columns = {name: [value] * 3 for name, value in SUM.items()}
    assert wanted(prompts=["?"] * 3, completions=completions, **columns) == [2.0, -1.0, None]
    with pytest.raises(BadInput, match="unknown grade"):
        reward("gsm8k", {"right": 1.0})


def test_columns_that_tell_of_the_published_trace_do_not_count():
    columns = {name: [value] for name, value in SUM.items()}
    columns |= {"finish_reason": ["length"], "grade": ["wrong"], "completion": ["The final answer is $6$."]}
    del columns["completion"]  # TRL hands it on under its own name, as `completions`
    completion = [[{"role": "assistant", "content": "The final answer is $5$."}]]
    assert reward("gsm8k")(prompts=["?"], completions=completion, **columns, trainer_state=None) == [1.0]


def test_a_data_set_without_the_problem_is_an_error_not_a_zero():
    with pytest.raises(BadInput, match="completion 0: no `question`"):
        reward("gsm8k")(prompts=["?"], completions=["5"])
