"""Text from elsewhere, a name, a path or what a program said, made fit to be shown."""

from __future__ import annotations

import re

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """A text with `\ufffd` for what cannot be seen and does something: control characters, marks that turn the order of
    letters round, and halves of characters. Line ends and tabs stay.
    """
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
