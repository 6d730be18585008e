"""The puzzles and traces of others, where the folder of shared data is there."""

import json
from pathlib import Path

import pytest

from wrongcot_data.tasks.countdown import TASK

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data"


def rows(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"no {path}: the shared data is not beside this checkout")
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.mark.parametrize("name", ["tinyzero_train", "tinyzero_test_first_half", "cd3_test_first_half"])
def test_every_puzzle_of_tinyzero_and_cd3_is_solved_by_its_reference(name):
    for row in rows(f"countdown/{name}.jsonl"):
        problem = TASK.read_problem(row)
        trace = TASK.reference(problem).trace
        assert TASK.grade(problem, trace, "stop").grade == "correct", row
        assert all(step.verdict != "invalid" for step in TASK.steps(problem, trace)), trace


# All 8 are right answers in a \boxed{} outside any <answer> tag, which whoever verified them also took; here an answer
# stands in its tag, as the prompt asks.
BOXED_WITHOUT_A_TAG = {85, 89, 134, 141, 155, 166, 254, 274}


def test_verdicts_on_real_model_traces_agree_with_those_that_came_with_them():
    disagreements = set()
    for place, row in enumerate(rows("llada_traces/llada_countdown_first_half.jsonl")):
        verdict = TASK.grade(TASK.read_problem(row), row["trace"], "stop" if row["finished"] else "unknown")
        if (verdict.grade == "correct") != row["verified_correct"]:
            disagreements.add(place)
            assert verdict.reason == "no answer"
            assert "<answer>" not in row["trace"]
            assert "\\boxed{" in row["trace"]
        if row["verify_reason"] == "wrong_value" and verdict.grade != "no_answer":
            assert verdict.reason == "wrong value"
    assert disagreements == BOXED_WITHOUT_A_TAG


def test_a_bare_target_of_a_real_model_is_not_called_wrong():
    """26 of the 384 answer with the target itself, some of them after a right expression in the text."""
    verdicts = [
        TASK.grade(TASK.read_problem(row), row["trace"], "stop").reason
        for row in rows("llada_traces/llada_countdown_first_half.jsonl")
    ]
    assert verdicts.count("only the target") >= 26
