"""How much of a trace's wording another one shares: ROUGE-L F1 (Lin 2004), and the two bounds of a paraphrase.

The score is the harmonic mean of two shares: of either text's words, those in the longest common subsequence. Words are
runs of letters and digits in lower case, as in the reference implementation without stemming. A program is cut into all
its signs instead, and case counts in it: `i` and `I` are two names. White space never counts.

No library is asked: none that has ROUGE is among the project's, and the longest common subsequence is eight lines
(bit-parallel, after Hyyrö 2004: a machine word of the one text at a time for each word of the other).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

NEAR_COPY = 0.9
"""From here on a text is a near copy: one word in ten is other or moved, as when a trace is only tidied up."""

UNRELATED = 0.2
"""Below it a text has no more to do with a trace than a solution of another problem has; see docs/paraphrase.md."""

PLACES = 4
"""Decimals of a score, as it stands in a row."""

_WORD = re.compile(r"[^\W_]+")
_SIGN = re.compile(r"\w+|[^\w\s]")


def overlap(one: str, other: str, *, program: bool = False) -> float:
    """ROUGE-L F1 of two texts, 0 to 1, rounded to `PLACES`; 0 where one has no words. Never raises."""
    left, right = _cut(one, program=program), _cut(other, program=program)
    if not left or not right:
        return 0.0
    return round(2 * common_subsequence(left, right) / (len(left) + len(right)), PLACES)


def n_words(text: str) -> int:
    """Words of a text, as the score counts them."""
    return len(_WORD.findall(text))


def common_subsequence(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence. Time in proportion to both lengths, the first one's by 64ths."""
    places: defaultdict[str, int] = defaultdict(int)
    for place, word in enumerate(one):
        places[word] |= 1 << place
    full = (1 << len(one)) - 1
    unmatched = full
    for word in other:
        matched = unmatched & places.get(word, 0)
        unmatched = ((unmatched + matched) | (unmatched - matched)) & full
    return len(one) - unmatched.bit_count()


def _cut(text: str, *, program: bool) -> list[str]:
    return _SIGN.findall(text) if program else [word.lower() for word in _WORD.findall(text)]
