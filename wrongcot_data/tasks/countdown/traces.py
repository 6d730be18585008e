"""Puts a search into words: the reference traces, and what the scripted teacher writes.

Short lines, as a careful person would note them: what is wanted, what was tried and why it fails, the way that works,
the answer in its tag. Every equation is true.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from hashlib import blake2b
from random import Random

from wrongcot_data.errors import BadInput
from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.records import Problem, Reference
from wrongcot_data.tasks.countdown.forms import Move
from wrongcot_data.tasks.countdown.orders import worked
from wrongcot_data.tasks.countdown.search import DeadEnd, dead_ends, misses
from wrongcot_data.tasks.countdown.solver import find_solutions

TRACE_VERSION = "2"
"""Part of every seed of a reference trace; a change of its words or choices raises it."""

_OPENERS = (
    "I need to make {target} from {numbers}.",
    "The numbers are {numbers}, and the target is {target}.",
    "I have {numbers} and want {target}.",
    "The target is {target}, and the numbers are {numbers}.",
)
_TRIES = (
    "Try {moves}{leaving}.",
    "What about {moves}? {Left}.",
    "Maybe {moves}{leaving}.",
    "Start with {moves}{leaving}.",
)
_MISSES = ("{misses}: not {target}.", "But {misses}, so this is a dead end.", "Then {misses}, which is not {target}.")
_LAST = ("{move}, which is the target.", "Then {move}. That is it.", "And {move}, as wanted.")
_NEAR = ("{move}.", "Then {move}.", "And {move}.")
_CLOSERS = ("", "", "Every number is used once.", "All the numbers are used.")


def reference(problem: Problem) -> Reference:
    """The solver's answer and a readable search that leads to it; it follows from the id and the display order alone.

    The solution is drawn evenly from all there are (positive integers on the way wherever that is possible), then the
    order in which it is done; one to three dead ends come before it, and in half of all a miss before the hit.

    Raises:
        BadInput: the puzzle has no solution, or, with more than six numbers, none was found.
    """
    seed = blake2b(f"{TRACE_VERSION}|{problem.id}".encode(), digest_size=8).digest()
    return solved_trace(problem, Random(int.from_bytes(seed, "big")))


def solved_trace(problem: Problem, rng: Random) -> Reference:
    """A search that ends in a solution, with the choices and the words drawn from `rng`."""
    numbers, target = problem.data["nums"], problem.data["target"]
    forms = find_solutions(numbers, target, rng)
    if not forms:
        raise BadInput(f"no solution of {problem.id} was found with + - * / and every number used once")
    way = worked(rng.choice(forms), rng)
    lines = [opening_line(numbers, target, rng)]
    for end in dead_ends(numbers, target, n_dead_ends(len(numbers), rng), rng):
        lines.append(dead_end_line(end, numbers, target, rng))
    lines.append(way_line(way.moves, numbers, rng, miss=missed_before(way.moves, target, rng)))
    closer = rng.choice(_CLOSERS)
    return Reference(way.expression, "\n".join([*lines, *([closer] if closer else []), answer_line(way.expression)]))


def n_dead_ends(count: int, rng: Random) -> int:
    """How many dead ends a trace has: fewer with more numbers, whose lines are longer."""
    return rng.choice((1, 1, 2, 2, 3)) if count <= 3 else rng.choice((1, 1, 2)) if count == 4 else 1


def opening_line(numbers: Sequence[int], target: int, rng: Random) -> str:
    """What is wanted, and of what."""
    return rng.choice(_OPENERS).format(numbers=listed(numbers), target=target)


def dead_end_line(end: DeadEnd, numbers: Sequence[int], target: int, rng: Random) -> str:
    """One thing that was tried, what was left, and what that makes."""
    missed = " and ".join(map(equation, end.misses))
    if not end.moves:
        return f"{missed}: not {target}."
    tried = rng.choice(_TRIES).format(
        moves=", then ".join(map(equation, end.moves)),
        leaving=f", leaving {listed(left_after(numbers, end.moves))}",
        Left=f"That leaves {listed(left_after(numbers, end.moves))}",
    )
    return f"{tried} {rng.choice(_MISSES).format(misses=missed, target=target)}"


def way_line(
    way: Sequence[Move], numbers: Sequence[int], rng: Random, *, claims: bool = True, miss: Move | None = None
) -> str:
    """The moves that the answer is made of, each with what it leaves; `claims` says that the target is reached.

    Args:
        miss: what was tried before the last move, of the same two values.
    """
    if not way:
        return f"There is only {numbers[0]}."
    lead = rng.choice(("Try ", "Now try ", "Instead, "))
    parts = [
        f"{lead if place == 0 else 'Then '}{equation(move)}, leaving {listed(left_after(numbers, way[: place + 1]))}."
        for place, move in enumerate(way[:-1])
    ]
    last = " and ".join(map(equation, [*([miss] if miss else []), way[-1]]))
    return " ".join([*parts, rng.choice(_LAST if claims else _NEAR).format(move=last)])


def missed_before(way: Sequence[Move], target: int, rng: Random) -> Move | None:
    """In half of all traces something else that is tried with the last two values, before what works.

    Who reads that the target is reached must have seen the result: not only that the moves before were the right ones,
    which a search cannot know.
    """
    if len(way) < 2 or rng.random() < 0.5:
        return None
    last = way[-1]
    if not all(isinstance(value, int) and value > 0 for value in (last.left, last.right)):
        return None  # a solution by zero or fractions: what else those make is nothing that anybody tries
    made = [move for move in misses(last.left, last.right, target) if move.operator != last.operator]
    return rng.choice(made) if made else None


def answer_line(answer: str) -> str:
    """The line that is read by the grader."""
    return f"<answer>{answer}</answer>"


def left_after(numbers: Sequence[int], done: Sequence[Move]) -> list[Value]:
    """The values that are left of the numbers after some moves; new ones at the end."""
    left: list[Value] = list(numbers)
    for move in done:
        left.remove(move.left)
        left.remove(move.right)
        left.append(move.result)
    return left


def equation(move: Move) -> str:
    """A move in plain text, such as `44 + 35 = 79`."""
    return f"{_operand(move.left)} {move.operator} {_operand(move.right)} = {move.result}"


def listed(values: Sequence[Value]) -> str:
    """Values as in a sentence: `19, 35 and 44`."""
    texts = [str(value) for value in values]
    return " and ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def _operand(value: Value) -> str:
    """A value within an expression: a fraction or a negative value stands in brackets."""
    return f"({value})" if value < 0 or isinstance(value, Fraction) else str(value)
