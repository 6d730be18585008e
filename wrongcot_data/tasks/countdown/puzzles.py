"""A puzzle, its key, its id, and what follows from them: display order, split.

The key of a puzzle is its sorted numbers and its target. Everything else about a puzzle follows from the key alone, the
same in every data set and every version, so that no two sets can put one puzzle into two splits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from wrongcot_data.errors import BadInput

SPLITS = ("train", "validation", "test", "new_targets")

NEW_TARGETS_SHARE = 0.1
"""Share of targets that are held out wholly, as in Stream of Search: a split that asks for more than new numbers."""

VALIDATION_SHARE = 0.05
TEST_SHARE = 0.05
"""Of the puzzles with other targets; small, since the space is large (millions of puzzles with four numbers)."""

MAX_COUNT = 8
MAX_NUMBER = 9_999
MAX_TARGET = 999_999

_ID = re.compile(r"countdown-([0-9]{1,6}(?:\.[0-9]{1,6}){0,31})-([0-9]{1,9})")


class Key(NamedTuple):
    """What makes two puzzles the same: the numbers in ascending order, and the target."""

    numbers: tuple[int, ...]
    target: int


def key_of(numbers: Sequence[int], target: int) -> Key:
    """The key of a puzzle whose numbers stand in any order."""
    return Key(tuple(sorted(numbers)), target)


def problem_id(key: Key) -> str:
    """The readable id, such as `countdown-19.35.44-98`: sorted numbers, target."""
    return f"countdown-{'.'.join(map(str, key.numbers))}-{key.target}"


def key_of_id(text: str) -> Key:
    """The key that an id names; the way back from `problem_id`.

    Raises:
        BadInput: it is no id, or not the canonical one.
    """
    found = _ID.fullmatch(text)
    if not found:
        raise BadInput(f"problem_id: {text[:80]!r} is no Countdown id; one looks like countdown-19.35.44-98")
    key = key_of([int(number) for number in found[1].split(".")], int(found[2]))
    if problem_id(key) != text:
        raise BadInput(f"problem_id: {text[:80]!r} is not the canonical id", try_=[problem_id(key)])
    check_key(key)
    return key


def check_key(key: Key) -> None:
    """See that a puzzle is within the bounds that keep solving it cheap.

    Raises:
        BadInput: it is not; the message names the field.
    """
    if not 1 <= len(key.numbers) <= MAX_COUNT:
        raise BadInput(f"nums: 1 to {MAX_COUNT} numbers are wanted, not {len(key.numbers)}")
    if key.numbers[0] < 1 or key.numbers[-1] > MAX_NUMBER:
        raise BadInput(f"nums: every number must be from 1 to {MAX_NUMBER}")
    if not 1 <= key.target <= MAX_TARGET:
        raise BadInput(f"target: must be from 1 to {MAX_TARGET}")


def _digest(key: Key) -> bytes:
    """16 bytes of hash: the first 8 decide the split, the last 8 the display order."""
    return blake2b(problem_id(key).encode(), digest_size=16).digest()


def display_order(key: Key) -> list[int]:
    """The numbers as they are shown: shuffled by the hash of the key, so that the order tells nothing."""
    ranks = _digest(key)[8:]
    return [number for _, number in sorted(zip(ranks, key.numbers, strict=False), key=lambda pair: pair[0])]


def split_of(key: Key) -> str:
    """The split that a puzzle is in, always and everywhere."""
    if is_new_target(key.target):
        return "new_targets"
    share = int.from_bytes(_digest(key)[:8], "big") / 2**64
    if share < TEST_SHARE:
        return "test"
    return "validation" if share < TEST_SHARE + VALIDATION_SHARE else "train"


@lru_cache(maxsize=4096)
def is_new_target(target: int) -> bool:
    """Whether this target is held out of the other splits."""
    digest = blake2b(f"countdown target {target}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 < NEW_TARGETS_SHARE
