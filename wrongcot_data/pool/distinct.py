"""Which traces of a problem count as different: a quota of two wants two traces, not one told twice.

Two traces are the same if at least nine in ten of their runs of three words are shared (Jaccard similarity of word
3-shingles, after Broder 1997, "On the resemblance and containment of documents"). White space, letter case, Markdown
and LaTeX dressing do not count; numbers, operators and brackets do: in a trace of thirty words one other number makes
another trace, in one of three hundred it does not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from wrongcot_data.records import Grade, Sample

SAME = 0.9
"""Share of common shingles from which two traces are one."""

SHINGLE = 3
"""Words in a shingle."""

Wording = frozenset[int]
"""A trace as the sampler remembers it: its shingles as 64-bit hashes."""

_WORD = re.compile(r"\w+(?:[.,]\d+)*|\.\d+|\*\*|[-+*/^=<>%!×÷−·&|~()\[\]{}]")
_BOLD = re.compile(r"(?<![\w)])(\*\*|__)(?=\S)(.+?)(?<=\S)\1(?![\w(])")  # two stars are a power elsewhere
_FRAME = re.compile(r"\\(?:text|mathrm|boxed)\{([^{}]*)\}")
_DRESSING = re.compile(r"`+|\\(?:left|right)\b")


def wording(text: str) -> Wording:
    """The shingles of a trace; of one with fewer than three words, all its words as one shingle."""
    bare = _DRESSING.sub(" ", _FRAME.sub(r" \1 ", _BOLD.sub(r" \2 ", text)))
    words = _WORD.findall(bare.casefold())
    runs = [" ".join(words[start : start + SHINGLE]) for start in range(max(1, len(words) - SHINGLE + 1))]
    return frozenset(_hash(run) for run in runs)


def _hash(run: str) -> int:
    return int.from_bytes(hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def same_trace(one: Wording, other: Wording) -> bool:
    """Whether two traces are duplicates, exact or near."""
    common = len(one & other)
    return common >= SAME * (len(one) + len(other) - common)


def is_new(candidate: Wording, accepted: Iterable[Wording]) -> bool:
    """Whether a trace is none of those that were accepted before it."""
    return not any(same_trace(candidate, known) for known in accepted)


def first_distinct(texts: Sequence[str]) -> list[int]:
    """The numbers of the texts that are not the same trace as an earlier one."""
    kept: list[int] = []
    accepted: list[Wording] = []
    for number, text in enumerate(texts):
        words = wording(text)
        if is_new(words, accepted):
            accepted.append(words)
            kept.append(number)
    return kept


def distinct(samples: Sequence[Sample], grade: Grade) -> list[Sample]:
    """The samples of a grade, in order, without those that are the same trace as an earlier one."""
    graded = [sample for sample in samples if sample.verdict.grade == grade]
    return [graded[number] for number in first_distinct([sample.completion for sample in graded])]
