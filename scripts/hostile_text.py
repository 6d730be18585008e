"""Completions that are meant to hurt a grader: the same ones each time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

PIECES = (
    *("\\boxed{", "}", "{", "$", "\\frac", "\\sqrt", "\\left(", "\\right)", "^", "_", "9^9^9^9", "#### ", "<<", ">>"),
    *("The final answer is $", "<answer>", "</answer>", "```python\n", "```", "def f(x):\n    return x + 1\n"),
    *("\n", "\0", "\ud800", "\udfff", "\N{ARABIC LETTER ALEF}", "=", "+", "-", "*", "/", "1/0", "1e999", "0x1F"),
    *("\\text{", "5", "7", "1 * 2 * 3 + 1", "½", "\\infty", "(", ")", "[", "]", ",", ".", "%", "\\$", "nan", "x", "y"),
    *("import os\n", "f = lambda x: 2\n", "\\begin{pmatrix}", "\\end{pmatrix}", "&", "\\\\", "\\pm", "\\cup"),
)
FRAMES = ("\\boxed{%s}", "The final answer is $%s$.", "<answer>%s</answer>", "```python\n%s\n```")
HUGE = ("x" * 10_000_000, "\\boxed{" * 10_000 + "1" * 1_000_000, "1+" * 500_000, "\\boxed{" * 1_000 + "}" * 1_000)


def hostile_texts(count: int) -> Iterator[str]:
    """Huge ones, random bytes, one piece again and again, pieces in any order, and those where an answer is looked for.

    Args:
        count: how many; at least those of `HUGE`.
    """
    yield from HUGE
    rng = Random(0)
    for number in range(count - len(HUGE)):
        kind = number % 4
        if kind == 0:
            yield bytes(rng.randrange(256) for _ in range(rng.randrange(80))).decode("utf-8", "surrogateescape")
        elif kind == 1:
            yield rng.choice(PIECES) * rng.choice((1, 2, 30, 1000))
        elif kind == 2:
            yield "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 12)))
        else:
            yield rng.choice(FRAMES) % "".join(rng.choice(PIECES) for _ in range(rng.randrange(1, 6)))
