"""Worked examples of making a mistake: a step of each of the tasks' own first examples, spoilt by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.trace_tasks import N_SHOTS

_SPOILT: Mapping[str, Sequence[tuple[str, str]]] = {
    "countdown": (
        ("Then 84 - 14 = 70.", "Then 84 - 14 = 60."),
        ("Try 45 / 9 = 5.", "Try 45 / 9 = 6."),
    ),
    "gsm8k": (
        ("After the morning 180 - 140 = 40 rolls are left.", "After the morning 180 - 140 = 50 rolls are left."),
        ("With the helmet it is 24 + 5 = 29 dollars.", "With the helmet it is 24 - 5 = 29 dollars."),
    ),
    "math": (
        ("Their sum is $2 + 5 = 7$.", "Their sum is $2 + 5 = 8$."),
        (
            "The product is $\\frac{4}{10} \\cdot \\frac{3}{9} = \\frac{12}{90} = \\frac{2}{15}$.",
            "The product is $\\frac{4}{10} \\cdot \\frac{3}{9} = \\frac{12}{90} = \\frac{3}{15}$.",
        ),
    ),
    "mbpp": (
        (
            "return [word for word in sentence.split() if len(word) > n]",
            "return [word for word in sentence.split() if len(word) >= n]",
        ),
        (
            "return sum(int(digit) for digit in str(number))",
            "return sum(int(digit) for digit in str(number)[1:])",
        ),
    ),
}


def spoilt_shots(task: Task, problem: Problem) -> list[tuple[Problem, str, str, str]]:
    """Examples of a task: its trace, a step of it, and that step with a mistake; none for a task of a plugin."""
    examples = list(task.shots(problem))[:N_SHOTS]
    spoilt = _SPOILT.get(task.name, ())
    return [(shot, trace, step, text) for (shot, trace), (step, text) in zip(examples, spoilt, strict=False)]
