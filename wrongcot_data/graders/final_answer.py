r"""Where a solution says its final answer. Time linear in the length of the text; never raises.

Of the asked sentence, boxes and hash marks the last one in the text wins; a box inside a closing sentence is that
sentence's answer. A later "final answer" that does not begin with its answer is a remark (`the final answer is rounded
to 2 decimals`). Only without any of them other closing sentences count ("the answer is correct, because ..." often
follows a box): those that begin with a number or a formula before those that hold one, those before the others. Without
any sentence there is only the last number.

| form | where |
|---|---|
| empty | `The final answer is $ANSWER$.`, as the prompts ask |
| `boxed` | `\boxed{...}` or `\fbox{...}`, braces nested; `\boxed 5` |
| `boxes` | several boxes with no more than `and`, `or`, `x =` between them: a list, or one answer in several ways |
| `hash` | `#### ANSWER`, as in GSM8K: a plain number, or the last line; else it is a heading |
| `sentence` | other `answer is ...`, `Answer: ...`, `A: ...`, `<answer>...</answer>`; the asked one without dollars |
| `last number` | the last number of the text, where there is none of the above: shown, and never a verdict |

A box that is never closed is a fault of its own: no number is fished out of it (Math-Verify's closed PR 82).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

from wrongcot_data.graders.plain_numbers import only_number, read_number

_BOX = re.compile(r"\\(?:boxed|fbox)(?![A-Za-z])\s{0,9}")
_ASKED = re.compile(r"the final answer is[ \t]{0,9}:?", re.I)
_CLOSING = re.compile(
    r"\banswers?\b[ \t*]{0,9}(?:(?:is|are|(?:should|will|would|must) be)\b[ \t]{0,9}:?|[:=])|^[ \t]{0,9}A:"
    r"|\bfinal answer of\b|<answer>|^[ \t#*]{0,9}(?:the )?(?:final )?answer[ \t*]{0,9}$",
    re.I | re.M,
)
_HASH = re.compile(r"(?<!#)####(?!#)")
_NUMBER = re.compile(r"(?<![\w.])[-−]?\\?\$?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?%?")
_SENTENCE_END = re.compile(r"\.(?=\s|\Z)|\n|</answer>|<\|")
_REASON = re.compile(r"[,;]?\s+(?:because|since|as|which|where|when|assuming)\b", re.I)
_REMARK = re.compile(r"[,;]?\s+(?:so|if|for)\b|\s+\(", re.I)
"""What may also hold the answer: `she sells 9 eggs for $2 each, so she makes $18`."""
_LEAD_IN = re.compile(
    r"(?:(?:therefore|thus|hence|so|indeed|simply|just|exactly|precisely|clearly|then|now|only|also|obviously|equal to"
    r"|given by|found to be|(?:just |simply )?a total of|that|either)[,:]?\s+){1,3}",
    re.I,
)
_BEGINS = re.compile(r"[-−+([{\\$0-9.|£€*√]|[A-Za-z](?:_\{?\w\}?)?(?:\([a-z]\))?\s*=")
_INNER = r"(?:[^$\\]|\\.){1,3000}"
_SPAN = re.compile(
    rf"(?<!\\)\$\$({_INNER})\$\$|(?<!\\)\$({_INNER})\$|\\\((.{{1,500}}?)\\\)|\\\[(.{{1,500}}?)\\\]", re.S
)
_MONEY = re.compile(r"\$[0-9.,]+ ")
_FORMULA = re.compile(r"[\\=*/^+].*[0-9})A-Za-z]\s*\$", re.S)
_NEXT = re.compile(r"^[ \t*#]{0,9}(?:problem|question|q)[ \t]{0,3}[0-9]{0,3}[ \t*]{0,3}:", re.I | re.M)
_WORD_JOIN = r"(?:and|or|also|as well as|respectively|i\.e\.|that is|not)"
_JOIN = re.compile(
    rf"(?:[\s$,;=≈:()]|\b{_WORD_JOIN}(?![A-Za-z])|\\text\{{[\s,]*(?:and|or)[\s,]*\}}|\\(?:[()\[\],;:! ]|q?quad(?![a-z])"
    r"|approx(?![a-z])|\\)|\b[A-Za-z](?:_\{?\w\}?)?\s*=|^\s*(?:[-*•]|[0-9]{1,2}[.)]|\([a-z0-9]\))\s"
    r"|\b[a-z]{2,12} (?=(?:and|or)\b))*",
    re.M,
)
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
        parts: what each of several boxes or formulas holds; empty for one.
        later: the number of a closing sentence behind a box, hash mark or asked sentence, where it is another one.
    """

    text: str
    form: str = ""
    fault: str = ""
    parts: tuple[str, ...] = ()
    later: str = ""


