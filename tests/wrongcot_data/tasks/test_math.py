"""MATH: problems, boxed answers as references, the columns of its own, two graders behind one grade."""

from __future__ import annotations

import json
from random import Random

import pytest

from wrongcot_data.tasks.math import TASK, MathOptions

HALF = {"question": "What is half of one?", "reference_answer": r"\frac{1}{2}"}


@pytest.fixture(scope="module")
def real(shared):
    return list(TASK.problems(MathOptions(source=str(shared("math/train.jsonl"))), "train", 0))


def test_every_problem_but_the_two_without_an_answer_is_there_once(real):
    assert len(real) == len({problem.id for problem in real}) == 7498
    assert {problem.data["subject"] for problem in real[:200]} == {
        "Algebra",
        "Counting & Probability",
        "Geometry",
        "Intermediate Algebra",
        "Number Theory",
        "Prealgebra",
        "Precalculus",
    }


def test_the_reference_is_what_the_solution_boxes(real, shared):
    by_question = {problem.data["question"]: problem for problem in real}
    for line in shared("math/train.jsonl").read_text().split("\n")[:500]:
        row = json.loads(line)
        reference = by_question[row["problem"].strip()].data["reference_answer"]
        assert reference == row["answer"].strip() or reference.endswith(f", \\boxed{{{row['answer'].strip()}}}")


def test_a_file_of_the_test_split_holds_no_training_problems(shared):
    options = MathOptions(source=str(shared("math/test_first_half.jsonl")))
    assert len(list(TASK.problems(options, "test", 0))) == 2500
    with pytest.raises(Exception, match="only test"):
        list(TASK.problems(options, "train", 0))


def test_worked_examples_are_right_and_hold_no_false_equation():
    for problem, trace in TASK.shots(TASK.read_problem(HALF)):
        assert TASK.grade(problem, trace, "stop").grade == "correct"
        assert "invalid" not in {step.verdict for step in TASK.steps(problem, trace)}


@pytest.mark.parametrize(
    ("completion", "grade"),
    [
        ("The final answer is $0.5$.", "correct"),
        (r"So $\boxed{\dfrac12}$.", "correct"),
        (r"The final answer is $\frac{1}{3}$.", "wrong"),
        (r"The final answer is $2$.", "wrong"),
        ("No idea.", "no_answer"),
    ],
)
def test_grades(completion, grade):
    assert TASK.grade(TASK.read_problem(HALF), completion, "stop").grade == grade


@pytest.mark.parametrize("kind", ["right", "wrong", "truncated", "malformed"])
def test_imitations_are_hardly_ever_anything_else(kind, real):
    wanted = {"right": "correct", "wrong": "wrong", "truncated": "truncated", "malformed": "no_answer"}[kind]
    grades = [
        TASK.grade(
            problem, TASK.imitate(problem, kind, Random(number)), "length" if kind == "truncated" else "stop"
        ).grade
        for number, problem in enumerate(real[:60])
    ]
    assert grades.count(wanted) >= 57


def test_a_build_from_a_file_verifies(run, rows, shared, tmp_path):
    out = tmp_path / "set"
    flags = ("--teacher", "scripted", "--source", shared("math/train.jsonl"), "--limit", 25, "--out", out)
    assert json.loads(run("build", "math", *flags, "--json").stdout)["receipt"]["balanced"]
    run("verify", out)
    human = rows(out, "reference")
    assert {row["grade"] for row in human} == {"correct"}
    assert all(row["subject"] and row["level_of_problem"].startswith("Level") for row in human)
