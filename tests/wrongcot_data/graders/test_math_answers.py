r"""Mathematical answers: where they are found, what is decided exactly, and that no hard pair gets a false verdict."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.graders import math_answers
from wrongcot_data.graders.final_answer import find_answer, last_boxed
from wrongcot_data.graders.math_answers import REASONS, compare, grade

SAME = [
    ("18", "18.00"), ("1000", "1,000"), ("1000000", r"1\,000\,000"), ("1000", "1{,}000"), (r"\frac{1}{2}", "0.5"),
    (r"\frac{1}{2}", r"\dfrac12"), (r"\frac{5}{2}", r"2\frac12"), ("50", r"50\%"), ("5", r"\$5"), ("5", r"5\text{ cm}"),
    ("13", r"\text{13}"), ("90", r"90^\circ"), (r"\text{even}", r"\text{Even}"), ("5", "x = 5"), (r"3\sqrt{3}", r"\sqrt{27}"),
    ("x^2+2x+1", "(x+1)^2"), ("(1,2)", "(1, 2)"), ("1,2", "2,1"), (r"(-\infty,3]", r"\left(-\infty, 3\right]"),
    (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"), (r"\frac{\pi}{2}", r"\pi/2"),
    (r"\frac{1}{\sqrt{n}}", r"\sqrt{1/n}"), ("y = 2x + 1", "2x - y + 1 = 0"), ("6 - 5i", "-5i + 6"),
]  # fmt: skip
DIFFERENT = [
    ("4", r"4\sqrt{2}"), (r"\frac{1}{2^{99}}", r"\frac{1}{2^{98}}"), (r"1-\frac{1}{e}", r"1+\frac{1}{e}"), ("f(x)=0", "g=0"),
    ("12:00", "1:00"), ("(2,3)", "[2,3]"), ("18", "1800"), ("18", "0.18"), ("50", "0.5"), (r"\frac{1}{3}", "0.333"),
    ("(1,2)", "(2,1)"), (r"(-\infty,3]", r"(-\infty,3)"), ("1,2", "1,3"), ("1,2", "1"), (r"\text{even}", r"\text{odd}"),
    ("x+1", "x-1"), ("5", "-5"), ("(A)", "(B)"), (r"\frac{2}{3}", r"\frac{3}{2}"), ("9^{9^{9^9}}", "1"), ("5", "5 or 6"),
]  # fmt: skip


@pytest.mark.parametrize(("reference", "answer"), SAME)
def test_equal_answers_are_never_called_wrong(reference, answer):
    for pair in ((reference, answer), (answer, reference)):
        assert REASONS[compare(*pair)] in {"correct", "disputed"}


@pytest.mark.parametrize(("reference", "answer"), DIFFERENT)
def test_unequal_answers_are_never_called_correct(reference, answer):
    for pair in ((reference, answer), (answer, reference)):
        assert REASONS[compare(*pair)] in {"wrong", "disputed"}


@pytest.mark.parametrize(
    ("text", "answer", "form"),
    [
        ("So 3.\nThe final answer is $18$.", "18", ""),
        ("The final answer is 18 eggs.", "18 eggs", ""),
        (r"The final answer is $\boxed{\frac{1}{2}}$.", r"\frac{1}{2}", "boxed"),
        (r"first \boxed{1} then \boxed{x_{1}^{2}}, which holds.", "x_{1}^{2}", "boxed"),
        (r"\boxed 5", "5", "boxed"),
        (r"\boxed{7}. The answer is correct because we checked.", "7", "boxed"),
        ("6 * 7 = 42\n#### 42", "42", "hash"),
        ("So\nA: 42", "42", "sentence"),
        ("**Answer: 42**", "42", "sentence"),
        ("That makes 4 and 5.", "5", "last number"),
    ],
)
def test_where_an_answer_is_found(text, answer, form):
    found = find_answer(text)
    assert (found.text, found.form) == (answer, form)


def test_a_number_is_never_fished_out_of_a_box_that_is_not_closed():
    assert find_answer(r"It is \boxed{\frac{1}{2").fault == "unclosed box"
    assert last_boxed(r"\boxed{1} \boxed{2") is None


@pytest.mark.parametrize(
    ("said", "reason"),
    [("18 dollars per day", "same number"), ("$18.00", "same number"), ("x = 18", "same number"), ("19", "another number"),
     ("3 hours and 20 minutes", "unreadable answer"), ("many", "unreadable answer")],
)  # fmt: skip
def test_plain_references_are_decided_without_latex(said, reason):
    assert grade("18", f"The final answer is {said}.", "stop", plain_only=True).reason == reason


@pytest.mark.parametrize(
    ("completion", "finish", "reason"),
    [
        ("The final answer is $5$.", "length", "cut off after its answer"),
        ("It may be 5", "length", "cut off before an answer"),
        ("", "error", "the request failed"),
        ("No idea.", "stop", "no answer"),
        ("The final answer is $$.", "stop", "empty answer"),
        ("\\boxed{" + "1+" * 5000 + "1}", "stop", "answer too long"),
    ],
)
def test_what_is_no_answer_is_named(completion, finish, reason):
    assert grade("5", completion, finish).reason == reason


@given(st.text(max_size=200), st.sampled_from(["{}", "\\boxed{{{}}}", "The final answer is ${}$.", "#### {}"]))
def test_any_text_gets_a_grade_and_a_reason_of_the_list(text, frame):
    verdict = grade("18", frame.format(text), "stop", plain_only=True)
    assert REASONS[verdict.reason] == verdict.grade


@pytest.mark.parametrize(
    "answer", ["\ud800", "\0", "9^9^9^9", "\\frac" * 300, "{" * 500, "\\sqrt{" * 200 + "2" + "}" * 200, "x" * 1999]
)
def test_hostile_answers_go_through_both_graders(answer):
    verdict = grade(r"\frac{\pi}{2}", f"\\boxed{{{answer}}}", "stop")
    assert verdict.grade in {"wrong", "disputed", "no_answer"}


def test_ten_megabytes_take_no_time():
    assert grade("5", "the answer is " * 700_000, "stop").reason
    assert grade("5", "\\boxed{" * 1_400_000, "stop").reason == "unclosed box"


def test_a_worker_that_is_killed_costs_nothing():
    assert compare("x+1", "1+x") == "equal by both graders"
    listed = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "math_worker"], capture_output=True, text=True, check=False
    )
    for pid in listed.stdout.split():
        os.kill(int(pid), signal.SIGKILL)
    assert compare("x+2", "2+x") == "equal by both graders"


def test_a_pair_beyond_the_limit_is_disputed(monkeypatch):
    pool = math_answers.WorkerPool(
        lambda: subprocess.Popen(["python3", "-c", "while True: pass"], stdin=subprocess.PIPE, stdout=subprocess.PIPE),
        1,
    )
    monkeypatch.setattr(math_answers, "_pool", lambda: pool)
    monkeypatch.setattr(math_answers, "_WALL_S", 0.3)
    assert compare("x+1", "1+x") == "graders over their limit"
    pool.close()