def find_answer(text: str) -> Found:
    """The final answer of a solution; where a base model goes on with a problem of its own, what stands before that."""
    following = _NEXT.search(text)
    if following:
        found = _find(text[: following.start()])
        if found.text and found.form != "last number":
            return found
    return _find(text)


def _find(text: str) -> Found:
    box, mark = _last(_BOX, text), _last_mark(text)
    asked = _last_asked(text)
    if asked and (box or mark) and not asked.begins:
        asked = None  # a remark: `the final answer is a common one`
    last = max(box.start() if box else -1, asked.at if asked else -1, mark.start() if mark else -1)
    if last < 0:
        return _closing(text) or _last_number(text)
    if box and last == box.start():
        found, end = boxed_answer(text), box.end()
    elif mark and last == mark.start():
        found, end = _stripped(text[mark.end() : mark.end() + _TAIL].split("\n", 1)[0], "hash"), mark.end()
    else:
        assert asked is not None
        found, end = asked.found, asked.at + len("the final answer is")
    return replace(found, later=_later(text, end, found.text)) if found.text else found


def _later(text: str, end: int, said: str) -> str:
    """The number of the last closing sentence behind a place, where it is not the one that was said there."""
    rest = text[max(end, len(text) - _TAIL) :]
    for place in reversed(deque(_CLOSING.finditer(rest), maxlen=_CLOSINGS)):
        told = _sentence(rest, place.end())
        number = only_number(told.found.text) if told.begins else None
        if number is not None:
            return "" if number == only_number(said) else told.found.text
    return ""


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
        inside, after = _inside(text, box.end())
        if inside is not None and not inside.strip() and parts:
            continue  # `put your answer in \boxed{}`
        if box.start() < end or not _joins(text[end : box.start()]):  # of a box in a box the inner one is the answer
            parts.clear()
        end = after
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
    return len(between) <= 40 and bool(between.strip("$ \n")) and _JOIN.fullmatch(between) is not None


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


@dataclass(frozen=True, slots=True)
class _Told:
    """What a closing sentence says, where it stands, and whether it begins with its answer."""

    found: Found
    at: int
    begins: bool


def _last_asked(text: str) -> _Told | None:
    """The last asked sentence that begins with its answer, else the last one that there is."""
    last: _Told | None = None
    for place in reversed(deque(_ASKED.finditer(text), maxlen=_CLOSINGS)):
        told = _sentence(text, place.end())
        told = replace(told, at=place.start())
        if told.begins and told.found.text:
            return told
        last = last or told
    return last


def _closing(text: str) -> Found | None:
    """The last closing sentence that begins with a number or formula, else that holds one, else that holds anything."""
    told = [_sentence(text, place.end()) for place in reversed(deque(_CLOSING.finditer(text), maxlen=_CLOSINGS))]
    found = [
        *(one.found for one in told if one.begins and one.found.text),
        *(one.found for one in told if _CONTENT.search(one.found.text)),
        *(one.found for one in told),
    ]
    return replace(found[0], form="sentence") if found else None


def _sentence(text: str, at: int) -> _Told:
    """The answer in the rest of a closing sentence: `sentence`, or no form where it is in math delimiters alone.

    The formulas of the sentence, where it has any and no number before them; else its words up to a remark.
    """
    rest = text[at : at + _TAIL].lstrip(" \t*:\n")
    lead_in = _LEAD_IN.match(rest)
    rest = rest[lead_in.end() :] if lead_in else rest
    begins = _BEGINS.match(rest) is not None
    parts = _spans(rest)
    if parts:
        plain = rest.startswith(("$", "\\(", "\\[")) and not lead_in
        found = _stripped(", ".join(parts), "" if plain else "sentence")
        return _Told(replace(found, parts=tuple(parts) if len(parts) > 1 else ()), at, begins)
    end = _SENTENCE_END.search(rest)
    words = (rest[: end.start()] if end else rest).strip("* \t")
    for cut, keeps in ((_REASON, False), (_REMARK, True)):
        remark = cut.search(words)
        if (
            remark
            and _CONTENT.search(words[: remark.start()])
            and not (keeps and _CONTENT.search(words[remark.start() :]))
        ):
            words = words[: remark.start()]
    return _Told(_stripped(words.strip("* \t"), "sentence"), at, begins)


def _spans(rest: str) -> list[str]:
    """The first formula of a sentence and those that are one list with it; none where a number stands before it."""
    parts: list[str] = []
    end = 0
    for span in _first_spans(rest):
        between = rest[end : span.start()]
        if parts and not _joins(between):
            break
        if not parts and (_SENTENCE_END.search(between) or re.search(r"[0-9]", between) or len(between) > 80):
            return []
        if _MONEY.match(span[0]) and not _FORMULA.search(span[0]):  # `$5 and $6` is money
            return []
        parts.append(next(group for group in span.groups() if group is not None).strip())
        end = span.end()
    return parts


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
