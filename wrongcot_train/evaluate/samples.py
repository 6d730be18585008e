"""Several replies an item: whether one of k is right (pass@k), and whether a majority of k is (maj@k).

Both are the mean over *every* choice of k of the replies that there are, so that all of them count and none counts for
the order in which it came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb
from typing import Any

from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import ComparingTask, Task, judges_programs
from wrongcot_train.evaluate.scoring import ANSWERED


def sizes(samples: int) -> list[int]:
    """The k that are told of so many replies: 1, 2, 4, ... below it, and it."""
    return [*(2**power for power in range((samples - 1).bit_length())), samples]


def pass_at(samples: int, right: int, k: int) -> float:
    """Share of the choices of k replies that hold a right one.

    Unbiased for the chance that one of k new replies is right, which `1 - (1 - right / samples) ** k` is not.

    Args:
        samples: replies to the item; `right` of them are right.
        k: 1 to `samples`.

    Raises:
        ValueError: counts outside these ranges.

    Source: Chen et al. (2021), Evaluating Large Language Models Trained on Code, arXiv 2107.03374, equation 1.
    """
    if not 0 <= right <= samples or not 1 <= k <= samples:
        raise ValueError(f"no pass@{k}: {right} of {samples} replies right")
    return 1 - comb(samples - right, k) / comb(samples, k)


def no_vote(task: Task) -> str:
    """Why there is no majority among a task's answers; empty where there is one."""
    if isinstance(task, ComparingTask):
        return ""
    if judges_programs(task):
        return "answers are programs, which no majority can be counted of"
    return f"the task {task.name} cannot tell whether two answers are the same"


def first_alike(task: Task, problem: Problem, replies: Sequence[Mapping[str, Any]]) -> list[int]:
    """Which replies have the same answer, as the task's grader holds it.

    Two right answers are the same, both being equal to the reference; a right one and a wrong one are not. For all
    others the grader is asked, unless they are the same text.

    Returns:
        for each reply the number of the first one with its answer, -1 where it has none (grades outside `ANSWERED`);
        nothing for a task that cannot compare answers.
    """
    if not isinstance(task, ComparingTask):
        return []
    firsts: list[int] = []
    found: list[int] = []
    for number, reply in enumerate(replies):
        if reply["grade"] not in ANSWERED:
            found.append(-1)
            continue
        same = next((first for first in firsts if _same(task, problem, replies[first], reply)), None)
        if same is None:
            firsts.append(number)
        found.append(number if same is None else same)
    return found


def _same(task: ComparingTask, problem: Problem, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    grades = {one["grade"], other["grade"]}
    if one["answer"] == other["answer"] or grades == {"correct"}:
        return True
    return grades != {"correct", "wrong"} and task.same_answer(problem, one["answer"], other["answer"])


def vote_at(alike: Sequence[int], correct: Sequence[bool], k: int) -> float:
    """How much of the majority is right, over all choices of k replies.

    Each reply with an answer is a vote for it. Answers that tie for the most votes share the item evenly: of three, one
    of them right, a third is right. A choice without any answer is wrong.

    Args:
        alike: as `first_alike` gives it.
        correct: of each reply; an answer is right if the first reply that has it is.
        k: 1 to the number of replies.

    Raises:
        ValueError: no such k.

    Source: self-consistency, Wang et al. (2022), arXiv 2203.11171; the mean over all choices instead of one.
    """
    if len(alike) != len(correct) or not 1 <= k <= len(alike):
        raise ValueError(f"no majority of {k} among {len(alike)} replies")
    counts = Counter(first for first in alike if first >= 0)
    votes = sorted((size, bool(correct[first])) for first, size in counts.items())
    return _share(tuple(votes), len(alike) - counts.total(), k)


@lru_cache(maxsize=2**14)  # items have few patterns
def _share(votes: tuple[tuple[int, bool], ...], silent: int, k: int) -> float:
    """`vote_at` by the sizes of the answers, whether each is right, and the replies without one.

    For each number of votes that can win: in how many ways every answer gets at most so many, by how many right and how
    many wrong answers get exactly so many.
    """
    won = Fraction(0)
    for most in range(1, min(k, max((size for size, _ in votes), default=0)) + 1):
        ways: dict[tuple[int, int, int], int] = {(0, 0, 0): 1}  # replies drawn, right and wrong answers at the top
        for size, right in votes:
            grown: Counter[tuple[int, int, int]] = Counter()
            for (drawn, rights, wrongs), count in ways.items():
                for taken in range(min(size, most, k - drawn) + 1):
                    top = taken == most
                    state = (drawn + taken, rights + (top and right), wrongs + (top and not right))
                    grown[state] += count * comb(size, taken)
            ways = grown
        for (drawn, rights, wrongs), count in ways.items():
            if rights:
                won += Fraction(rights * count * comb(silent, k - drawn), rights + wrongs)
    return float(won / comb(sum(size for size, _ in votes) + silent, k))
