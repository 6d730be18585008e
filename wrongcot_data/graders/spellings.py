"""One spelling for what people write in several ways in LaTeX; both graders of mathematics read answers after it."""

from __future__ import annotations

import re

_SPELLINGS = [
    (re.compile(pattern), after)
    for pattern, after in (
        (r"\\\\\[[^\]]*\]|\\cr(?![a-z])", r"\\\\"),  # rows of a matrix with a gap between them
        (r"\\mathrm\{\s*([a-z])\s*\}", r"\1"),
        (r"\\(text|mbox)\s+\{", r"\\\1{"),
        (r"(?<![A-Za-z\\])sqrt\(([^()]*)\)", r"\\sqrt{\1}"),
        (r"(?<![A-Za-z\\])pi(?![A-Za-z])", r"\\pi "),
    )
]


def in_one_spelling(text: str) -> str:
    """A text of the same meaning: plain `pi` and `sqrt(2)` as commands, `\\mathrm{i}` as the letter."""
    for before, after in _SPELLINGS:
        text = before.sub(after, text)
    return text
