"""Traces: references solve their puzzle in true steps, worked examples too, imitations are what they are said to be."""

import random
import re
from fractions import Fraction
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.countdown import TASK
from wrongcot_data.tasks.countdown.generator import CountdownOptions
from wrongcot_data.tasks.countdown.puzzles import SPLITS


@st.composite
def problems(draw):
    """A generated problem of any size and split."""
    options = CountdownOptions(sizes=draw(st.sampled_from([(2,), (3,), (4,), (5,), (6,), (3, 4)])))
    split = draw(st.sampled_from(SPLITS))
    return next(TASK.problems(options, split, draw(st.integers(0, 10**9))))


WORKS = ("the target.", "That is it.", "as wanted.")


def graded(problem, completion, finish_reason="stop"):
    return TASK.grade(problem, completion, finish_reason)


@settings(deadline=None)
@given(problems())
def test_every_puzzle_is_solved_by_its_own_reference(problem):
    reference = TASK.reference(problem)
    verdict = graded(problem, reference.trace)
    assert (verdict.grade, verdict.answer, verdict.form) == ("correct", reference.answer, "")
    assert graded(problem, f"<answer>{reference.answer}</answer>").grade == "correct"
    assert reference == TASK.reference(problem)


@settings(deadline=None)
@given(problems())
def test_every_step_of_a_reference_holds_and_some_can_be_checked(problem):
    verdicts = [step.verdict for step in TASK.steps(problem, TASK.reference(problem).trace)]
    assert "invalid" not in verdicts
    assert "valid" in verdicts


@settings(deadline=None)
@given(problems())
def test_every_equation_of_a_reference_is_checked(problem):
    for step in TASK.steps(problem, TASK.reference(problem).trace):
        assert (step.verdict == "valid") == ("=" in step.text)


def test_references_of_three_and_four_numbers_are_short_and_search():
    traces = [TASK.reference(problem).trace for problem in islice(TASK.problems(CountdownOptions(), "train", 0), 400)]
    assert max(map(len, traces)) < 600
    assert sum(map(len, traces)) / len(traces) < 380
    n_dead_ends = [len(re.findall(r"dead end|: not \d|which is not", trace)) for trace in traces]
    assert min(n_dead_ends) >= 1
    assert max(n_dead_ends) <= 5
    assert len({trace[:6] for trace in traces}) == 4


@settings(max_examples=60, deadline=None)
@given(problems())
def test_what_a_reference_calls_a_dead_end_makes_no_target(problem):
    tried = TASK.reference(problem).trace.splitlines()[1:-2]
    for line in tried:
        left = re.search(r"(?:leaving|leaves) ([0-9]+) and ([0-9]+)[.]", line)
        if left:  # not the line of the moves that work, nor a puzzle of two numbers
            one, other = int(left[1]), int(left[2])
            made = {one + other, one - other, other - one, one * other, Fraction(one, other), Fraction(other, one)}
            assert line.endswith(WORKS) or problem.data["target"] not in made


def test_in_half_of_all_traces_something_else_was_tried_with_the_two_values_that_make_the_target():
    problem = TASK.read_problem({"problem_id": "countdown-11.30.90-33"})
    ways = [TASK.imitate(problem, "right", random.Random(seed)).splitlines()[-3:] for seed in range(400)]
    last = [line for lines in ways for line in lines if line.endswith(WORKS)]
    tried = [line for line in last if " and " in line.partition("leaving")[2].partition(". ")[2]]
    assert len(last) == 400
    assert 160 < len(tried) < 240
    assert all(" = 33" not in line.rpartition(" and ")[0].partition(". ")[2] for line in tried)  # a miss is one


@pytest.mark.parametrize("problem_id", ["countdown-15.15.35.53-53", "countdown-1.5.6.7-21", "countdown-3.3.8.8-24"])
def test_puzzles_that_need_zero_or_fractions_get_a_reference_too(problem_id):
    problem = TASK.read_problem({"problem_id": problem_id})
    assert problem.data["n_solutions"] == 0
    trace = TASK.reference(problem).trace
    assert graded(problem, trace).grade == "correct"
    assert "invalid" not in [step.verdict for step in TASK.steps(problem, trace)]


@pytest.mark.parametrize(("numbers", "target"), [([5], 5), ([5, 5], 10), ([1, 1], 1), ([1] * 8, 8)])
def test_small_and_degenerate_puzzles_get_a_reference(numbers, target):
    problem = TASK.read_problem({"nums": numbers, "target": target})
    assert graded(problem, TASK.reference(problem).trace).grade == "correct"


def test_a_puzzle_without_a_solution_has_no_reference():
    with pytest.raises(BadInput, match=r"no solution of countdown-1\.1\.1-100"):
        TASK.reference(TASK.read_problem({"nums": [1, 1, 1], "target": 100}))


def test_worked_examples_are_four_right_searches_in_true_steps():
    shots = TASK.shots(TASK.read_problem({"nums": [1, 2, 3], "target": 7}))
    assert len(shots) == 4
    for problem, trace in shots:
        assert len(problem.data["nums"]) in {3, 4}
        assert max(problem.data["nums"]) < 100
        assert graded(problem, trace).grade == "correct"
        assert trace.endswith("</answer>")
        verdicts = [step.verdict for step in TASK.steps(problem, trace)]
        assert verdicts.count("valid") >= 2
        assert "invalid" not in verdicts


@settings(max_examples=50, deadline=None)
@given(problems(), st.randoms(use_true_random=False))
def test_imitations_are_of_the_kind_that_is_wanted(problem, rng):
    assert graded(problem, TASK.imitate(problem, "right", rng)).grade == "correct"
    assert graded(problem, TASK.imitate(problem, "wrong", rng)).grade == "wrong"
    assert graded(problem, TASK.imitate(problem, "malformed", rng)).grade == "no_answer"
    cut = TASK.imitate(problem, "truncated", rng)
    assert "<answer>" not in cut
    assert graded(problem, cut, "length").grade == "truncated"
    assert graded(problem, cut).grade == "no_answer"


@settings(deadline=None)
@given(st.lists(st.integers(1, 3), min_size=1, max_size=3), st.integers(1, 6), st.randoms(use_true_random=False))
def test_even_tiny_puzzles_can_be_answered_wrongly(numbers, target, rng):
    problem = TASK.read_problem({"nums": numbers, "target": target})
    for _ in range(5):
        assert graded(problem, TASK.imitate(problem, "wrong", rng)).grade == "wrong"


def test_repeated_imitations_differ():
    problem = TASK.read_problem({"problem_id": "countdown-6.33.75.98-25"})
    for kind, n_different in (("right", 25), ("wrong", 35), ("truncated", 35), ("malformed", 35)):
        assert len({TASK.imitate(problem, kind, random.Random(seed)) for seed in range(40)}) >= n_different


def test_wrong_imitations_are_wrong_in_several_ways_and_mostly_made_of_true_steps():
    problem = TASK.read_problem({"problem_id": "countdown-6.33.75.98-25"})
    traces = [TASK.imitate(problem, "wrong", random.Random(seed)) for seed in range(200)]
    assert {graded(problem, trace).reason for trace in traces} == {"wrong value", "number missing", "number used twice"}
    verdicts = [step.verdict for trace in traces for step in TASK.steps(problem, trace)]
    assert verdicts.count("valid") > 3 * verdicts.count("invalid") > 0
