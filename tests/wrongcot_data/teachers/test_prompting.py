"""Prompts: what students see never depends on how teachers are asked, and a text never changes under its version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from wrongcot_data.tasks import get_task
from wrongcot_data.teachers import prompting
from wrongcot_data.teachers.prompting import NEXT_PROBLEM, own_reply, question, render, template_name
from wrongcot_data.teachers.registry import PROMPT_STYLES, PromptStyle

TASK = get_task("countdown")
PROBLEM = TASK.read_problem({"nums": [19, 35, 44], "target": 98})

TEMPLATES = {
    "corruption.chat.v1.jinja": "98647e0df352f1a26496e232ada79fa3ae8b64f9786a548e7cacc7d4cfb06607",
    "corruption.plain.v1.jinja": "75bacba07b8b1e3925b2449d3edf6e35544a1b3fb721556cf2ce620fac391400",
    "countdown.chat.v1.jinja": "a9808668ffdd9157a036f1ff832d3ecf1fb693c80c416e2dd57f62bf2585d38c",
    "countdown.plain.v1.jinja": "c369d5ade51f248bd8532669c6d0ba44c2d8c68b6630e1d06bf58dbed3ab2bba",
    "gsm8k.chat.v1.jinja": "fdbf3da70c43a7588b091a26c2760ed7924c23aa85aba80ac9c9c314304f2d92",
    "gsm8k.plain.v1.jinja": "270cc011a768e93c13ff6758927fc69766838bf6af818de0ea01bb6096255bc7",
    "math.chat.v1.jinja": "fdbf3da70c43a7588b091a26c2760ed7924c23aa85aba80ac9c9c314304f2d92",
    "math.plain.v1.jinja": "270cc011a768e93c13ff6758927fc69766838bf6af818de0ea01bb6096255bc7",
    "mbpp.chat.v1.jinja": "9835c4f2b858aa4ba473be35d434b7d5027a4744d35f17de59928caf3d2e6419",
    "mbpp.plain.v1.jinja": "255f4757276107fdbbd6dcbeb6629f09ca903f12122f36bb1231fdd9820dc80e",
    "paraphrase.chat.v1.jinja": "cc6929ad5d96aee5d3a51878fff3d6775cc4d0aa57bd2fa8616d1858ac407f04",
    "paraphrase.plain.v1.jinja": "d29093bfa8e24dbd270c0e681e404fa5b0baf36cf4873e35c09c9154f99e716d",
}


def test_no_template_changes_under_its_version():
    """Journals and published rows name these texts: a changed one is a new file with a new version."""
    folder = Path(prompting.__file__).parent / "prompts"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.jinja")}
    assert found == TEMPLATES


@pytest.mark.parametrize("style", PROMPT_STYLES)
@pytest.mark.parametrize("shots", [0, 2, 4])
def test_a_prompt_is_turns_or_text_with_the_problem_last_and_no_system_turn(style: PromptStyle, shots: int):
    prompt = render(TASK, PROBLEM, style, shots)
    assert bool(prompt.messages) != bool(prompt.text)
    assert prompt.template == template_name(TASK, style, shots)
    assert prompt.stop[0] == "</answer>"
    few = shots if style.endswith("few") else 0
    if style.startswith("chat"):
        assert [turn.role for turn in prompt.messages] == [*["user", "assistant"] * few, "user"]
        assert "19, 35, 44" in prompt.messages[-1].content
    else:
        assert NEXT_PROBLEM in prompt.stop
        assert prompt.text.count(NEXT_PROBLEM) == few + 1
        assert prompt.text.endswith("Problem: Use 19, 35, 44 to make 98.\nSolution:")
    assert not {"{{", "{%", "Undefined"} & set(str(prompt).split())


def test_the_beginning_of_a_next_problem_is_no_part_of_a_reply():
    plain, chat = (render(TASK, PROBLEM, style) for style in ("plain-few", "chat-zero"))
    assert own_reply(plain, "The answer is 4.\n\nProblem:") == "The answer is 4."
    assert own_reply(plain, "<answer>4</answer>") == "<answer>4</answer>"
    assert own_reply(plain, "Problem: none") == "Problem: none"
    assert own_reply(chat, "The answer is 4.\n\nProblem:") == "The answer is 4.\n\nProblem:"


@pytest.mark.parametrize("style", PROMPT_STYLES)
def test_the_students_prompt_is_zero_shot_however_the_teacher_is_asked(style: PromptStyle):
    student = question(TASK, PROBLEM)
    zero = render(TASK, PROBLEM, "chat-zero", 4)
    assert [turn.content for turn in zero.messages] == [student]
    if style.startswith("chat"):
        assert render(TASK, PROBLEM, style, 4).messages[-1].content == student
    for shot, trace in TASK.shots(PROBLEM):
        assert question(TASK, shot) not in student
        assert trace not in student


def test_the_number_of_examples_and_the_style_are_in_the_name():
    names = {template_name(TASK, style, shots) for style in PROMPT_STYLES for shots in (2, 4)}
    assert names == {
        "countdown/chat-zero@1",
        "countdown/plain-zero@1",
        "countdown/chat-few-2@1",
        "countdown/chat-few-4@1",
        "countdown/plain-few-2@1",
        "countdown/plain-few-4@1",
    }


def test_worked_examples_are_right_and_of_sound_steps_only():
    assert len(TASK.shots(PROBLEM)) >= 4
    for problem, trace in TASK.shots(PROBLEM):
        assert TASK.grade(problem, trace, "stop").grade == "correct"
        assert {step.verdict for step in TASK.steps(problem, trace)} <= {"valid", "unchecked"}
        assert trace == trace.strip()
        assert NEXT_PROBLEM not in trace
        assert trace.endswith("</answer>")


@pytest.mark.parametrize("style", PROMPT_STYLES)
def test_an_example_ends_as_a_reply_that_was_stopped_would(style: PromptStyle):
    prompt = render(TASK, PROBLEM, style, 4)
    told = prompt.text or "\n".join(turn.content for turn in prompt.messages)
    for _, trace in TASK.shots(PROBLEM):
        assert (trace in told) == style.endswith("few")
