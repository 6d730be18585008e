"""Whether a reply is a step with one mistake: put in the step's place, it is proven wrong, and nothing else is changed.

| refusal | grade | when |
|---|---|---|
| the request failed | error | there is no reply |
| not finished | truncated | the token limit ended it within the step |
| no reply | no_answer | it is empty |
| talk about the step | wrong | it gives the mistake away, or speaks to its reader; a program: a new comment |
| step unchanged | wrong | it is the step, but for white space |
| several changes | wrong | what differs has a word or a sign of equality in it; a program: too little is the same |
| not one statement | wrong | a program: it is no longer the same number of statements, or no program |
| another step changed | wrong | the verdict or the place of another step is another one then |
| not a false step | wrong | the checker does not call it invalid; a program: with it alone changed the tests pass |

The first that applies is given. What differs is all from the first word, number or sign that is another one up to the
last. What proves a step wrong is what the chain asks of every edit. Only the first line of a reply is looked at, of a
longer statement as many as it has: many models go on with a remark or the next step.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from wrongcot_data.receipt import Unspoilt
from wrongcot_data.records import FinishReason, Grade, Verdict
from wrongcot_data.tasks.base import judges_programs
from wrongcot_data.teachers.prompting import question
from wrongcot_data.variants.corrupt.base import Edit, Place, applied, spoilt
from wrongcot_data.variants.corrupt.chain import proven
from wrongcot_data.variants.corrupt.programs import fails, labelled
from wrongcot_data.variants.corrupt.teacher.operator import trimmed
from wrongcot_data.variants.paraphrase.overlap import overlap
from wrongcot_data.variants.paraphrase.talk import talk_in

RULES_VERSION = "corruption-1"
"""Of all that decides whether a reply is accepted; a change of any of it raises it."""

ACCEPTED = "one mistake"
"""Reason of a reply that is what was asked for."""

MIN_SHARED = 0.5
"""Least overlap (ROUGE-L F1 of words and signs) of a changed statement with what it was."""

MAX_LENGTH = 5_000
"""Characters of a reply that is looked at; a longer one is no step."""

GRADES: Mapping[Unspoilt, Grade] = {"the request failed": "error", "not finished": "truncated", "no reply": "no_answer"}
"""Of the refusals that are not `wrong`."""

_GIVEN_AWAY = re.compile(
    r"\b(?:mistak\w*|errors?|erroneous\w*|incorrect\w*|wrong\w*|slips?|typos?|flaw\w*|bugs?|should (?:be|have been))\b"
    r"|\bis not (?:right|correct|true)\b|^\W{0,3}(?:(?:the )?(?:same |changed |new )?(?:step|statement|line))\W{0,3}:",
    re.IGNORECASE | re.MULTILINE,
)
_TOLD = re.compile(r"[=≈]|(?<![\\\w])(?!x\b)[^\W\d]+")
"""A sign of equality, or a word that is neither a LaTeX command nor the sign x."""

_FENCE = re.compile(r"(?:```|~~~)[^\n]*\n")
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "«": "»"}


class Judgement(NamedTuple):
    """What is said of a reply.

    Attributes:
        refusal: why it is not what was asked for; None if it is.
        detail: what was found; may be empty.
        text: how the step reads then.
        sandbox: as that of `Verdict`.
    """

    refusal: Unspoilt | None
    detail: str
    text: str
    sandbox: str = ""


def acceptance(place: Place, reply: str, finish_reason: FinishReason) -> Verdict:
    """The judgement as the verdict of a sample, `correct` if accepted; the answer is how the step reads then."""
    found = judge(place, reply, finish_reason)
    if found.refusal is None:
        return Verdict("correct", ACCEPTED, found.text, sandbox=found.sandbox)
    reason = f"{found.refusal}: {found.detail}" if found.detail else found.refusal
    return Verdict(GRADES.get(found.refusal, "wrong"), reason, found.text, sandbox=found.sandbox)


def judge(place: Place, reply: str, finish_reason: FinishReason) -> Judgement:
    """Whether a reply is the step with one mistake. Never raises, whatever the text."""
    step = place.step.text
    text, is_whole = bare(reply, step)
    if not text:
        return Judgement("no reply", "", text)
    if finish_reason == "length" and not is_whole:
        return Judgement("not finished", "", text)
    said = _talk(place, text)
    if said:
        return Judgement("talk about the step", said, text)
    if len(text) > MAX_LENGTH:
        return Judgement("several changes", "too long", "")
    edit = trimmed(place, text)
    text = spoilt(place, edit)
    if text == step:
        return Judgement("step unchanged", "", text)
    return _program(place, edit, text) if judges_programs(place.task) else _equation(place, edit, text)


def bare(reply: str, step: str) -> tuple[str, bool]:
    """As many lines of a reply as the step has, and whether there are more, which nobody looks at.

    Without what chat models put around it: marks of a fenced block, quotes that the step has not; with the step's full
    stop where only that is missing.
    """
    text = reply.strip()
    fence = _FENCE.match(text)
    lines = text[fence.end() if fence else 0 :].strip().split("\n")
    count = step.count("\n") + 1
    text = "\n".join(lines[:count]).strip()
    closing = _QUOTES.get(text[:1])
    if closing and len(text) > 1 and text.endswith(closing) and not step.startswith(text[0]):
        text = text[1:-1].strip()
    if step.endswith(".") and text and text[-1].isalnum():
        text += "."
    return text, len(lines) > count


def _equation(place: Place, edit: Edit, text: str) -> Judgement:
    (change,) = edit.changes
    told = _TOLD.search(change.text) or _TOLD.search(place.text, change.start, change.end)
    if told:
        return Judgement("several changes", told[0], text)
    after = place.task.steps(place.problem, applied(place.text, edit))
    if len(after) != len(place.steps):
        return Judgement("another step changed", "more or fewer steps", text)
    if after[place.number].verdict != "invalid":
        return Judgement("not a false step", after[place.number].verdict, text)
    if proven(place, after, edit, "") is None:
        return Judgement("another step changed", "", text)
    return Judgement(None, "", text)


def _program(place: Place, edit: Edit, text: str) -> Judgement:
    if overlap(place.step.text, text, program=True) < MIN_SHARED:
        return Judgement("several changes", "", text)
    whole = applied(place.text, edit)
    if labelled(place.task.steps(place.problem, whole), place.steps, []) is None:
        return Judgement("not one statement", "", text)
    verdict = place.task.grade(place.problem, whole, "stop")
    if fails(verdict):
        return Judgement(None, "", text, verdict.sandbox)
    return Judgement("not a false step", verdict.reason, text, verdict.sandbox)


def _talk(place: Place, text: str) -> str:
    """The first words of a reply that give it away, and stand neither in the problem nor in the trace; else empty."""
    known = f"{question(place.task, place.problem)}\n{place.text}"
    said = talk_in(text, known)
    if said:
        return said
    if judges_programs(place.task) and "#" in text and "#" not in place.step.text:
        return text[text.index("#") :]
    there = known.lower()
    return next((found[0] for found in _GIVEN_AWAY.finditer(text) if found[0].lower().strip() not in there), "")
