"""Rows of others: strict types, bounds, and an error that names the field."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.countdown import TASK
from wrongcot_data.tasks.countdown.puzzles import SPLITS


def test_the_task_is_found_by_its_name():
    assert get_task("countdown") is TASK
    assert (TASK.name, TASK.author, TASK.licence) == ("countdown", "solver", "apache-2.0")
    assert tuple(TASK.splits) == SPLITS


def test_an_inline_problem_keeps_its_order_and_gets_the_id_of_its_key():
    problem = TASK.read_problem({"nums": [44, 19, 35], "target": 98, "completion": "..."})
    assert problem.id == "countdown-19.35.44-98"
    assert problem.data["nums"] == [44, 19, 35]
    assert problem.split == TASK.read_problem({"problem_id": problem.id}).split


def test_id_and_inline_problem_may_stand_together_if_they_agree():
    row = {"problem_id": "countdown-19.35.44-98", "nums": [44, 19, 35], "target": 98}
    assert TASK.read_problem(row).data["nums"] == [44, 19, 35]
    with pytest.raises(BadInput, match="is not the puzzle of nums and target"):
        TASK.read_problem(row | {"target": 99})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "needs problem_id, or nums and target"),
        ({"problem_id": None}, "needs problem_id, or nums and target"),
        ({"problem_id": 7}, "problem_id: a string"),
        ({"problem_id": ""}, "problem_id"),
        ({"problem_id": "countdown-1.2-"}, "problem_id"),
        ({"problem_id": "gsm8k-17"}, "problem_id"),
        ({"problem_id": "countdown-44.19-98"}, "canonical"),
        ({"problem_id": "countdown-019.44-98"}, "canonical"),
        ({"problem_id": "countdown-19.44-98\n"}, "problem_id"),
        ({"problem_id": "countdown-١٩.44-98"}, "problem_id"),
        ({"problem_id": "countdown-0.44-98"}, "nums"),
        ({"problem_id": "countdown-1.1.1.1.1.1.1.1.1-9"}, "nums"),
        ({"problem_id": "countdown-19.44-98", "target": 98}, "nums"),
        ({"nums": [1, 2]}, "target: an integer is wanted, not nothing"),
        ({"target": 3}, "nums: a list of integers is wanted, not nothing"),
        ({"nums": [], "target": 3}, "nums: at least one"),
        ({"nums": [1, 2.0], "target": 3}, "nums: a list of integers"),
        ({"nums": [1, True], "target": 3}, "nums: a list of integers"),
        ({"nums": ["1", "2"], "target": 3}, "nums: a list of integers"),
        ({"nums": "12", "target": 3}, "nums: a list of integers"),
        ({"nums": {1: 2}, "target": 3}, "nums: a list of integers"),
        ({"nums": [1, 2], "target": True}, "target: an integer"),
        ({"nums": [1, 2], "target": "3"}, "target: an integer"),
        ({"nums": [1, 2], "target": 3.0}, "target: an integer"),
        ({"nums": [0, 2], "target": 2}, "nums: every number"),
        ({"nums": [-1, 2], "target": 2}, "nums: every number"),
        ({"nums": [10_000, 2], "target": 2}, "nums: every number"),
        ({"nums": [1] * 9, "target": 2}, "nums: 1 to 8"),
        ({"nums": [1, 2], "target": 0}, "target: must be"),
        ({"nums": [1, 2], "target": 10**30}, "target: must be"),
    ],
)
def test_a_bad_row_names_its_field(row, message):
    with pytest.raises(BadInput, match=message):
        TASK.read_problem(row)


@given(
    st.dictionaries(
        st.sampled_from(["problem_id", "nums", "target"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5),
    )
)
def test_any_row_is_read_or_refused_as_bad_input(row):
    with contextlib.suppress(BadInput):
        assert TASK.read_problem(row).task == "countdown"
