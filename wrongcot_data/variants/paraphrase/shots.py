"""Worked examples of rewriting: the tasks' own first examples, written again by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from wrongcot_data.records import Problem
from wrongcot_data.tasks.base import Task
from wrongcot_data.variants.trace_tasks import N_SHOTS

_CLOSING = re.compile(r"^The final answer is \$(.*)\$\.$", re.MULTILINE)

_PROSE: Mapping[str, Sequence[str]] = {
    "countdown": (
        "The sum 28 + 3 + 14 = 45 falls short, which calls for a product: 28 * 3 = 84. Taking the last number away"
        " makes 84 - 14 = 70.\n<answer>28 * 3 - 14</answer>",
        "At once 45 - 17 = 28, yet this does not use 6 and 9. A quotient helps: 45 / 9 = 5. Going on from there,"
        " 5 + 6 = 11, and with the number that remains 11 + 17 = 28.\n<answer>45 / 9 + 6 + 17</answer>",
    ),
    "gsm8k": (
        "With 15 rolls on each of 12 trays there are 12 * 15 = 180 rolls at first.\n"
        "Once 140 of them are sold, she has 180 - 140 = 40.\n"
        "Half of these, 40 / 2 = 20, go to the school, and 40 - 20 = 20 stay with her.\nThe final answer is $20$.",
        "Riding for 3 days at $8 makes 3 * 8 = 24 dollars.\n"
        "Wearing the helmet adds 5 to that: 24 + 5 = 29 dollars in all.\n"
        "Two notes of $20 are 2 * 20 = 40 dollars, of which 40 - 29 = 11 come back to Omar.\nThe final answer is $11$.",
    ),
    "math": (
        "We can write the left side as the product $(x - 2)(x - 5)$; it is zero for $x = 2$ and for $x = 5$.\n"
        "Adding both of these gives $2 + 5 = 7$.\nThe final answer is $7$.",
        "Red comes first with a chance of $\\frac{4}{10}$; among the marbles left over, it has a chance of"
        " $\\frac{3}{9}$.\nBoth happen with a probability of $\\frac{4}{10} \\cdot \\frac{3}{9} = \\frac{12}{90} ="
        " \\frac{2}{15}$.\nThe final answer is $\\frac{2}{15}$.",
    ),
}

_PROGRAMS: Sequence[tuple[str, str]] = (
    (
        "Cut the text into words at its blanks, and of these hold on to those with more than n letters, as they come.",
        "def longer_words(text, limit):\n    kept = []\n    for word in text.split():\n"
        "        if len(word) > limit:\n            kept.append(word)\n    return kept",
    ),
    (
        "The decimal digits of a number can be read from its text; each becomes an integer again and joins the total.",
        "def digit_total(value):\n    total = 0\n    for digit in str(value):\n        total += int(digit)\n"
        "    return total",
    ),
)


def rewritten_shots(task: Task, problem: Problem, trace: str) -> list[tuple[Problem, str, str]]:
    """Examples of a task, each with its trace and that trace rewritten; none for a task of a plugin.

    They end in the form of the trace that is to be rewritten: a small model that is shown `The final answer is $20$.`
    hardly ever ends in `#### 20`, or ends without an answer.
    """
    examples = list(task.shots(problem))[:N_SHOTS]
    if task.name == "mbpp":
        fenced = problem.data["trace_style"] == "reasoned"
        texts = [f"{idea}\n\n```python\n{program}\n```" if fenced else program for idea, program in _PROGRAMS]
    else:
        texts = list(_PROSE.get(task.name, ()))
    marked = trace.rpartition("\n")[2].startswith("####")
    return [
        (shot, _marked(before), _marked(text)) if marked else (shot, before, text)
        for (shot, before), text in zip(examples, texts, strict=False)
    ]


def _marked(trace: str) -> str:
    """A trace with its closing sentence in the form of GSM8K's own solutions."""
    return _CLOSING.sub(r"#### \1", trace)
