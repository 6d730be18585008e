"""Replies of a scripted teacher: right, wrong, cut off or malformed, each in the words of a real search."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import Imitation
from wrongcot_data.tasks.countdown.answers import CLOSE, OPEN
from wrongcot_data.tasks.countdown.forms import expression, shuffled
from wrongcot_data.tasks.countdown.search import dead_ends, wrong_walk
from wrongcot_data.tasks.countdown.traces import (
    answer_line,
    dead_end_line,
    missed_before,
    n_dead_ends,
    opening_line,
    solved_trace,
    way_line,
)

_GIVING_UP = ("That is as near as I can get.", "I find nothing nearer, so I answer with this.", "It is not exact.")
_PROSE = ("I could not find one", "see the expression above", "the numbers do not work out", "your expression here")
_JUNK = ("<answer> so the answer must be", "<answer>((", "<answer>expression: ?")


def imitate(problem: Problem, kind: Imitation, rng: Random) -> str:
    """A reply of the wanted kind.

    `right` is graded correct; `wrong` is a finished search that is graded wrong; `truncated` stops in the middle of
    one, before any answer; `malformed` is finished (a finish reason of `stop`) and has no answer that can be read.

    Raises:
        BadInput: a right reply is wanted of a puzzle that has no solution.
    """
    if kind == "right":
        return solved_trace(problem, rng).trace
    text = wrong_trace(problem, rng)
    if kind == "wrong":
        return text
    search, _, rest = text.rpartition(OPEN)
    if kind == "truncated":
        return search[: max(1, int(len(search) * rng.uniform(0.3, 0.95)))]
    answer = rest.removesuffix(CLOSE)
    return search + rng.choice(
        (f"So the answer is {answer}.", answer_line(""), answer_line(rng.choice(_PROSE)), rng.choice(_JUNK))
    )


def wrong_trace(problem: Problem, rng: Random) -> str:
    """A coherent, finished search that ends in an answer which is legal and wrong.

    Half of them slip in the last operation and claim the target; the others stop at what is near, leave a number out,
    or take one twice.
    """
    numbers, target = list(problem.data["nums"]), problem.data["target"]
    lines = [opening_line(numbers, target, rng)]
    failed = dead_ends(numbers, target, n_dead_ends(len(numbers), rng), rng)
    lines += [dead_end_line(end, numbers, target, rng) for end in failed]
    fault = rng.choice(("slip", "slip", "slip", "near", "near", "numbers"))
    used = _other_numbers(numbers, rng) if fault == "numbers" else numbers
    walk = wrong_walk(used, target, failed, rng)
    while walk is None:  # hardly anything but the target can be made of so few numbers: take one more often
        used = [*used, numbers[0]]
        walk = wrong_walk(used, target, failed, rng)
    way, form = walk
    miss = missed_before(way, target, rng)
    if fault == "slip" and way:
        way = [*way[:-1], way[-1]._replace(result=target)]
    lines.append(way_line(way, used, rng, claims=fault == "slip", miss=miss))
    if fault != "slip":
        lines.append(rng.choice(_GIVING_UP))
    return "\n".join([*lines, answer_line(expression(shuffled(form, rng)))])


def _other_numbers(numbers: Sequence[int], rng: Random) -> list[int]:
    """The numbers with one left out or one replaced by another of them."""
    kept = list(numbers)
    left_out = kept.pop(rng.randrange(len(kept)))
    if len(kept) > 1 and rng.random() < 0.5:
        return kept
    others = [number for number in kept if number != left_out]
    return [*kept, rng.choice(others)] if others else [*kept, left_out, left_out]
