"""Puzzles without end, solvable by construction.

A puzzle is grown from its target downwards: a value and a count of numbers are split into two values and two counts by
an operation, until one number is left at each leaf. So every shape of tree occurs, targets are even over the range,
nearly nothing is thrown away, and a split that wants certain targets draws only those.

What it is biased to: each operation that fits is as likely as any other, so `*` and `/` are more frequent than among
all solvable puzzles, and small divisors more than large ones. No subtree of k numbers is worth more than k times the
largest number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from math import isqrt
from random import Random
from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from wrongcot_data.errors import BadInput
from wrongcot_data.tasks.countdown.puzzles import MAX_NUMBER, Key, is_new_target, split_of
from wrongcot_data.tasks.countdown.shots import SHOT_KEYS

GENERATOR_VERSION = "1"
"""Part of every seed; a change of what is drawn from one raises it."""

MAX_DRAWS = 20_000
"""Draws without a new puzzle after which the options are held to be exhausted (below a second)."""

Tree = int | tuple[str, "Tree", "Tree"]


class CountdownOptions(BaseModel, extra="forbid", frozen=True):
    """What decides the puzzles of a build, beside its split and seed."""

    sizes: tuple[Annotated[int, Field(ge=2, le=6)], ...] = Field(
        (3, 4),
        min_length=1,
        max_length=32,
        description="how many numbers, drawn evenly; repeat a size to draw it more often. 3 and 4 as in TinyZero",
    )
    min_number: int = Field(1, ge=1, le=MAX_NUMBER, description="smallest number; 1 as in TinyZero")
    max_number: int = Field(99, ge=1, le=MAX_NUMBER, description="largest number; 99 as in TinyZero: two digits")
    min_target: int = Field(10, ge=1, le=MAX_NUMBER, description="smallest target; 10 as in TinyZero")
    max_target: int = Field(100, ge=1, le=MAX_NUMBER, description="largest target; 100 as in TinyZero")

    @model_validator(mode="after")
    def _ranges_are_not_empty(self) -> CountdownOptions:
        if self.min_number > self.max_number:
            raise ValueError(f"min_number {self.min_number} is above max_number {self.max_number}")
        if self.min_target > self.max_target:
            raise ValueError(f"min_target {self.min_target} is above max_target {self.max_target}")
        return self


@dataclass(frozen=True, slots=True)
class Puzzle:
    """A puzzle and the tree that it was grown as: `("+", 44, ("-", 60, 6))`."""

    key: Key
    tree: Tree = field(compare=False)


def generate(options: CountdownOptions, split: str, seed: int) -> Iterator[Puzzle]:
    """Distinct puzzles of a split, endless; the first n are the same for every n.

    Never a puzzle whose target is among its numbers, or whose tree multiplies or divides by 1, or one of the worked
    examples of the prompts.

    Raises:
        BadInput: no new puzzle is found any more.
    """
    held_out = split == "new_targets"
    targets = [t for t in range(options.min_target, options.max_target + 1) if is_new_target(t) == held_out]
    if not targets:
        raise BadInput(f"no target from {options.min_target} to {options.max_target} is in the split {split}")
    seen = set(SHOT_KEYS)
    spec = f"{GENERATOR_VERSION}|{options.model_dump_json()}|{split}|{seed}"
    index = 0
    while True:
        digest = blake2b(f"{spec}|{index}".encode(), digest_size=8).digest()
        rng = Random(int.from_bytes(digest, "big"))
        puzzle = _draw_new(options, split, targets, seen, rng)
        seen.add(puzzle.key)
        yield puzzle
        index += 1


def _draw_new(options: CountdownOptions, split: str, targets: Sequence[int], seen: set[Key], rng: Random) -> Puzzle:
    """The first puzzle drawn from `rng` that is not trivial, not seen, and in the split."""
    grower = _Grower(options.min_number, options.max_number, rng)
    draw = rng.random
    for _ in range(MAX_DRAWS):
        target = targets[int(draw() * len(targets))]
        grower.leaves.clear()
        tree = grower.grow(target, options.sizes[int(draw() * len(options.sizes))])
        if tree is None or target in grower.leaves:
            continue
        key = Key(tuple(sorted(grower.leaves)), target)
        if key not in seen and (split == "new_targets" or split_of(key) == split):
            return Puzzle(key, tree)
    raise BadInput(
        f"the options hold too few puzzles for the split {split}: none that is new in {MAX_DRAWS:,} draws",
        try_=["a smaller --limit", "more sizes, or wider ranges of numbers and targets"],
    )


@cache
def _divisors(value: int) -> tuple[int, ...]:
    """The divisors of a positive integer, both 1 and itself left out. At most a few ten thousand values ever come."""
    small = [d for d in range(2, isqrt(value) + 1) if value % d == 0]
    return (*small, *sorted({value // d for d in small} - set(small)))


class _Grower:
    """Grows trees from the root to the leaves; every value in a tree is a positive integer."""

    __slots__ = ("high", "leaves", "low", "random")

    def __init__(self, low: int, high: int, rng: Random) -> None:
        self.low = low
        self.high = high
        self.random = rng.random
        self.leaves: list[int] = []

    def grow(self, value: int, count: int) -> Tree | None:
        """A tree of `count` numbers that is worth `value`; None where the draw led nowhere. Fills `leaves`."""
        if count == 1:
            self.leaves.append(value)
            return value
        draw = self.random
        n_left = 1 + int(draw() * (count - 1))
        first = int(draw() * 4)
        for turn in range(4):
            operator = "+-*/"[(first + turn) % 4]
            pair = self._pair(operator, value, n_left, count - n_left)
            if pair is not None:
                left = self.grow(pair[0], n_left)
                right = None if left is None else self.grow(pair[1], count - n_left)
                return None if left is None or right is None else (operator, left, right)
        return None

    def _pair(self, operator: str, value: int, n_left: int, n_right: int) -> tuple[int, int] | None:
        """Two values that the operation makes `value` of, drawn evenly from those in bounds; None if there are none."""
        low_a = self.low if n_left == 1 else 1
        low_b = self.low if n_right == 1 else 1
        high_a = self.high * n_left
        high_b = self.high * n_right
        if operator == "+":
            low, high = max(low_a, value - high_b), min(high_a, value - low_b)
        elif operator == "-":
            low, high = max(low_b, low_a - value), min(high_b, high_a - value)
        elif operator == "/":
            low, high = max(low_b, -(-low_a // value), 2), min(high_b, high_a // value)
        else:
            low_b, low_a = max(low_b, 2), max(low_a, 2)
            fitting = [d for d in _divisors(value) if low_a <= d <= high_a and low_b <= value // d <= high_b]
            if not fitting:
                return None
            divisor = fitting[int(self.random() * len(fitting))]
            return divisor, value // divisor
        if low > high:
            return None
        drawn = low + int(self.random() * (high - low + 1))
        if operator == "+":
            return drawn, value - drawn
        return (value + drawn if operator == "-" else value * drawn), drawn
