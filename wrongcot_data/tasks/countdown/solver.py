"""Solves puzzles exhaustively, and says how hard they are.

Two rules. `positive`: every result on the way is a positive integer, as in the game; the generator and the reference
traces keep to it. `rational`: anything but a division by zero, as the grader allows; only for puzzles of others that
have no positive solution.

A puzzle is solved by meeting at the last operation: all values that each proper part of the numbers can make, then, for
each way to part the numbers in two, what the other half would have to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from random import Random
from typing import Literal, NamedTuple

from wrongcot_data.graders.arithmetic import Value, divide
from wrongcot_data.tasks.countdown.forms import Form, Operator, join, leaf, whole

Rule = Literal["positive", "rational"]

EXHAUSTIVE_COUNT = 5
"""Most numbers for which all solutions are found; with more, one is looked for."""

MAX_TRIES = 400
"""Ways to come down to that many numbers that are tried: all there are with six, a part with seven or eight."""

Way = tuple[Operator, "Node", "Node"]
Node = tuple[int, Value]
"""A value that some of the numbers make; which of them is said by a bit mask over their places."""


class Item(NamedTuple):
    """A number to use, or a value made before from several, with the form that made it."""

    value: Value
    form: Form


class Solutions(NamedTuple):
    """All solutions of a puzzle under one rule.

    Attributes:
        forms: distinct canonical forms, sorted.
        first_moves: distinct ways to take two of the numbers and one operation.
        live_first_moves: those of them that begin some solution.
    """

    forms: Sequence[Form]
    first_moves: int
    live_first_moves: int


def solve(numbers: Sequence[int], target: int, rule: Rule = "positive") -> Solutions:
    """All solutions; for up to `EXHAUSTIVE_COUNT` numbers."""
    return _Search([Item(number, leaf(number)) for number in numbers], target, rule).solutions()


def find_solutions(numbers: Sequence[int], target: int, rng: Random) -> Sequence[Form]:
    """Some solutions, sorted; positive ones where there are any. Empty where none was found.

    With up to `EXHAUSTIVE_COUNT` numbers these are all, and empty means that there is none. With six, the search also
    ends only when there is none; with more it gives up after `MAX_TRIES`, which no random puzzle has needed.
    """
    items = [Item(number, leaf(number)) for number in sorted(numbers)]
    for rule in ("positive", "rational"):
        tries = iter(range(MAX_TRIES))
        forms = _shrink_and_search(items, target, rule, rng, tries)
        if forms:
            return forms
    return ()


def _shrink_and_search(
    items: Sequence[Item], target: int, rule: Rule, rng: Random, tries: Iterator[int]
) -> Sequence[Form]:
    """Make one move after another, in an order drawn from `rng`, until few enough numbers are left for all."""
    if len(items) <= EXHAUSTIVE_COUNT:
        return [] if next(tries, None) is None else _Search(items, target, rule).forms()
    pairs = list(combinations(range(len(items)), 2))
    rng.shuffle(pairs)
    for i, j in pairs:
        rest = [item for place, item in enumerate(items) if place not in {i, j}]
        ways = combine(items[i].value, items[j].value, rule)
        rng.shuffle(ways)
        for value, operator, swapped in ways:
            left, right = (j, i) if swapped else (i, j)
            made = Item(value, join(operator, items[left].form, items[right].form))
            forms = _shrink_and_search([*rest, made], target, rule, rng, tries)
            if forms:
                return forms
    return []


def combine(one: Value, other: Value, rule: Rule) -> list[tuple[Value, Operator, bool]]:
    """What two values make: the result, the operation, and whether the second stands on the left."""
    made: list[tuple[Value, Operator, bool]] = [(one + other, "+", False), (one * other, "*", False)]
    if rule == "positive":
        small, big, swapped = (other, one, False) if one >= other else (one, other, True)
        if small != big:
            made.append((big - small, "-", swapped))
        if big % small == 0:
            made.append((big // small, "/", swapped))
        if big == small:  # equal values are two different quotients where they were made differently
            made.append((1, "/", not swapped))
        return made
    made += [(one - other, "-", False), (other - one, "-", True)]
    made += [(divide(one, other), "/", False)] if other else []
    made += [(divide(other, one), "/", True)] if one else []
    return [(whole(value), operator, swapped) for value, operator, swapped in made]


def partners(one: Value, target: Value, rule: Rule) -> list[tuple[Value, Operator, bool]]:
    """The values that make `target` together with `one`: `combine` the other way round. May name some too many."""
    found: list[tuple[Value, Operator, bool]] = [
        (target - one, "+", False),
        (one - target, "-", False),
        (target + one, "-", True),
    ]
    if one:  # nothing makes a target, which is not 0, of 0 by multiplying or dividing
        found.append((target * one, "/", True))
        if rule == "rational" or target % one == 0:
            found.append((divide(target, one), "*", False))
        if rule == "rational" or one % target == 0:
            found.append((divide(one, target), "/", False))
    return found if rule == "positive" else [(whole(value), operator, swapped) for value, operator, swapped in found]


class _Search:
    """All that the items can make of a target. `made[mask]` holds the values of that part and the ways to each."""

    def __init__(self, items: Sequence[Item], target: int, rule: Rule) -> None:
        self.items = items
        self.rule = rule
        self.root: Node = ((1 << len(items)) - 1, target)
        self.made: dict[int, dict[Value, list[Way]]] = {1 << i: {item.value: []} for i, item in enumerate(items)}
        self.known: dict[Node, list[Form]] = {(1 << i, item.value): [item.form] for i, item in enumerate(items)}
        for mask in sorted(range(1, self.root[0]), key=int.bit_count):
            if mask not in self.made:
                self.made[mask] = self._values(mask)
        if len(items) > 1:
            self.made[self.root[0]] = {target: self._last_operations()}

    def forms(self) -> list[Form]:
        """Distinct forms of all solutions, sorted."""
        return sorted(self._forms(self.root)) if self.root[1] in self.made[self.root[0]] else []

    def solutions(self) -> Solutions:
        """The forms, and how many first moves there are and lead to one."""
        places = range(len(self.items))
        moves = {
            _move(operator, self.items[j if swapped else i].value, self.items[i if swapped else j].value)
            for i, j in combinations(places, 2)
            for _, operator, swapped in combine(self.items[i].value, self.items[j].value, self.rule)
        }
        forms = self.forms()
        return Solutions(forms, len(moves), len(self._live_first_moves()) if forms else 0)

    def _values(self, mask: int) -> dict[Value, list[Way]]:
        """All values of the numbers of a mask, with the ways to each."""
        values: dict[Value, list[Way]] = {}
        for one_mask, other_mask in _parts(mask):
            for one in self.made[one_mask]:
                for other in self.made[other_mask]:
                    for value, operator, swapped in combine(one, other, self.rule):
                        way = _way(operator, (one_mask, one), (other_mask, other), swapped)
                        values.setdefault(value, []).append(way)
        return values

    def _last_operations(self) -> list[Way]:
        """The ways in which the target is made of all numbers."""
        ways: list[Way] = []
        for parts in _parts(self.root[0]):
            one_mask, other_mask = sorted(parts, key=lambda mask: len(self.made[mask]))
            others = self.made[other_mask]
            for one in self.made[one_mask]:
                for value, operator, swapped in partners(one, self.root[1], self.rule):
                    if value in others:
                        ways.append(_way(operator, (one_mask, one), (other_mask, value), swapped))
        return ways

    def _forms(self, node: Node) -> list[Form]:
        """Distinct forms of all ways to a node."""
        if node not in self.known:
            ways = self.made[node[0]][node[1]]
            found = {
                join(operator, left_form, right_form)
                for operator, left, right in ways
                for left_form in self._forms(left)
                for right_form in self._forms(right)
            }
            self.known[node] = list(found)
        return self.known[node]

    def _live_first_moves(self) -> set[tuple[Operator, Value, Value]]:
        """The moves on two plain numbers that occur in some way to the target."""
        moves = set()
        waiting, reached = [self.root], {self.root}
        while waiting:
            mask, value = waiting.pop()
            for operator, left, right in self.made[mask][value]:
                if mask.bit_count() == 2:
                    moves.add(_move(operator, left[1], right[1]))
                new = {left, right} - reached
                reached |= new
                waiting += new
        return moves


def _parts(mask: int) -> Iterator[tuple[int, int]]:
    """The ways to part a mask in two, each once."""
    lowest = mask & -mask
    rest = part = mask ^ lowest
    while part:
        yield mask ^ part, part
        part = (part - 1) & rest


def _way(operator: Operator, one: Node, other: Node, swapped: bool) -> Way:
    return (operator, other, one) if swapped else (operator, one, other)


def _move(operator: Operator, left: Value, right: Value) -> tuple[Operator, Value, Value]:
    """One name for both orders of a sum or product."""
    return (operator, right, left) if operator in {"+", "*"} and right < left else (operator, left, right)
