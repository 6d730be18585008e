r"""TinyZero's scorer, its faults included, without its `eval`: a second scorer, so that both numbers can be reported.

The text after the first assistant marker, its last line only, the last tag in that line. The runs of digits must be
exactly the given numbers; nothing but digits, `+ - * / ( ) .` and white space is allowed; then Python's own arithmetic
decides, so that `2**3`, `7//2`, `2.5*10` and values within 0.00001 of the target are right, and `3 + 4 = 7` is not.

The one difference: a power above `MAX_POWER_BITS` bits scores 0.1 here, where the original computes it and may hang.
(Python's own limits on nesting end both.)
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from wrongcot_data.graders.syntax import expression_tree
from wrongcot_data.records import Problem

NO_ANSWER = 0.0
FORMAT_SCORE = 0.1
FULL_SCORE = 1.0

TOLERANCE = 1e-5

MAX_POWER_BITS = 100_000

_MARKERS = ("Assistant:", "<|im_start|>assistant")
_ANSWER = re.compile(r"<answer>(.*?)</answer>")
_ALLOWED = re.compile(r"[\d+\-*/().\s]+")


def tinyzero_score(text: str, nums: Sequence[int], target: int) -> float:
    """The score of prompt and reply together: 0 no answer found, 0.1 an answer that is not right, 1 right.

    Args:
        text: with the marker that opens the assistant's turn, `Assistant:` or `<|im_start|>assistant`; without one
            the score is 0.
    """
    answer = _extract(text)
    if answer is None:
        return NO_ANSWER
    try:
        used = sorted(int(digits) for digits in re.findall(r"\d+", answer))
        if used != sorted(nums) or not _ALLOWED.fullmatch(answer):
            return FORMAT_SCORE
        return FULL_SCORE if abs(_value(answer) - target) < TOLERANCE else FORMAT_SCORE
    except (ArithmeticError, MemoryError, RecursionError, SyntaxError, TypeError, ValueError):
        return FORMAT_SCORE


def score_completion(problem: Problem, completion: str) -> float:
    """`tinyzero_score` of a completion alone, after the marker that its prompt would have ended in."""
    marked = completion if any(marker in completion for marker in _MARKERS) else f"{_MARKERS[0]} {completion}"
    return tinyzero_score(marked, problem.data["nums"], problem.data["target"])


def _extract(text: str) -> str | None:
    """What stands in the last tag of the last line of the reply."""
    for marker in _MARKERS:
        if marker in text:
            reply = text.split(marker, 1)[1]
            found = _ANSWER.findall(reply.split("\n")[-1])
            return found[-1].strip() if found else None
    return None


def _value(answer: str) -> Any:
    """What Python's `eval` makes of text from the allowed characters: an int, a float or even a complex number.

    Raises:
        Exception: whatever `eval` would raise, or `ValueError` for what has no number as its value.
    """
    return _node_value(expression_tree(answer))


def _node_value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_node_value(node.operand))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _BINARY[type(node.op)](_node_value(node.left), _node_value(node.right))
    raise ValueError("no number: a call, an ellipsis or empty brackets")


def _power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, refused where it is an integer too large to be worth computing."""
    whole = isinstance(base, int) and isinstance(exponent, int)
    if whole and abs(base) > 1 and abs(base).bit_length() * exponent > MAX_POWER_BITS:
        raise ValueError("a power that the original might hang on")
    return base**exponent


_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Pow: _power,
}
