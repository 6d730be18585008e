"""MBPP: both editions, both styles, official splits by task id, programs that run in the sandbox only."""

from __future__ import annotations

import json
from random import Random

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.mbpp import SPLITS, TASK, MbppOptions
from wrongcot_data.teachers.prompting import question, render

FIRST = {
    "question": "Write a function to take the first item.",
    "test_list": ["assert first([1, 2]) == 1", "assert first('ab') == 'a'", "assert first((0,)) == 0"],
}


def problems(path, split, **options):
    return list(TASK.problems(MbppOptions(source=str(path), **options), split, 0))


def test_the_official_splits_are_those_of_the_paper():
    assert {name: len(numbers) for name, numbers in SPLITS.items()} == {
        "train": 374,
        "validation": 90,
        "test": 500,
        "prompt": 10,
    }


def test_a_file_of_several_splits_gives_each_its_own(shared):
    path = shared("mbpp/mbpp_not_test.jsonl")
    found = {split: problems(path, split) for split in ("train", "validation", "prompt")}
    assert {split: len(ones) for split, ones in found.items()} == {"train": 374, "validation": 90, "prompt": 10}
    with pytest.raises(BadInput, match="holds no problems of the split test"):
        problems(path, "test")


def test_the_sanitized_edition_reads_its_own_field_names_and_imports(shared):
    found = problems(shared("mbpp/sanitized_test_first_half.jsonl"), "test")
    assert len(found) == 128
    assert any(problem.data["test_setup_code"] == "import math" for problem in found)
    assert not any("\r" in problem.data["program"] for problem in found)


def test_a_problem_has_one_id_in_both_styles_and_inline(shared):
    path = shared("mbpp/mbpp_test_first_half.jsonl")
    code, reasoned = problems(path, "test"), problems(path, "test", trace_style="reasoned")
    assert [one.id for one in code] == [one.id for one in reasoned]
    for problem in code:
        row = {name: problem.data[name] for name in ("question", "tests", "test_setup_code")}
        assert TASK.read_problem({**row, "problem_id": problem.id}).id == problem.id


def test_the_first_assertion_is_shown_and_no_other():
    told = question(TASK, TASK.read_problem(FIRST))
    assert FIRST["test_list"][0] in told
    assert not any(test in told for test in FIRST["test_list"][1:])


def test_the_two_styles_ask_for_two_kinds_of_reply():
    code, reasoned = (question(TASK, TASK.read_problem({**FIRST, "trace_style": s})) for s in ("code", "reasoned"))
    assert "code only" in code
    assert "step by step" in reasoned


def test_code_that_runs_after_the_program_is_shown():
    told = question(TASK, TASK.read_problem({**FIRST, "test_setup_code": "root = Node(1)"}))
    assert "root = Node(1)" in told


@pytest.mark.parametrize("style", ["code", "reasoned"])
@pytest.mark.parametrize("prompt_style", ["chat-few", "plain-few"])
def test_worked_examples_pass_and_are_answered_in_the_asked_style(style, prompt_style):
    problem = TASK.read_problem({**FIRST, "trace_style": style})
    for shot, trace in TASK.shots(problem):
        assert TASK.grade(shot, trace, "stop").grade == "correct"
        assert ("```" in trace) == (style == "reasoned")
    prompt = render(TASK, problem, prompt_style, 4)
    told = prompt.text or "\n".join(turn.content for turn in prompt.messages)
    assert all(trace in told for _, trace in TASK.shots(problem))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"test_list": None}, "no `test_list`"),
        ({"test_list": [1]}, "`test_list` must be a list of assertions"),
        ({"question": None}, "no `question`"),
        ({"test_setup_code": 3}, "`test_setup_code` must be text"),
        ({"trace_style": "prose"}, "unknown trace_style 'prose'"),
        ({"problem_id": "mbpp-0"}, "is not the problem of"),
    ],
)
def test_an_inline_row_without_its_problem_is_refused_by_field(change, told):
    with pytest.raises(BadInput) as error:
        TASK.read_problem({**FIRST, **change})
    assert told in error.value.message


@pytest.mark.parametrize(
    ("completion", "grade", "reason"),
    [
        ("def first(items):\n    return items[0]", "correct", ""),
        ("Take it.\n\n```python\ndef first(items):\n    return items[0]\n```", "correct", ""),
        ("def first(items):\n    return 1", "wrong", "failed assertion 2"),
        ("I will not.", "no_answer", ""),
    ],
)
def test_grades_and_the_sandbox_that_was_used(completion, grade, reason):
    verdict = TASK.grade(TASK.read_problem(FIRST), completion, "stop")
    assert verdict.grade == grade
    assert reason in verdict.reason
    assert verdict.sandbox == ("" if grade == "no_answer" else verdict.sandbox)
    assert grade == "no_answer" or verdict.sandbox in {"bubblewrap", "landlock"}


@pytest.mark.parametrize("style", ["code", "reasoned"])
@pytest.mark.parametrize("kind", ["right", "wrong", "malformed"])
def test_imitations_are_what_they_are_called(kind, style, shared):
    wanted = {"right": "correct", "wrong": "wrong", "malformed": "no_answer"}[kind]
    for number, problem in enumerate(problems(shared("mbpp/mbpp_not_test.jsonl"), "prompt", trace_style=style)):
        assert TASK.grade(problem, TASK.imitate(problem, kind, Random(number)), "stop").grade == wanted


@pytest.mark.parametrize("style", ["code", "reasoned"])
def test_a_build_from_a_file_verifies_and_says_how_code_was_confined(run, rows, shared, tmp_path, style):
    out = tmp_path / "set"
    flags = ("--source", shared("mbpp/mbpp_not_test.jsonl"), "--problems", f"trace_style={style}", "--limit", 12)
    told = run("build", "mbpp", "--teacher", "scripted", *flags, "--out", out, "--json").stdout
    assert json.loads(told)["receipt"]["balanced"]
    run("verify", out)
    human = rows(out, "reference")
    assert len(human) == 12
    assert {row["grade"] for row in human} == {"correct"}
    assert {row["sandbox"] for row in human} <= {"bubblewrap", "landlock"}
    assert {row["trace_style"] for row in human} == {style}
    assert all(("```" in row["completion"][0]["content"]) == (style == "reasoned") for row in human)
