"""Talk: words about the rewriting, to the reader or around a program, that belong to no trace."""

from __future__ import annotations

import re

_TALK = re.compile(
    r"\b(?:paraphras\w*|re-?writ(?:e[sd]?|ing|ten)|rewrote|rephras\w*|re-?word(?:s|ed|ing)?|reformulat\w*)\b"
    r"|\b(?:in|using|with) (?:my|your|our|other|different|new) (?:own )?words\b"
    r"|\b(?:original|given|above|previous|provided|following)"
    r" (?:solution|text|trace|answer|explanation|program|code|version)\b"
    r"|\bhere(?:'s| is| are|’s) (?:the|a|an|my|your|one|another)\b[^.\n]{0,40}"
    r"\b(?:solution|version|text|answer|explanation|program|code)\b"
    r"|^\W{0,3}(?:sure|certainly|of course|absolutely)\s?[!,.]|\bas an? (?:ai|language model)\b|\bi hope this\b"
    r"|\blet me know if\b|\bfeel free to\b"
    r"|\bthe same (?:solution|program) (?:written )?in (?:other words|another way)\b"
    r"|^\W{0,3}(?:problem|question|solution|rewriting|program|my version|note|instruction)s?\W{0,3}:",
    re.IGNORECASE | re.MULTILINE,
)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*$", re.MULTILINE)


def talk_in(text: str, known: str) -> str:
    """The first words of a text that talk about it or its reader, and do not stand in what is known; else empty.

    Args:
        known: problem and trace, whose own words are no talk: a person of a problem may rewrite three pages.
    """
    there = known.lower()
    return next((match[0] for match in _TALK.finditer(text) if match[0].lower().strip() not in there), "")


def talk_around(text: str, start: int, end: int) -> str:
    """What stands around the program `text[start:end]` but the marks of a fenced block; empty where nothing does."""
    around = _FENCE.sub("", f"{text[:start]}\n{text[end:]}").strip()
    return around.splitlines()[0] if around else ""
