"""The worked examples of the few-shot prompts: written by hand, first person, a short search, then the answer.

In the manner of the released evaluator of "Shape of Thought" (three or four numbers below 100); the texts are ours. The
generator never yields these puzzles, so no example is ever a question.
"""

from __future__ import annotations

from typing import NamedTuple

from wrongcot_data.tasks.countdown.puzzles import Key, key_of


class Shot(NamedTuple):
    """One worked example; the numbers in the order in which they are shown."""

    numbers: tuple[int, ...]
    target: int
    trace: str


# Short on purpose: every request carries all of them, and a long prompt slows each token that a small teacher writes.
SHOTS = (
    Shot(
        (28, 3, 14),
        70,
        "Adding gives 28 + 3 + 14 = 45, too small, so I multiply: 28 * 3 = 84. Then 84 - 14 = 70.\n"
        "<answer>28 * 3 - 14</answer>",
    ),
    Shot(
        (6, 45, 9, 17),
        28,
        "45 - 17 = 28, but 6 and 9 are left over. Try 45 / 9 = 5. Then 5 + 6 = 11 and 11 + 17 = 28.\n"
        "<answer>45 / 9 + 6 + 17</answer>",
    ),
    Shot(
        (52, 8, 19),
        41,
        "52 - 19 = 33 and 33 - 8 = 25, too small. Take 19 - 8 = 11 first, then 52 - 11 = 41.\n"
        "<answer>52 - (19 - 8)</answer>",
    ),
    Shot(
        (7, 12, 4, 64),
        91,
        "64 / 4 = 16 and 16 - 12 = 4, no use. Instead 64 - 12 = 52, 52 / 4 = 13, and 13 * 7 = 91.\n"
        "<answer>(64 - 12) / 4 * 7</answer>",
    ),
)

SHOT_KEYS: frozenset[Key] = frozenset(key_of(shot.numbers, shot.target) for shot in SHOTS)
