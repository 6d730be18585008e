r"""Where a solution says its final answer. Time linear in the length of the text; never raises.

Of the asked sentence, boxes and hash marks the last one in the text wins; a box inside a closing sentence is that
sentence's answer. Only without any of them other closing sentences count ("the answer is correct, because ..." often
follows a box), those with a number or a formula in them before the others, and only without those the last number.

| form | where |
|---|---|
| empty | `The final answer is $ANSWER$.`, as the prompts ask |
| `boxed` | `\boxed{...}` or `\fbox{...}`, braces nested; `\boxed 5` |
| `boxes` | several boxes with nothing but `and`, `or` or a comma between them: one answer, a list |
| `hash` | `#### ANSWER`, as in GSM8K: a plain number, or the last line; else it is a heading |
| `sentence` | any other `answer is ...`, `Answer: ...`, a line `A: ...`; the asked sentence without dollar signs |
| `last number` | the last number of the text, where there is none of the above: shown, and never a verdict |

A box that is never closed is a fault of its own: no number is fished out of it (Math-Verify's closed PR 82).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from wrongcot_data.graders.plain_numbers import read_number

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s{0,9}")
_ASKED = re.compile(r"the final answer is[ \t]{0,9}:?", re.I)
_CLOSING = re.compile(r"\banswers?\b[ \t*]{0,9}(?:(?:is|are)\b[ \t]{0,9}:?|[:=])|^[ \t]{0,9}A:", re.I | re.M)
_HASH = re.compile(r"(?<!#)####(?!#)")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\\?\$?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?%?")
_SENTENCE_END = re.compile(r"\.(?=\s|\Z)|\n")
_REMARK = re.compile(r"[,;]?\s+(?:because|since|as|so|which|where|when|if|for|assuming)\b|\s+\(", re.I)
_SPAN = re.compile(r"\$\$([^$]{1,3000})\$\$|\$([^$]{1,3000})\$|\\\((.{1,500}?)\\\)|\\\[(.{1,500}?)\\\]", re.S)
_MONEY = re.compile(r"\$[0-9.,]+ ")
_JOIN = re.compile(r"(?:[\s$,;]|and\b|or\b|\\text\{[\s,]*(?:and|or)\s*\}|\\[()])*")
_CONTENT = re.compile(r"[0-9\\]")
_TOKEN = re.compile(r"\\?[0-9A-Za-z.]+")
_BRACE = re.compile(r"\\.|[{}]", re.S)

_TAIL = 20_000
"""Characters of the end in which the last number is looked for, and of a sentence or a box."""

_CLOSINGS = 20
"""Closing sentences that are looked at, from the last."""

_BOXES = 10
"""Boxes or formulas that make one list."""


@dataclass(frozen=True, slots=True)
class Found:
    """A final answer.

    Attributes:
        text: stripped; empty where there is none.
        form: see the table above.
        fault: why there is none: `no answer`, `empty answer`, `unclosed box`; empty otherwise.
        parts: what each of several boxes holds; empty for one box and for other forms.
    """

    text: str
    form: str = ""
    fault: str = ""
    parts: tuple[str, ...] = ()


def find_answer(text: str) -> Found:
    """The final answer of a solution."""
    box, asked, mark = _last(_BOX, text), _last(_ASKED, text), _last_mark(text)
    told, plain = _sentence(text, asked.end()) if asked else ("", False)
    if asked and (box or mark) and not plain and not _CONTENT.search(told):
        asked = None  # a remark: `the final answer is a common one`
    places = [place for place in (box, asked, mark) if place]
    if not places:
        return _closing(text) or _last_number(text)
    last = max(places, key=lambda place: place.start())
    if last is box:
        return boxed_answer(text)
    if last is mark:
        return _stripped(text[mark.end() : mark.end() + _TAIL].split("\n", 1)[0], "hash")
    return _stripped(told, "" if plain else "sentence")


def _inside(text: str, at: int) -> tuple[str | None, int]:
    """The group in braces at a place, or the one token there, and where it ends; None if the braces are not closed.

    Braces that are closed beyond `_TAIL` characters count as not closed: that many are no answer.
    """
    if not text.startswith("{", at):
        token = _TOKEN.match(text, at)
        return (token[0].rstrip("."), token.end()) if token else (None, at)
    depth = 0
    for brace in _BRACE.finditer(text, at, at + _TAIL):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[at + 1 : brace.start()], brace.end()
    return None, len(text)


def boxed_answer(text: str) -> Found:
    """What the last box holds, and those before it that are one list with it."""
    if not _BOX.search(text):
        return Found("", fault="no answer")
    parts: list[str] = []
    end = 0
    for box in deque(_BOX.finditer(text), maxlen=_BOXES):
        if box.start() < end or not _joins(text[end : box.start()]):  # of a box in a box the inner one is the answer
            parts.clear()
        inside, end = _inside(text, box.end())
        if inside is None:
            parts.clear()
        else:
            parts.append(inside.strip())
    if not parts:
        return Found("", fault="unclosed box")
    if len(parts) == 1 or len(set(parts)) == 1:
        return _stripped(parts[-1], "boxed")
    return Found(", ".join(parts), "boxes", parts=tuple(parts))


def _joins(between: str) -> bool:
    """Whether what stands between two boxes or formulas makes them one list."""
    return len(between) <= 20 and bool(between.strip("$ \n")) and _JOIN.fullmatch(between) is not None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = deque(pattern.finditer(text), maxlen=1)
    return found[0] if found else None


def _last_mark(text: str) -> re.Match[str] | None:
    """The last hash mark, unless it heads a section: then it is followed by words, and those by more lines."""
    mark = _last(_HASH, text)
    if mark is None:
        return None
    line, _, rest = text[mark.end() : mark.end() + _TAIL].partition("\n")
    return mark if not rest.strip() or read_number(line) is not None else None


def _closing(text: str) -> Found | None:
    """The last closing sentence that holds a number or a formula, else the last one that holds anything."""
    found: list[Found] = []
    for place in reversed(deque(_CLOSING.finditer(text), maxlen=_CLOSINGS)):
        told = _stripped(_sentence(text, place.end())[0], "sentence")
        if _CONTENT.search(told.text):
            return told
        found.append(told)
    return found[0] if found else None


def _sentence(text: str, at: int) -> tuple[str, bool]:
    """The answer in the rest of a closing sentence, and whether it stands there in math delimiters and nothing else.

    The formulas of the sentence, where it has any and no number before them; else its words up to a remark.
    """
    rest = text[at : at + _TAIL].lstrip(" \t*:\n")
    spans = _spans(rest)
    if spans:
        return spans, rest.startswith(("$", "\\(", "\\["))
    end = _SENTENCE_END.search(rest)
    words = (rest[: end.start()] if end else rest).strip("* \t")
    remark = _REMARK.search(words)
    return (words[: remark.start()] if remark else words).strip("* \t"), False


def _spans(rest: str) -> str:
    """The first formula of a sentence and those that are one list with it; empty where there is none."""
    parts: list[str] = []
    end = 0
    for span in _first_spans(rest):
        between = rest[end : span.start()]
        if parts and not _joins(between):
            break
        if not parts and (_SENTENCE_END.search(between) or re.search(r"[0-9]", between) or len(between) > 80):
            return ""
        if _MONEY.match(span[0]):  # `$5 and $6` is money
            return ""
        parts.append(next(group for group in span.groups() if group is not None).strip())
        end = span.end()
    return ", ".join(parts)


def _first_spans(rest: str) -> Iterator[re.Match[str]]:
    for number, span in enumerate(_SPAN.finditer(rest)):
        if number >= _BOXES:
            return
        yield span


def _stripped(text: str, form: str) -> Found:
    text = text.strip()
    return Found(text, form) if text.strip("$ ") else Found("", form, "empty answer")


def _last_number(text: str) -> Found:
    numbers = _NUMBER.findall(text[-_TAIL:])
    return Found(numbers[-1], "last number") if numbers else Found("", fault="no answer")
