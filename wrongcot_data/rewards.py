"""Our graders as Python functions: for a script, and as a reward for reinforcement learning (TRL's GRPO)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.grade import grade_row
from wrongcot_data.parallel import in_order
from wrongcot_data.records import GRADES, Grade
from wrongcot_data.tasks import get_task

REWARDS: Mapping[Grade, float] = {"correct": 1.0}
"""What a grade is worth unless the caller says otherwise; any other grade is worth 0."""

_NOT_OF_THE_PROBLEM = frozenset({"completion", "finish_reason"})
"""Columns of a published row that tell of its trace, not of the completion that is to be rewarded."""


def grade(task: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Grade one completion, as `wrongcot-data grade` grades a line.

    Args:
        task: name of the task.
        row: `completion` (text, or chat turns) and the problem: `nums` and `target` for Countdown, `question` and
            `reference_answer` for GSM8K and MATH, `question`, `test_list` and perhaps `test_setup_code` for MBPP; and
            `finish_reason` (`stop`, `length`) where it is known.

    Returns:
        The row with `problem_id`, `grade`, `reason`, `answer`, `form`, `sandbox` and `steps` added.

    Raises:
        BadInput: no such task, or a row without completion or problem; the message names the field.
        Unavailable: this machine cannot grade for this task (no sandbox for MBPP).
    """
    graded = grade_row(get_task(task), dict(row), 1)
    if graded.fault:
        raise BadInput(graded.fault)
    return graded.row


def reward(task: str, values: Mapping[Grade, float | None] = REWARDS) -> Callable[..., list[float | None]]:
    """A reward function for TRL's `GRPOTrainer`, which hands every column of the data set to it by name.

    The rows of a published data set have the columns it needs; others need those that `grade` names. It may be called
    from any thread, and works in as many threads as there are cores.

    Args:
        values: what each grade is worth, 0 where a grade is not named; None leaves a completion without a reward.

    Raises:
        BadInput: no such task or grade; when called, a row without its problem.
    """
    the_task = get_task(task)
    for name in values:
        if name not in GRADES:
            raise unknown("grade", name, GRADES)

    def reward_function(prompts: Sequence[Any], completions: Sequence[Any], **columns: Any) -> list[float | None]:
        """One reward a completion; `prompts` only tells how many there are."""
        problems = {
            name: column
            for name, column in columns.items()
            if name not in _NOT_OF_THE_PROBLEM and isinstance(column, list) and len(column) == len(prompts)
        }

        def one(number: int) -> float | None:
            row = {name: column[number] for name, column in problems.items()}
            graded = grade_row(the_task, {**row, "completion": completions[number]}, number)
            if graded.fault:
                raise BadInput(f"completion {number}: {graded.fault}")
            return values.get(graded.row["grade"], 0.0)

        return list(in_order(one, range(len(completions))))

    reward_function.__name__ = f"wrongcot_{the_task.name}"  # TRL names its metrics by it
    return reward_function
