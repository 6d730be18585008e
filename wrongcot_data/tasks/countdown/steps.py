"""Steps of a Countdown trace: equations that hold, with numbers that are there.

A number of an expression must be a given one, the target (which people reckon back from), or a value that came up
before, in an equation or in words; and within one expression it may stand only as often as it was given or came up. A
search that restarts after a dead end has the given numbers again, so what was used before is never held against a later
line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from wrongcot_data.graders.arithmetic import Value
from wrongcot_data.records import Problem, Step
from wrongcot_data.steps import FALSE_EQUATION, Checked, cut
from wrongcot_data.steps.doubt import in_doubt
from wrongcot_data.steps.equations import Equation, find_equations
from wrongcot_data.steps.values import Node, NoValueError, is_compound, value_of

_LOOK_BACK = 20
_DRESS = " \t\n\\([$&"

_NUMBER = re.compile(r"(?<![\w.])[0-9]{1,18}(?:\.[0-9]{1,18})?(?!\w)")
_MAX_PARTS = 4
_MADE = re.compile(rf"\b(?:leaves|gives|gets?|is|makes|becomes|equals|results in)\s+({_NUMBER.pattern})")
_LEFT_OVER = re.compile(r"\(left[^()\n]*\)")

NOT_AVAILABLE = "number not available"
"""Kind of a step that is invalid because it takes a number that is not there, or takes it too often."""


def countdown_steps(problem: Problem, trace: str) -> list[Step]:
    """Lines, or sentences of lines with several equations; each equation checked, and the numbers it takes."""
    return cut(trace, _checked(problem.data["nums"], problem.data["target"], trace))


def unavailable_numbers(problem: Problem, trace: str) -> list[tuple[Equation, Value]]:
    """The equations that take a number that is not there, each with the first such number."""
    found = _with_faults(problem.data["nums"], problem.data["target"], trace)
    return [(equation, fault) for equation, fault in found if fault is not None]


def _checked(numbers: Sequence[int], target: int, trace: str) -> Iterator[Checked]:
    for equation, fault in _with_faults(numbers, target, trace):
        if equation.verdict == "invalid":
            yield equation, FALSE_EQUATION
        elif fault is not None:
            yield equation, NOT_AVAILABLE
        elif equation.verdict == "valid":
            yield equation, ""


def _with_faults(numbers: Sequence[int], target: int, trace: str) -> Iterator[tuple[Equation, Value | None]]:
    """The equations of a trace, each with the number that it takes and cannot have, if there is one."""
    made: Counter[Value] = Counter()
    given: Counter[Value] = Counter(numbers)
    read = 0
    for equation in find_equations(trace):
        first = next((side for side in equation.sides if is_compound(side)), None)
        fault = None
        prose = _LEFT_OVER.sub(" ", trace[read : equation.start])
        made.update(map(_number, _MADE.findall(prose)))
        made.update(value for value in set(map(_number, _NUMBER.findall(prose))) if value not in given)
        read = max(read, equation.end)
        starts = not trace[max(0, equation.start - _LOOK_BACK) : equation.start].rstrip(_DRESS).endswith(("=", "≈"))
        if starts and first is not None and _is_plain(first) and not in_doubt(trace, equation.start, equation.end):
            fault = _fault(first, given, made, target)
        yield equation, fault
        made.update(_values(equation.sides))


def _fault(side: Node, given: Counter[Value], made: Counter[Value], target: int) -> Value | None:
    """The first number of an expression that is not there, or not so often."""
    used: Counter[Value] = Counter()
    for value in _taken(side, made):
        used[value] += 1
        if used[value] > given[value] + made[value] and value != target and not _is_near(value, made):
            return value
    return None


def _taken(node: Node, made: Counter[Value]) -> Iterator[Value]:
    """The numbers that an expression takes; a bracket or a quotient that came up before is one number."""
    place = 0
    while place < len(node.parts):
        part, sign = node.parts[place], -1 if node.operators[place] == "-" else 1
        following = node.parts[place + 1 : place + 2]
        if following and node.operators[place + 1] == "/" and part.kind == following[0].kind == "number":
            quotient = _value(Node("row", (part, following[0]), operators=("+", "/")))
            if quotient is not None and made[quotient] > 0 and Fraction(quotient).denominator > 1:
                yield quotient
                place += 2
                continue
        value = _value(part)
        if part.kind == "number" or (value is not None and made[value]):
            if value is not None:
                yield sign * value if not made[value] and made[sign * value] else value
        else:
            yield from _taken(part, made)
        place += 1


def _values(sides: Sequence[Node]) -> Iterator[Value]:
    """What the sides of an equation are worth, and every bracket in them; each value once a side."""
    for side in sides:
        found = set()
        waiting = [side]
        while waiting:
            node = waiting.pop()
            waiting.extend(part for part in node.parts if is_compound(part))
            if node.kind == "row":  # 59 + 38 - 95 makes 97 on its way
                sizes = range(2, min(len(node.parts), _MAX_PARTS))
                waiting.extend(Node("row", node.parts[:size], operators=node.operators[:size]) for size in sizes)
            value = _value(node)
            if value is not None:
                found |= {value, -value}
        yield from found


def _value(node: Node) -> Value | None:
    try:
        return value_of(node).low
    except NoValueError:
        return None


def _number(digits: str) -> Value:
    value = Fraction(digits)
    return value.numerator if value.denominator == 1 else value


def _is_plain(node: Node) -> bool:
    """Whether an expression is made of numbers and + - * / alone."""
    return node.kind == "number" or (node.kind == "row" and all(map(_is_plain, node.parts)))


def _is_near(value: Value, made: Counter[Value]) -> bool:
    """Whether a number may be a rounded form of a fraction that came up."""
    return any(abs(Fraction(value) - other) < 1 for other in made if Fraction(other).denominator > 1)
