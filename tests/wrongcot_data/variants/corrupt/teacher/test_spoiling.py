"""Making mistakes as a task: its examples are what they ask for, its imitations what they say they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wrongcot_data.variants.corrupt.teacher.conftest import ROWS, TRACES, Step, step_of
from wrongcot_data.errors import BadInput
from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import own_reply, render
from wrongcot_data.teachers.registry import PROMPT_STYLES
from wrongcot_data.variants.corrupt.teacher.spoiling import Spoiling, askable


def asked(task_name: str, **more: object) -> tuple[Spoiling, Sequence[Problem]]:
    spoiling = Spoiling(get_task(task_name))
    row = {**ROWS[task_name], "parent_completion": TRACES[task_name], "parent_id": "a trace", **more}
    numbers = askable(step_of(task_name, 0).place).values()
    return spoiling, [spoiling.read_problem({**row, "step": number}) for number in numbers]


@pytest.mark.parametrize("task", ROWS)
def test_every_worked_example_is_one_mistake_by_our_own_rules(task: str):
    spoiling, problems = asked(task)
    shots = spoiling.shots(problems[0])
    assert len(shots) == 2
    for shot, text in shots:
        assert spoiling.grade(shot, text, "stop").grade == "correct"
        assert spoiling.grade(shot, shot.data["step"], "stop").reason == "step unchanged"


@pytest.mark.parametrize("style", PROMPT_STYLES)
@pytest.mark.parametrize("task", ROWS)
def test_every_prompt_shows_the_problem_and_the_trace_and_ends_with_the_step(task: str, style):
    spoiling, problems = asked(task)
    for problem in problems:
        prompt = render(spoiling, problem, style, 2)
        text = prompt.text or prompt.messages[-1].content
        assert text.count(TRACES[task]) == 1
        assert problem.data["question"] in text
        end = text[text.index(TRACES[task]) + len(TRACES[task]) :]
        assert end.count(problem.data["step"]) == 1
        assert prompt.template == f"corruption/{style}{'-2' if style.endswith('few') else ''}@1"


def test_every_step_that_can_be_spoilt_is_asked_about_once():
    assert [problem.data["number"] for problem in asked("gsm8k")[1]] == [0, 1]
    assert [problem.data["step"] for problem in asked("mbpp")[1]] == [
        "total = 0", "for number in numbers:", "if number % 2 == 0:", "total += 1", "return total",
    ]  # fmt: skip
    assert len({problem.id for problem in asked("mbpp")[1]}) == 5


@settings(max_examples=30)
@given(st.integers(0, 10**6))
def test_an_imitation_is_judged_as_its_kind_says(gsm8k: Step, seed: int):
    reasons = {
        gsm8k(gsm8k.imitated("wrong", seed)).reason.partition(":")[0],
        gsm8k(gsm8k.imitated("malformed", seed)).reason.partition(":")[0],
        gsm8k(gsm8k.imitated("truncated", seed), "length").reason,
    }
    assert reasons <= {"step unchanged", "several changes", "talk about the step", "not finished"}
    assert gsm8k(gsm8k.imitated("right", seed)).grade == "correct"


@pytest.mark.parametrize("task", ROWS)
def test_in_every_task_a_scripted_teacher_makes_mistakes_that_are_accepted(task: str):
    spoiling, problems = asked(task)
    found = [
        spoiling.grade(problem, step_of(task, problem.data["number"]).imitated("right", seed), "stop").grade
        for problem in problems
        for seed in range(4)
    ]
    assert found.count("correct") > len(found) / 3


def test_a_model_that_begins_again_is_stopped_there():
    for task in ("gsm8k", "mbpp"):
        spoiling, problems = asked(task)
        prompt = render(spoiling, problems[0], "plain-few", 2)
        stop = next(stop for stop in prompt.stop if stop in prompt.text and "mistake" not in stop and "same" in stop)
        assert own_reply(prompt, f"It is 3.{stop}") == "It is 3."


def test_a_row_without_its_step_is_one_line():
    for field, value in (("step", None), ("step", 17), ("step", -1), ("parent_id", ""), ("parent_completion", " ")):
        row = {**ROWS["gsm8k"], "parent_completion": TRACES["gsm8k"], "parent_id": "x", "step": 0, field: value}
        with pytest.raises(BadInput, match=f"{field}: "):
            Spoiling(get_task("gsm8k")).read_problem(row)
