r"""Where a solution says its final answer. One pass over the text, linear in its length; never raises.

Of the asked sentence, boxes and hash marks the last one in the text wins; a box inside a closing sentence is that
sentence's answer. Only without any of them other closing sentences count ("the answer is correct, because ..." often
follows a box), and only without those the last number.

| form | where |
|---|---|
| empty | `The final answer is $ANSWER$.`, as the prompts ask |
| `boxed` | `\boxed{...}` or `\fbox{...}`, braces nested; `\boxed 5` |
| `hash` | `#### ANSWER`, as in GSM8K |
| `sentence` | any other `answer is ...`, `Answer: ...`, or a line `A: ...` |
| `last number` | the last number of the text, where there is none of the above: a guess, and named so |
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass

_BOX = re.compile(r"\\(?:boxed|fbox)\s*")
_ASKED = re.compile(r"the final answer is[ \t]*:?", re.I)
_CLOSING = re.compile(r"\banswers?\b[ \t*]*(?:(?:is|are)\b[ \t]*:?|[:=])|^[ \t]*A:", re.I | re.M)
_HASH = re.compile(r"####")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\\?\$?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?%?")
_SENTENCE_END = re.compile(r"\.(?=\s|\Z)|\n")
_TAIL = 20_000
"""Characters at the end in which the last number is looked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """A final answer.

    Attributes:
        text: stripped; empty where there is none.
        form: see the table above.
        fault: why there is none: `no answer`, `empty answer`, `unclosed box`; empty otherwise.
    """

    text: str
    form: str = ""
    fault: str = ""


def last_boxed(text: str) -> str | None:
    r"""What the last `\boxed{}` or `\fbox{}` holds; None where there is none, or the last one is not closed."""
    box = _last(_BOX, text)
    return _inside(text, box.end()) if box else None


def _inside(text: str, at: int) -> str | None:
    """The group in braces at a place, or the one token there; None if the braces are not closed."""
    if not text.startswith("{", at):
        token = re.compile(r"\\?[0-9A-Za-z.]+").match(text, at)
        return token[0] if token else None
    depth = 0
    for brace in re.compile(r"\\.|[{}]", re.S).finditer(text, at):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[at + 1 : brace.start()]
    return None


def find_answer(text: str) -> Found:
    """The final answer of a solution."""
    box, asked, mark = (_last(pattern, text) for pattern in (_BOX, _ASKED, _HASH))
    places = [place for place in (box, asked, mark) if place]
    if not places:
        closing = _last(_CLOSING, text)
        return _stripped(_sentence(text, closing.end()), "sentence") if closing else _last_number(text)
    last = max(places, key=lambda place: place.start())
    if box is not None and last is box:
        inside = _inside(text, box.end())
        return Found("", fault="unclosed box") if inside is None else _stripped(inside, "boxed")
    if mark is not None and last is mark:
        return _stripped(text[mark.end() :].split("\n", 1)[0], "hash")
    return _stripped(_sentence(text, last.end()), "")


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = deque(pattern.finditer(text), maxlen=1)
    return found[0] if found else None


def _sentence(text: str, at: int) -> str:
    """The rest of a closing sentence: what its dollar signs hold, or the words up to its end."""
    rest = text[at : at + _TAIL].lstrip(" \t*:\n")
    for opening, ending in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if rest.startswith(opening):
            inner, found, _ = rest[len(opening) :].partition(ending)
            if found and (opening != "$" or not re.match(r"[0-9.,]+ ", inner)):  # `$5 and $6` is money
                return inner
    end = _SENTENCE_END.search(rest)
    return (rest[: end.start()] if end else rest).strip("* \t")


def _stripped(text: str, form: str) -> Found:
    text = text.strip()
    return Found(text, form) if text else Found("", form, "empty answer")


def _last_number(text: str) -> Found:
    numbers = _NUMBER.findall(text[-_TAIL:])
    return Found(numbers[-1], "last number") if numbers else Found("", fault="no answer")
