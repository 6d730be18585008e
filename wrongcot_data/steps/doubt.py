"""Whether an equation is claimed at all, or claimed as exact: what the words around it suppose, ask, deny or round.

Lists of plain English. They err towards silence: a word too many costs a verdict, a word too few may cost a false one.
"""

from __future__ import annotations

import re

from wrongcot_data.graders.arithmetic import Value

_BEFORE = re.compile(
    r"\b(?:if|suppose|supposing|assum\w*|let(?!['’]?s\b| us\b| me\b)|whether|wants?|wanted|need|would|could"
    r"|needs (?:\w+ )?(?:to|that)|needed (?:to|that)"  # but she needs 2 * 16 = 32 eggs
    r"|should|might|cannot|can't|not|isn't|doesn't|don't|never|instead|wrong\w*|incorrect\w*|mistak\w*|claim\w*"
    r"|says?|said|thinks?|thought|wrote|accidentally|error"
    r"|[a-z]+['’]d|require[ds]?|goal|unless|perhaps|define[ds]?|denote[ds]?|otherwise|false)\b|[≠?]|\\neq?\b|~~\Z",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"[^.\n]{0,30}?(?:\?|\bnot\b(?! (?:the target|\$?[0-9]))|n't\b|\bfalse\b|\bincorrect|\bwrong\b|\bimpossible\b"
    r"|\bfails?\b|\buntrue\b|\binvalid\b|\bextraneous\b|\bshould be\b"
    r"|\bno\b(?! (?:one|more|longer))|≠|\\neq?\b|\bunequal)|[^.\n]{0,80}?\bcontradict"
    r"|[-–—.,!)\s]{0,4}(?:but )?(?:(?:wait|oops|hmm+|sorry|actually)\b|no,)",
    re.IGNORECASE,
)
_ROUNDING = re.compile(
    r"\b(?:round\w*|about|approx\w*|nearest|roughly|almost|nearly|whole|floor|ceil\w*|full|complete|at least|at most"
    r"|integers?|estimat\w*|close|around|truncat\w*|remainder|left ?over|remain\w*|extra|decimal)\b"
    r"|[≈~]|\\approx|\\l?floor|\\l?ceil",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;:!?\n]\s|,\s|\\\\|\$\$|\\\[|\b(?:then|so|because)\b")
_SENTENCE = re.compile(r"[.!?]\s|\n")
_PAIR = re.compile(r"(?<![\w.])(-?[0-9]{1,18})\s*=\s*(-?[0-9]{1,18})(?!\w)")
_LOOK = 120


def in_doubt(text: str, start: int, end: int) -> bool:
    """Whether what is written around `text[start:end]` only supposes, asks or denies it."""
    clause = _CLAUSE.split(text[max(0, start - _LOOK) : start])[-1]
    return _BEFORE.search(clause) is not None or _AFTER.match(text, end, end + 100) is not None


def is_refuted(text: str, end: int, value: Value | None, claimed: Value | None) -> bool:
    """Whether what follows says itself what does not hold: `2(2) + 3 = 8, or 7 = 8`."""
    said = _PAIR.finditer(text, end, end + _LOOK)
    return any({int(pair[1]), int(pair[2])} == {value, claimed} for pair in said)


def speaks_of_rounding(text: str, start: int, end: int) -> bool:
    """Whether the sentence of `text[start:end]` has a word of rounding."""
    before = _SENTENCE.split(text[max(0, start - _LOOK) : start])[-1]
    after = rest_of_sentence(text, end, _LOOK)
    return any(_ROUNDING.search(piece) for piece in (before, text[start:end], after))


def rest_of_sentence(text: str, end: int, length: int) -> str:
    """What follows in the same sentence, at most so many characters of it."""
    return _SENTENCE.split(text[end : end + length], maxsplit=1)[0]
