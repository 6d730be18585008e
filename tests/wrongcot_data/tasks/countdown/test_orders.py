"""Orders: each one solves the puzzle in whole steps, its expression says the same, and every first move comes up."""

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wrongcot_data.graders.arithmetic import evaluate
from wrongcot_data.tasks.countdown.forms import apply
from wrongcot_data.tasks.countdown.orders import worked
from wrongcot_data.tasks.countdown.solver import solve

NUMBERS = st.lists(st.integers(1, 25), min_size=1, max_size=5)
PLACES = (101, 1_009, 10_007, 100_003, 1_000_003)


def orders(numbers, target, n=200):
    """The orders of the one solution of a puzzle that are drawn: expression and numbers of the first move."""
    (form,) = solve(numbers, target).forms
    drawn = [worked(form, random.Random(seed)) for seed in range(n)]
    return {(one.expression, frozenset({one.moves[0].left, one.moves[0].right})) for one in drawn}


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_every_order_solves_in_positive_whole_steps_with_each_number_once(numbers, target, rng):
    forms = solve(numbers, target).forms
    assume(forms)
    way = worked(rng.choice(forms), rng)
    left = list(numbers)
    for move in way.moves:
        assert move.result == apply(move.operator, move.left, move.right)
        assert move.result > 0
        assert isinstance(move.result, int)
        left.remove(move.left)
        left.remove(move.right)
        left.append(move.result)
    assert left == [target]
    assert evaluate(way.expression).value == target


@settings(deadline=None)
@given(NUMBERS, st.integers(1, 60), st.randoms(use_true_random=False))
def test_an_expression_is_the_same_solution_as_its_form(numbers, target, rng):
    """Other numbers in the same places make the same value: it is not equal by chance."""
    forms = solve(numbers, target).forms
    assume(forms)
    assume(len(set(numbers)) == len(numbers))
    form = rng.choice(forms)
    expression = worked(form, rng).expression
    replaced = dict(zip(numbers, PLACES, strict=False))

    def swapped(one):
        inner = [tuple(swapped(part) for part in parts) for parts in (one.up, one.down)]
        return one._replace(up=inner[0], down=inner[1], number=replaced.get(one.number, 0))

    text = "".join(str(replaced[int(part)]) if part.isdigit() else part for part in parts_of(expression))
    assert evaluate(text).value == value_of(swapped(form))


def parts_of(expression):
    """Numbers and what stands between them."""
    parts = [""]
    for letter in expression:
        if parts[-1] and letter.isdigit() != parts[-1][-1].isdigit():
            parts.append("")
        parts[-1] += letter
    return parts


def value_of(form):
    if form.kind == "number":
        return form.number
    plus, minus = ("+", "-") if form.kind == "sum" else ("*", "/")
    total = value_of(form.up[0])
    for operator, parts in ((plus, form.up[1:]), (minus, form.down)):
        for part in parts:
            total = apply(operator, total, value_of(part))
    return total


@pytest.mark.parametrize(
    ("numbers", "target", "firsts"),
    [
        ([11, 30, 90], 33, [{11, 90}, {30, 90}]),  # 11 / 30 is no whole number
        ([7, 32, 69], 44, [{7, 32}, {7, 69}, {32, 69}]),  # 69 - (32 - 7) as well
        ([2, 8, 56], 14, [{2, 8}, {2, 56}, {8, 56}]),  # 56 / (8 / 2) as well
    ],
)
def test_every_first_move_that_leads_to_the_target_is_drawn(numbers, target, firsts):
    found = {first for _, first in orders(numbers, target)}
    assert found == {frozenset(first) for first in firsts}


def test_brackets_stand_only_where_they_are_needed():
    sums = {expression for expression, _ in orders([7, 32, 69], 44)}
    assert sums == {"7 + 69 - 32", "69 + 7 - 32", "69 - 32 + 7", "69 - (32 - 7)"}
    products = {expression for expression, _ in orders([2, 8, 56], 14)}
    assert products == {"2 * 56 / 8", "56 * 2 / 8", "56 / 8 * 2", "56 / (8 / 2)"}
    mixed = {expression for expression, _ in orders([3, 5, 13], 80)}
    assert mixed == {"(3 + 13) * 5", "(13 + 3) * 5", "5 * (3 + 13)", "5 * (13 + 3)"}


def test_a_solution_by_fractions_is_done_in_the_one_order_that_there_is():
    (form,) = solve([3, 3, 8, 8], 24, "rational").forms
    way = worked(form, random.Random(0))
    assert evaluate(way.expression).value == 24
    assert way.moves[-1].result == 24
