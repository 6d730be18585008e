"""Rewriting as a task: its examples are what they ask for, its imitations what they say they are."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wrongcot_data.variants.paraphrase.conftest import PROGRAM, TRACE, Rewriter
from wrongcot_data.errors import BadInput
from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task
from wrongcot_data.teachers.prompting import own_reply, render
from wrongcot_data.teachers.registry import PROMPT_STYLES
from wrongcot_data.variants.paraphrase.rewriting import Rewriting

MBPP_ROW = {"question": "Count.", "test_list": ["assert count([]) == 0"], "reference_answer": PROGRAM}
ROWS = {
    "countdown": {"nums": [10, 3, 4], "target": 26},
    "gsm8k": {"question": "How many?", "reference_answer": "3"},
    "math": {"question": "How many?", "reference_answer": "3"},
    "mbpp": MBPP_ROW,
}


def asked(task_name: str, trace: str, **more: object) -> tuple[Rewriting, Problem]:
    task = get_task(task_name)
    problem = task.read_problem({**ROWS[task_name], **more})
    rewriting = Rewriting(task)
    return rewriting, rewriting.of(problem, trace, task.grade(problem, trace, "stop"), "a trace")


@pytest.mark.parametrize(
    ("task", "trace", "more"),
    [
        ("countdown", "<answer>1</answer>", {}), ("gsm8k", "So it is.\n#### 3", {}), ("gsm8k", "It is $3$.", {}),
        ("math", "It is \\boxed{3}.", {}), ("mbpp", PROGRAM, {}), ("mbpp", PROGRAM, {"trace_style": "reasoned"}),
    ],
)  # fmt: skip
def test_every_worked_example_is_a_paraphrase_by_our_own_rules(task: str, trace: str, more: dict[str, object]):
    rewriting, problem = asked(task, trace, **more)
    shots = rewriting.shots(problem)
    assert len(shots) == 2
    for shot, text in shots:
        assert rewriting.grade(shot, text, "stop").reason == "paraphrase"
        assert ("\n####" in text) == ("\n####" in trace)


@pytest.mark.parametrize("style", PROMPT_STYLES)
@pytest.mark.parametrize("task", ROWS)
def test_every_prompt_shows_the_problem_and_the_trace_once(task: str, style):
    rewriting, problem = asked(task, "A trace like no other.")
    prompt = render(rewriting, problem, style, 2)
    text = prompt.text + "".join(turn.content for turn in prompt.messages)
    assert text.count("A trace like no other.") == 1
    assert text.count(problem.data["question"]) == 1
    assert prompt.template == f"paraphrase/{style}{'-2' if style.endswith('few') else ''}@1"


@given(st.integers(0, 10**6))
def test_an_imitation_is_judged_as_its_kind_says(gsm8k: Rewriter, seed: int):
    rewriting = Rewriting(gsm8k.task)
    problem = rewriting.of(gsm8k.problem, TRACE, gsm8k.base.verdict, "a trace")

    def graded(kind, finish_reason="stop") -> str:
        return rewriting.grade(problem, rewriting.imitate(problem, kind, Random(seed)), finish_reason).grade

    assert graded("right") == "correct"
    assert graded("wrong") == "wrong"
    assert graded("malformed") == "wrong"
    assert graded("truncated", "length") == "truncated"


def test_a_model_that_begins_again_is_stopped_there():
    rewriting, problem = asked("gsm8k", "A trace.")
    prompt = render(rewriting, problem, "plain-few", 2)
    stop = next(stop for stop in prompt.stop if stop in prompt.text)
    assert own_reply(prompt, f"It is 3.\n#### 3{stop}") == "It is 3.\n#### 3"
    rewriting, problem = asked("mbpp", PROGRAM)
    prompt = render(rewriting, problem, "plain-few", 2)
    assert any(stop in prompt.text for stop in prompt.stop if stop.startswith("\nThe same"))


def test_a_row_without_its_trace_is_one_line():
    rewriting = Rewriting(get_task("gsm8k"))
    with pytest.raises(BadInput, match="parent_completion"):
        rewriting.read_problem(ROWS["gsm8k"])
    with pytest.raises(BadInput, match="parent_id"):
        rewriting.read_problem({**ROWS["gsm8k"], "parent_completion": "It is 3."})
    problem = rewriting.read_problem({**ROWS["gsm8k"], "parent_completion": "#### 3", "parent_id": "x"})
    assert (problem.id, problem.data["verdict"].grade) == ("x", "correct")
