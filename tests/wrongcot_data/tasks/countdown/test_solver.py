"""The solver against brute force; difficulty says what it counts."""

import random
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wrongcot_data.graders.arithmetic import evaluate
from wrongcot_data.tasks.countdown.forms import expression, moves, shuffled
from wrongcot_data.tasks.countdown.puzzles import key_of
from wrongcot_data.tasks.countdown.solver import find_solutions, solve
from wrongcot_data.tasks.countdown.task import difficulty

NUMBERS = st.lists(st.integers(1, 25), min_size=1, max_size=4)


def results(numbers, *, positive):
    """All values that the numbers make, by the plainest of ways: any two first, then the rest."""
    if len(numbers) == 1:
        return {numbers[0]}
    found = set()
    for i, j in permutations(range(len(numbers)), 2):
        rest = [number for place, number in enumerate(numbers) if place not in {i, j}]
        one, other = numbers[i], numbers[j]
        made = [one + other, one - other, one * other] + ([Fraction(one) / other] if other else [])
        for value in made:
            if not positive or (value > 0 and value == int(value)):
                found |= results([*rest, value], positive=positive)
    return found


@settings(max_examples=60, deadline=None)
@given(NUMBERS, st.integers(1, 60))
def test_a_solution_is_found_exactly_where_there_is_one(numbers, target):
    assert bool(solve(numbers, target).forms) == (target in results(numbers, positive=True))
    if len(numbers) < 4:
        assert bool(solve(numbers, target, "rational").forms) == (target in results(numbers, positive=False))


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_solution_is_one_and_is_written_without_needless_brackets(numbers, target, rng):
    for rule in ("positive", "rational"):
        for form in solve(numbers, target, rule).forms[:20]:
            for text in (expression(form), expression(shuffled(form, rng))):
                read = evaluate(text)
                assert read.value == target
                assert sorted(read.numbers) == sorted(numbers)
                for start, end in bracket_pairs(text):
                    without = text[:start] + text[start + 1 : end] + text[end + 1 :]
                    assert expression_tree(without) != expression_tree(text)


def bracket_pairs(text):
    opened, pairs = [], []
    for place, sign in enumerate(text):
        if sign == "(":
            opened.append(place)
        elif sign == ")":
            pairs.append((opened.pop(), place))
    return pairs


def expression_tree(text):
    import ast

    return ast.dump(ast.parse(text, mode="eval"))


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_positive_solutions_are_done_in_positive_integers_in_any_order_of_their_terms(numbers, target, rng):
    for form in solve(numbers, target).forms[:20]:
        done = moves(shuffled(form, rng))
        assert all(type(move.result) is int and move.result > 0 for move in done)
        assert len(done) == len(numbers) - 1


def test_a_quotient_of_equal_values_counts_both_ways_round():
    texts = [expression(form) for form in solve([1, 1, 1, 2], 2).forms]
    assert "1 + 1 / (2 - 1)" in texts
    assert "1 + (2 - 1) / 1" in texts


@settings(deadline=None)
@given(st.lists(st.integers(1, 25), min_size=2, max_size=4), st.integers(1, 60), st.randoms(use_true_random=False))
def test_solutions_do_not_depend_on_the_order_of_the_numbers(numbers, target, rng: random.Random):
    mixed = rng.sample(numbers, len(numbers))
    assert solve(numbers, target) == solve(mixed, target)


def test_many_equal_numbers_have_the_same_solutions_in_every_order():
    for numbers in ([1, 1, 1, 2], [1, 1, 2, 2], [2, 2, 2, 4], [3, 3, 3, 3]):
        for target in range(1, 13):
            assert len({tuple(solve(list(order), target).forms) for order in set(permutations(numbers))}) == 1


@pytest.mark.parametrize(
    ("numbers", "target", "n_solutions", "n_dead_ends"),
    [
        ([3, 4], 7, 1, 2),  # of 3+4, 4-3, 3*4 the last two
        ([2, 2], 4, 2, 1),  # 2+2 and 2*2, not 2/2
        ([44, 19, 35], 98, 1, 6),  # a sum: three pairs to begin with of nine moves
        ([15, 35, 15], 35, 2, 2),  # 15 * 35 / 15 and 15 + 35 - 15; 15 + 15 and 15 * 15 lead nowhere
        ([5], 5, 1, 0),
        ([1, 2, 3, 4, 5, 6], 21, -1, -1),
    ],
)
def test_difficulty_of_puzzles_that_can_be_counted_by_hand(numbers, target, n_solutions, n_dead_ends):
    found = difficulty(key_of(numbers, target))
    assert found == (n_solutions, n_dead_ends)


def test_ways_of_writing_one_sum_or_product_are_one_solution():
    assert [expression(form) for form in solve([9, 5, 2], 12).forms] == ["5 + 9 - 2"]
    assert [expression(form) for form in solve([24, 6, 2], 8).forms] == ["2 * 24 / 6"]


def test_a_puzzle_without_a_positive_solution_gets_a_rational_one():
    forms = find_solutions([1, 5, 6, 7], 21, random.Random(0))  # the known 6 / (1 - 5 / 7)
    assert [expression(form) for form in forms] == ["6 / (1 - 5 / 7)"]


def test_a_puzzle_without_any_solution_gets_none():
    assert not find_solutions([1, 1, 1], 100, random.Random(0))
    assert not find_solutions([4], 5, random.Random(0))


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 99), min_size=6, max_size=8), st.integers(10, 100))
def test_large_puzzles_are_solved_too(numbers, target):
    forms = find_solutions(numbers, target, random.Random(0))
    assume(forms)  # a few of six numbers, such as six ones, have none
    read = evaluate(expression(forms[0]))
    assert read.value == target
    assert sorted(read.numbers) == sorted(numbers)
