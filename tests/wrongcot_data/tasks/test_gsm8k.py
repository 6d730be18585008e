"""GSM8K: problems, references without marks, inline rows, a build from a file to a verified data set."""

from __future__ import annotations

import json
from random import Random

import pytest

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.gsm8k import TASK, Gsm8kOptions, without_calculator_marks
from wrongcot_data.teachers.prompting import question

EGGS = {"question": "A hen lays 6 eggs a day. How many in 7 days?", "reference_answer": "42"}


@pytest.fixture(scope="module")
def real(shared_gsm8k):
    return list(TASK.problems(Gsm8kOptions(source=str(shared_gsm8k)), "train", 0))


@pytest.fixture(scope="module")
def shared_gsm8k(shared):
    return shared("gsm8k/train.jsonl")


def test_every_problem_of_the_real_file_is_there_once_with_an_answer_and_a_trace(real):
    assert len({problem.id for problem in real}) == len(real) == 7473
    for problem in real:
        reference = TASK.reference(problem)
        assert "<<" not in reference.trace
        assert reference.trace.endswith(f"#### {reference.answer}")


def test_a_problem_is_the_same_read_inline(real):
    for problem in real[:100]:
        row = {"question": problem.data["question"], "reference_answer": problem.data["reference_answer"]}
        assert TASK.read_problem({**row, "problem_id": problem.id}).id == problem.id


def test_calculator_marks_go_and_all_else_stays():
    assert without_calculator_marks("48/2 = <<48/2=24>>24 clips, so 2 << 3 > 1") == "48/2 = 24 clips, so 2 << 3 > 1"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"question": None}, "no `question`"),
        ({"question": 3}, "`question` must be text"),
        ({"reference_answer": None}, "no `reference_answer`"),
        ({"reference_answer": "43", "problem_id": TASK.read_problem(EGGS).id}, "is not the problem of"),
    ],
)
def test_an_inline_row_without_its_problem_is_refused_by_field(change, told):
    with pytest.raises(BadInput) as error:
        TASK.read_problem({**EGGS, **change})
    assert told in error.value.message


def test_the_students_prompt_holds_the_question_and_the_asked_closing():
    told = question(TASK, TASK.read_problem(EGGS))
    assert told.endswith(EGGS["question"])
    assert "The final answer is $ANSWER$." in told


def test_worked_examples_are_right_and_of_valid_steps():
    for problem, trace in TASK.shots(TASK.read_problem(EGGS)):
        assert TASK.grade(problem, trace, "stop").grade == "correct"
        verdicts = {step.verdict for step in TASK.steps(problem, trace)}
        assert "valid" in verdicts
        assert "invalid" not in verdicts


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("6 * 7 = 42.\nThe final answer is $42$.", "correct"),
        ("6 * 7 = 42 eggs\n#### 42", "correct"),
        ("So it is \\boxed{42.0}.", "correct"),
        ("6 * 7 = 44.\nThe final answer is $44$.", "wrong"),
        ("The final answer is $4200$.", "wrong"),
        ("I cannot tell.", "no_answer"),
    ],
)
def test_grades(completion, grade):
    assert TASK.grade(TASK.read_problem(EGGS), completion, "stop").grade == grade


def test_a_reply_that_was_cut_off_is_truncated():
    assert TASK.grade(TASK.read_problem(EGGS), "6 * 7 = 4", "length").grade == "truncated"


@pytest.mark.parametrize("kind", ["right", "wrong", "truncated", "malformed"])
def test_imitations_are_what_they_are_called(kind, real):
    wanted = {"right": "correct", "wrong": "wrong", "truncated": "truncated", "malformed": "no_answer"}[kind]
    for number, problem in enumerate(real[:50]):
        text = TASK.imitate(problem, kind, Random(number))
        assert TASK.grade(problem, text, "length" if kind == "truncated" else "stop").grade == wanted


def test_a_build_from_a_file_verifies_and_loads(run, rows, source, tmp_path):
    questions = [
        {"question": f"How many is {n} + 3?", "answer": f"{n} + 3 = <<{n}+3={n + 3}>>{n + 3}\n#### {n + 3}"}
        for n in range(20)
    ]
    out = tmp_path / "set"
    flags = ("--teacher", "scripted", "--source", source(*questions), "--limit", 100, "--out", out)
    told = json.loads(run("build", "gsm8k", *flags, "--json").stdout)
    assert told["receipt"]["balanced"]
    assert told["receipt"]["kept"]["reference"] == 20
    run("verify", out)
    human = rows(out, "reference")
    assert {row["author"] for row in human} == {"human"}
    assert {row["grade"] for row in human} == {"correct"}
    assert not any("<<" in row["completion"][0]["content"] for row in human)
    assert "source.jsonl, SHA-256" in (out / "README.md").read_text()
    wrong = rows(out, "wrong")
    assert {row["grade"] for row in wrong} == {"wrong"}
    assert {row["problem_id"] for row in wrong} <= {row["problem_id"] for row in human}
    assert {row["question"] for row in human} == {one["question"] for one in questions}


def test_no_row_of_a_build_holds_the_beginning_of_a_next_problem(run, rows, source, tmp_path, monkeypatch):
    imitate = type(TASK).imitate
    monkeypatch.setattr(type(TASK), "imitate", lambda *given: f"{imitate(*given)}\n\nProblem:")
    questions = [{"question": f"How many is {n} + 3?", "answer": f"{n} + 3 = {n + 3}\n#### {n + 3}"} for n in range(8)]
    flags = ("--teacher", "scripted", "--prompt", "plain-zero", "--source", source(*questions))
    run("build", "gsm8k", *flags, "--out", tmp_path / "set")
    assert rows(tmp_path / "set", "wrong")
    for row in (*rows(tmp_path / "set", "wrong"), *rows(tmp_path / "set", "right")):
        assert not row["completion"][0]["content"].endswith("Problem:")
    assert not any(row["completion"].endswith("Problem:") for row in rows(tmp_path / "set", "samples"))
    run("verify", tmp_path / "set")
