"""Countdown as a task: make the target from the numbers with + - * /, each number exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel

from wrongcot_data.errors import BadInput, unknown
from wrongcot_data.records import FinishReason, Problem, Reference, Step, Verdict
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.tasks.countdown import answers, imitation, tinyzero, traces
from wrongcot_data.tasks.countdown.generator import CountdownOptions, generate
from wrongcot_data.tasks.countdown.puzzles import (
    SPLITS,
    Key,
    check_key,
    display_order,
    key_of,
    key_of_id,
    problem_id,
    split_of,
)
from wrongcot_data.tasks.countdown.shots import SHOTS
from wrongcot_data.tasks.countdown.solver import EXHAUSTIVE_COUNT, solve
from wrongcot_data.tasks.countdown.steps import countdown_steps


class Difficulty(NamedTuple):
    """How hard a puzzle is, counted over all solutions with positive integers on the way.

    Both are -1 with more than `EXHAUSTIVE_COUNT` numbers, where they are not counted.

    Attributes:
        n_solutions: solutions that differ by more than the order or the brackets of a sum or product; 0 where only
            fractions, zero or negative values on the way lead to the target, or nothing does.
        n_dead_ends: of the first moves (two of the numbers and an operation with a positive whole result), those that
            begin no solution.
    """

    n_solutions: int
    n_dead_ends: int


@lru_cache(maxsize=2**14)  # many completions of one problem are graded in a row
def difficulty(key: Key) -> Difficulty:
    """How hard a puzzle is; about 0.1 ms with three numbers, 0.25 ms with four, 3 ms with five."""
    if len(key.numbers) > EXHAUSTIVE_COUNT:
        return Difficulty(-1, -1)
    found = solve(key.numbers, key.target)
    return Difficulty(len(found.forms), found.first_moves - found.live_first_moves)


class Countdown:
    """The task; see `wrongcot_data.tasks.base.Task` for what each member promises."""

    name = "countdown"
    title = "Countdown: make the target from the numbers with + - * /, each number exactly once"
    author: Literal["human", "solver"] = "solver"
    licence = "apache-2.0"
    data_set = ""
    grader_version = answers.GRADER_VERSION
    grader_waits = False
    columns: Mapping[str, str] = {
        "nums": "list<int32>",
        "target": "int32",
        "n_solutions": "int32",
        "n_dead_ends": "int32",
    }
    splits: Sequence[str] = SPLITS
    stop: Sequence[str] = (answers.CLOSE,)
    max_tokens = 256  # a search over three or four numbers fits well
    prompt_version = 1
    templates: Path | None = None
    scorers: Mapping[str, Callable[[Problem, str], float]] = {"tinyzero": tinyzero.score_completion}
    options: type[BaseModel] = CountdownOptions

    def problems(self, options: BaseModel, split: str, seed: int) -> Iterator[Problem]:
        """Distinct puzzles of a split, endless. The first n are the same for every n.

        Raises:
            BadInput: no such split, or the options hold no puzzle that is new.
        """
        if split not in SPLITS:
            raise unknown("split", split, SPLITS)
        if not isinstance(options, CountdownOptions):
            raise TypeError(f"CountdownOptions wanted, not {type(options).__name__}")
        return (_problem(puzzle.key) for puzzle in generate(options, split, seed))

    def origin(self, options: BaseModel) -> str:
        """Nowhere: they are generated."""
        return "generated from the seed"

    def check_grader(self) -> None:
        """Nothing is needed but arithmetic."""

    def read_problem(self, row: Mapping[str, Any]) -> Problem:
        """The problem of a row: by `problem_id`, or inline as `nums` (kept in their order) and `target`, or both.

        Raises:
            BadInput: neither is there, they disagree, or a field has a wrong type or value.
        """
        named = _named_key(row)
        if named and row.get("nums") is None and row.get("target") is None:
            return _problem(named)
        numbers, target = _inline(row)
        key = key_of(numbers, target)
        if named and named != key:
            raise BadInput(f"problem_id: {problem_id(named)} is not the puzzle of nums and target, {problem_id(key)}")
        check_key(key)
        return _problem(key, numbers)

    def reference(self, problem: Problem) -> Reference:
        """The solver's answer, and a readable search with dead ends that leads to it."""
        return traces.reference(problem)

    def shots(self, problem: Problem) -> Sequence[tuple[Problem, str]]:
        """Four worked examples; `problems` never yields these."""
        return [(_problem(key_of(shot.numbers, shot.target), shot.numbers), shot.trace) for shot in SHOTS]

    def difficulty(self, problem: Problem) -> str:
        """By how many numbers there are."""
        return f"{len(problem.data['nums'])} numbers"

    def grade(self, problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
        """Judge a completion; see `answers` for the reasons and their order."""
        return answers.grade(problem, completion, finish_reason)

    def same_answer(self, problem: Problem, one: str, other: str) -> bool:
        """Whether both have the same value, exactly, made of the same numbers: `(1 + 2) * 3` and `3 * (2 + 1)`."""
        return answers.same(one, other)

    def steps(self, problem: Problem, completion: str) -> list[Step]:
        """Lines, or sentences of lines with several equations; see `steps` for what is checked."""
        return countdown_steps(problem, completion)

    def imitate(self, problem: Problem, kind: Imitation, rng: Random) -> str:
        """A reply of the wanted kind, as a scripted teacher writes it."""
        return imitation.imitate(problem, kind, rng)


def _problem(key: Key, numbers: Sequence[int] | None = None) -> Problem:
    """The problem of a key; numbers as given, or else in the display order of the key."""
    shown = list(numbers) if numbers is not None else display_order(key)
    data = {"nums": shown, "target": key.target, **difficulty(key)._asdict()}
    return Problem(problem_id(key), "countdown", split_of(key), data)


def _named_key(row: Mapping[str, Any]) -> Key | None:
    """The key that a row's `problem_id` names; None where it has none."""
    named = row.get("problem_id")
    if named is None:
        return None
    if not isinstance(named, str):
        raise BadInput(f"problem_id: a string is wanted, not {type(named).__name__}")
    return key_of_id(named)


def _inline(row: Mapping[str, Any]) -> tuple[list[int], int]:
    """The numbers and the target that a row holds, types checked strictly."""
    numbers, target = row.get("nums"), row.get("target")
    if numbers is None and target is None:
        raise BadInput("a row needs problem_id, or nums and target")
    if not isinstance(numbers, list | tuple) or not all(type(number) is int for number in numbers):
        raise BadInput(f"nums: a list of integers is wanted, not {_shown(numbers)}")
    if type(target) is not int:
        raise BadInput(f"target: an integer is wanted, not {_shown(target)}")
    if not numbers:
        raise BadInput("nums: at least one number is wanted")
    return list(numbers), target


def _shown(value: Any) -> str:
    """A value as an error names it: short."""
    text = repr(value)
    return "nothing" if value is None else text if len(text) <= 60 else f"{text[:57]}..."
