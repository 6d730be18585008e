"""The generator: solvable by construction, distinct, in its split, the same every time, every shape of tree."""

import os
import subprocess
import sys
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.countdown import TASK
from wrongcot_data.tasks.countdown.generator import CountdownOptions, generate
from wrongcot_data.tasks.countdown.puzzles import SPLITS, display_order, key_of, key_of_id, problem_id, split_of
from wrongcot_data.tasks.countdown.shots import SHOT_KEYS


def puzzles(n=500, split="train", seed=0, **options):
    return list(islice(generate(CountdownOptions(**options), split, seed), n))


def leaves(tree):
    return [tree] if isinstance(tree, int) else leaves(tree[1]) + leaves(tree[2])


def value(tree):
    """The value of a tree, checked on the way: a positive integer everywhere, no multiplying or dividing by 1."""
    if isinstance(tree, int):
        assert tree > 0
        return tree
    operator, left, right = tree[0], value(tree[1]), value(tree[2])
    if operator == "/":
        assert left % right == 0
        assert right > 1
        return left // right
    if operator == "*":
        assert left > 1
        assert right > 1
        return left * right
    result = left + right if operator == "+" else left - right
    assert result > 0
    return result


def shape(tree):
    return "n" if isinstance(tree, int) else f"({shape(tree[1])}{shape(tree[2])})"


@settings(max_examples=50)
@given(st.integers(), st.lists(st.integers(2, 6), min_size=1, max_size=4), st.sampled_from(SPLITS))
def test_every_puzzle_is_solved_by_the_tree_that_it_was_grown_as(seed, sizes, split):
    for puzzle in puzzles(10, split, seed, sizes=sizes):
        numbers, target = puzzle.key
        assert value(puzzle.tree) == target
        assert sorted(leaves(puzzle.tree)) == list(numbers)
        assert len(numbers) in sizes
        assert numbers[0] >= 1
        assert numbers[-1] <= 99
        assert 10 <= target <= 100
        assert target not in numbers


@pytest.mark.parametrize(("size", "n_shapes"), [(2, 1), (3, 2), (4, 5), (5, 14)])
def test_every_shape_of_tree_occurs(size, n_shapes):
    assert len({shape(puzzle.tree) for puzzle in puzzles(sizes=(size,))}) == n_shapes


def test_every_operation_occurs_at_every_place():
    trees = [puzzle.tree for puzzle in puzzles(sizes=(3,))]
    assert {tree[0] for tree in trees} == set("+-*/")
    assert {tree[1][0] for tree in trees if not isinstance(tree[1], int)} == set("+-*/")
    assert {tree[2][0] for tree in trees if not isinstance(tree[2], int)} == set("+-*/")


def test_targets_are_spread_evenly():
    targets = [puzzle.key.target for puzzle in puzzles(3000)]
    counts = [targets.count(target) for target in set(targets)]
    assert max(counts) < 3 * min(counts)


def test_no_puzzle_comes_twice_and_no_worked_example_comes_at_all():
    keys = [puzzle.key for puzzle in puzzles(5000, sizes=(3,))]
    assert len(set(keys)) == len(keys)
    assert not SHOT_KEYS & set(keys)


def test_worked_examples_are_not_yielded_where_hardly_anything_else_is_left():
    shot = sorted(SHOT_KEYS)[0]
    options = CountdownOptions(sizes=(len(shot.numbers),), min_target=shot.target, max_target=shot.target)
    keys = {puzzle.key for puzzle in islice(generate(options, split_of(shot), 0), 1500)}
    assert shot not in keys


def test_splits_share_no_puzzle_and_new_targets_shares_no_target():
    found = {split: [puzzle.key for puzzle in puzzles(400, split)] for split in SPLITS}
    for split, keys in found.items():
        assert all(split_of(key) == split for key in keys)
    held_out = {key.target for key in found["new_targets"]}
    assert not held_out & {key.target for split in SPLITS if split != "new_targets" for key in found[split]}
    assert 3 <= len(held_out) <= 18


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 3))
@settings(max_examples=30)
def test_the_first_puzzles_are_the_same_for_every_number_of_them(few, more, seed):
    few, more = sorted((few, more))
    assert puzzles(few, seed=seed) == puzzles(more, seed=seed)[:few]


def test_another_seed_or_another_option_gives_other_puzzles():
    base = {puzzle.key for puzzle in puzzles(200)}
    assert len(base & {puzzle.key for puzzle in puzzles(200, seed=1)}) < 5
    assert len(base & {puzzle.key for puzzle in puzzles(200, max_number=98)}) < 5


def test_neighbouring_seeds_do_not_overlap_as_seed_plus_index_does():
    streams = [{puzzle.key for puzzle in puzzles(100, seed=seed, sizes=(4,))} for seed in range(5)]
    assert len(set().union(*streams)) > 495


@pytest.mark.parametrize(
    "options",
    [
        {"sizes": (2,), "max_number": 5},
        {"sizes": (2,), "max_number": 3, "min_target": 9000, "max_target": 9001},
        {"sizes": (2,), "min_number": 50, "max_number": 50},
        {"sizes": (3,), "min_number": 7, "max_number": 7, "min_target": 1, "max_target": 100},
    ],
)
def test_options_that_hold_hardly_a_puzzle_end_in_an_error_and_not_in_a_loop(options):
    with pytest.raises(BadInput, match="train"):
        list(generate(CountdownOptions(**options), "train", 0))


@pytest.mark.parametrize(
    "options",
    [
        {"sizes": []},
        {"sizes": [1]},
        {"sizes": [7]},
        {"min_number": 0},
        {"min_number": 9, "max_number": 8},
        {"min_target": 50, "max_target": 49},
        {"max_targets": 9},
    ],
)
def test_impossible_or_unknown_options_are_refused(options):
    with pytest.raises(ValidationError):
        CountdownOptions(**options)


def test_every_option_has_a_default_and_its_reason():
    assert CountdownOptions().sizes == (3, 4)
    assert all(field.description for field in CountdownOptions.model_fields.values())


def test_an_unknown_split_is_named_with_the_nearest():
    with pytest.raises(BadInput, match="did you mean train"):
        TASK.problems(CountdownOptions(), "trian", 0)


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=8), st.integers(1, 999_999))
def test_an_id_names_its_key_and_the_display_order_follows_from_it(numbers, target):
    key = key_of(numbers, target)
    assert key_of_id(problem_id(key)) == key
    assert sorted(display_order(key)) == sorted(numbers)


def test_display_order_tells_nothing_about_size():
    firsts = [display_order(puzzle.key).index(max(puzzle.key.numbers)) for puzzle in puzzles(2000, sizes=(4,))]
    assert all(400 < firsts.count(place) < 600 for place in range(4))


def test_problems_carry_all_published_columns_and_read_back_from_their_id():
    for problem in islice(TASK.problems(CountdownOptions(), "test", 3), 50):
        assert set(problem.data) == set(TASK.columns)
        assert problem.split == "test"
        assert TASK.read_problem({"problem_id": problem.id}) == problem
        assert TASK.read_problem({"problem_id": problem.id, **problem.data}) == problem


def test_problems_and_references_are_the_same_in_another_process():
    program = (
        "from itertools import islice; from wrongcot_data.tasks.countdown import TASK; from random import Random\n"
        "for p in islice(TASK.problems(TASK.options(sizes=(3, 4, 6)), 'train', 7), 30):\n"
        "    print([p, TASK.reference(p), TASK.imitate(p, 'wrong', Random(1))])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 30
