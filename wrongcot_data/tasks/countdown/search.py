"""Walks through a puzzle: operation after operation on what is left, as somebody does who is trying things out."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.tasks.countdown.forms import Form, Move, Operator, join, leaf
from wrongcot_data.tasks.countdown.solver import Item, combine

_PLAUSIBLE = 10
"""A step to a result of more than this many times the target is avoided: nobody tries 97 * 89 to make 50."""

_TRIES = 12


class DeadEnd(NamedTuple):
    """Moves until two numbers are left, and what those two make; none of it, nor a fraction, is the target."""

    moves: Sequence[Move]
    misses: Sequence[Move]


def random_walk(numbers: Sequence[int], target: int, until: int, rng: Random) -> tuple[list[Move], list[Item]]:
    """Moves with positive whole results, drawn at random, until `until` values are left; and those values."""
    items = [Item(number, leaf(number)) for number in numbers]
    walked: list[Move] = []
    while len(items) > until:
        i, j = rng.sample(range(len(items)), 2)
        ways = combine(items[i].value, items[j].value, "positive")
        plausible = [way for way in ways if way[0] <= _PLAUSIBLE * target] or ways
        result, operator, swapped = rng.choice(plausible)
        left, right = (items[j], items[i]) if swapped else (items[i], items[j])
        walked.append(Move(left.value, operator, right.value, result))
        made = Item(result, join(operator, left.form, right.form))
        items = [*(item for place, item in enumerate(items) if place not in {i, j}), made]
    return walked, items


def dead_ends(numbers: Sequence[int], target: int, count: int, rng: Random) -> list[DeadEnd]:
    """Up to `count` different dead ends; fewer where the puzzle has hardly any."""
    found: list[DeadEnd] = []
    for _ in range(_TRIES * count if len(numbers) > 1 else 0):
        walked, (one, other) = random_walk(numbers, target, 2, rng)
        reaches = any(value == target for value, _, _ in combine(one.value, other.value, "rational"))
        is_new = all(_first(walked) != _first(end.moves) for end in found)
        if is_new and not (reaches and walked):
            found.append(DeadEnd(walked, misses(one.value, other.value, target)))
        if len(found) == count:
            break
    return found


def misses(one: Value, other: Value, target: int) -> list[Move]:
    """What two values make that is not the target: the two that are nearest to it."""
    made = []
    for value, operator, swapped in combine(one, other, "positive"):
        left, right = (other, one) if swapped else (one, other)
        if value != target:
            made.append(Move(left, operator, right, value))
    return sorted(made, key=lambda move: (_distance(move.result, target), move.operator))[:2]


def wrong_walk(
    numbers: Sequence[int], target: int, failed: Sequence[DeadEnd], rng: Random
) -> tuple[list[Move], Form] | None:
    """A walk over all numbers that ends near the target and not on it; None where none was found.

    Where there is a choice it does not begin as one of the dead ends that were just seen to fail.
    """
    walks = [random_walk(numbers, target, 1, rng) for _ in range(_TRIES)]
    wrong = [(walked, end) for walked, (end,) in walks if end.value != target]
    seen = {_first(end.moves) for end in failed}
    fresh = [walk for walk in wrong if _first(walk[0]) not in seen] or wrong
    if not fresh:
        return None
    walked, end = min(fresh, key=lambda walk: _distance(walk[1].value, target))
    return walked, end.form


def _distance(value: Value, target: int) -> Value:
    return value - target if value > target else target - value


def _first(walked: Sequence[Move]) -> tuple[Operator, frozenset[Value]] | None:
    """The first move of a walk; the same for `3 * 4` and `4 * 3`."""
    return (walked[0].operator, frozenset({walked[0].left, walked[0].right})) if walked else None
