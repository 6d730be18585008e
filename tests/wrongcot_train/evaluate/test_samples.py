"""pass@k and maj@k beside every choice of k replies, taken one by one; and which answers are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, islice
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.records import Problem
from wrongcot_data.tasks import get_task
from wrongcot_data.tasks.base import ComparingTask
from wrongcot_train.evaluate.samples import first_alike, no_vote, pass_at, sizes, vote_at


def test_k_doubles_up_to_the_samples() -> None:
    assert [sizes(samples) for samples in (1, 2, 3, 4, 6, 8)] == [
        *([1], [1, 2], [1, 2, 3], [1, 2, 4], [1, 2, 4, 6], [1, 2, 4, 8])
    ]


@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_pass_at_k_is_the_mean_over_every_choice(right: list[bool], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(right)))
    expected = fmean(any(choice) for choice in combinations(right, k))
    assert pass_at(len(right), sum(right), k) == pytest.approx(expected)


def test_pass_at_k_is_unbiased_where_the_plain_formula_is_not() -> None:
    chance, samples, k = 0.2, 5, 3
    weights = [Fraction(1, 5) ** c * Fraction(4, 5) ** (samples - c) for c in range(samples + 1)]
    counts = [len(list(combinations(range(samples), c))) for c in range(samples + 1)]
    mean = sum(float(w) * n * pass_at(samples, c, k) for c, (w, n) in enumerate(zip(weights, counts, strict=True)))
    plain = sum(
        float(w) * n * (1 - (1 - c / samples) ** k) for c, (w, n) in enumerate(zip(weights, counts, strict=True))
    )
    assert mean == pytest.approx(1 - (1 - chance) ** k)
    assert plain < mean - 0.02


def test_pass_at_k_of_many_replies_does_not_overflow() -> None:
    assert pass_at(5000, 1, 2500) == pytest.approx(0.5)
    assert pass_at(200, 0, 200) == 0.0
    assert pass_at(200, 1, 200) == 1.0


@pytest.mark.parametrize(("samples", "right", "k"), [(4, 5, 1), (4, -1, 1), (4, 1, 0), (4, 1, 5)])
def test_pass_at_k_refuses_counts_that_are_none(samples: int, right: int, k: int) -> None:
    with pytest.raises(ValueError, match="no pass@"):
        pass_at(samples, right, k)


def voted(alike: Sequence[int], correct: Sequence[bool]) -> float:
    """The majority of these replies, counted by hand."""
    counts = Counter(first for first in alike if first >= 0)
    winners = [first for first, count in counts.items() if count == max(counts.values())]
    return sum(correct[first] for first in winners) / len(winners) if winners else 0.0


@given(st.lists(st.tuples(st.integers(-1, 3), st.booleans()), min_size=1, max_size=7), st.data())
def test_majority_of_k_is_the_mean_over_every_choice(drawn: list[tuple[int, bool]], data: st.DataObject) -> None:
    firsts: dict[int, int] = {}
    alike = [-1 if name < 0 else firsts.setdefault(name, place) for place, (name, _) in enumerate(drawn)]
    correct = [right for _, right in drawn]
    k = data.draw(st.integers(1, len(drawn)))
    by_answer = {place: correct[place] for place in firsts.values()}
    choices = combinations(alike, k)
    expected = fmean(voted(choice, [by_answer.get(place, False) for place in range(len(drawn))]) for choice in choices)
    assert vote_at(alike, correct, k) == pytest.approx(expected)


def test_ties_are_split_evenly_and_silence_is_wrong() -> None:
    assert vote_at([0, 1, 2], [True, False, False], 3) == pytest.approx(1 / 3)
    assert vote_at([0, 1, 0, 1], [True, False, True, False], 4) == 0.5
    assert vote_at([0, 1, 1], [True, False, False], 3) == 0.0
    assert vote_at([-1, -1, 2], [False, False, True], 3) == 1.0  # who says nothing does not vote
    assert vote_at([-1, -1], [False, False], 2) == 0.0
    assert vote_at([-1, -1, 2], [False, False, True], 1) == pytest.approx(1 / 3)


def test_majority_of_many_replies_is_counted_exactly() -> None:
    alike = [0] * 33 + list(range(33, 64))
    assert vote_at(alike, [place == 0 for place in alike], 64) == 1.0
    assert 0.9 < vote_at(alike, [place == 0 for place in alike], 16) < 1.0


def first_of(name: str) -> tuple[Any, Problem]:
    task = get_task(name)
    return task, next(iter(islice(task.problems(task.options(), "test", 0), 1)))


def replies(task: Any, problem: Problem, *texts: str) -> list[dict[str, Any]]:
    graded = (task.grade(problem, text, "stop") for text in texts)
    return [{"grade": found.grade, "answer": found.answer} for found in graded]


def test_expressions_are_the_same_by_value_and_numbers_and_not_by_spelling() -> None:
    task = get_task("countdown")
    problem = task.read_problem({"nums": [1, 2, 3], "target": 9})
    written = ["(1 + 2) * 3", "3 * (2 + 1)", "1 + 2 + 3", "3+2+1", "1 * 2 * 3", "9", "nothing"]
    found = first_alike(task, problem, replies(task, problem, *(f"<answer>{text}</answer>" for text in written)))
    assert found == [0, 0, 2, 2, 2, -1, -1]  # 1 * 2 * 3 is 6 of the same numbers


@given(
    st.lists(st.sampled_from(["1 + 2", "2 + 1", "3", "1 + ", "(1 + 2) * 3", "1 / 0", "9 = 3 * 3", "2**3"]), min_size=2)
)
def test_same_expressions_get_the_same_grade_whatever_the_target(written: list[str]) -> None:
    task = get_task("countdown")
    assert isinstance(task, ComparingTask)
    for target in (3, 9):
        problem = task.read_problem({"nums": [1, 2, 3], "target": target})
        graded = {text: task.grade(problem, f"<answer>{text}</answer>", "stop") for text in written}
        for one, other in combinations(written, 2):
            if {graded[one].grade, graded[other].grade} == {"correct", "wrong"}:
                assert not task.same_answer(problem, one, other)


def test_numbers_are_the_same_by_value() -> None:
    task = get_task("gsm8k")
    problem = task.read_problem({"question": "How many?", "reference_answer": "1200"})
    written = ["1200", "1,200.00", "$7", "7 apples", "8", "no idea"]
    texts = (f"The final answer is ${text}$." for text in written)
    assert first_alike(task, problem, replies(task, problem, *texts)) == [0, 0, 2, 2, 4, -1]


def test_formulas_are_the_same_as_the_graders_hold_them() -> None:
    task = get_task("math")
    problem = task.read_problem({"question": "How much?", "reference_answer": r"\frac{1}{2}"})
    written = [r"\frac{1}{2}", "0.5", r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt{3}}", r"\sqrt{3}"]
    texts = [rf"So it is $\boxed{{{text}}}$." for text in written]
    assert first_alike(task, problem, replies(task, problem, *texts)) == [0, 0, 2, 2, 4]


def test_programs_have_no_majority_and_that_is_said() -> None:
    task = get_task("mbpp")
    problem = task.read_problem({"question": "Add one.", "test_list": ["assert f(1) == 2"]})
    assert first_alike(task, problem, [{"grade": "correct", "answer": "def f(x): return x + 1"}]) == []
    assert "programs" in no_vote(task)
    assert no_vote(get_task("math")) == ""
