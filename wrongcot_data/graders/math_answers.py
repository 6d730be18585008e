r"""Verdicts on mathematical answers: found by rule, compared exactly where they are plain, else by two graders.

`final_answer` finds the answer. Plain numbers and equal texts are decided here, exactly. All else goes to math-verify
and to a grader of our own, in a process that can be killed. Both say equal: `correct`. Both say different: `wrong`.
Else `disputed`, which is in no variant: a false `wrong` would put a right trace among the wrong ones.

| reason | grade | when |
|---|---|---|
| the request failed | error | there is no completion |
| cut off after its answer, cut off before an answer | truncated | the token limit ended it |
| box never closed | truncated | and it is not known whether the model had finished |
| no answer, empty answer, unclosed box | no_answer | nothing to read |
| only a last number | no_answer | there is no sentence that gives an answer; the last number is a guess |
| answer too long | no_answer | more than `MAX_ANSWER` characters |
| unreadable answer | no_answer | a sentence of prose; or not one number, where the reference is a plain number |
| same text, same number | correct | but for white space; exactly, unit and currency aside |
| another number | wrong | exactly: 0.333 is not 1/3 |
| another unit | disputed | both sides name a unit and they are not known to be one |
| same number but for a percent sign | disputed | 0.5 and 50 %, where 50 and 50 % are the same |
| equal by both graders, different by both graders | correct, wrong | |
| math-verify: ...; ours: ... | disputed | they differ, or one of them cannot read it |
| neither grader can read it | disputed | |
| too large to compute | disputed | towers of powers and the like, which no grader is given |
| graders over their limit | disputed | the kernel ended them |
| right in one of several boxes | disputed | in the reply or the reference; not the same as a list |
| another number follows | disputed | a sentence behind the answer gives another number, and one of the two is right |
| the graders failed | error | the process died twice of something else |
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from importlib.metadata import version

from wrongcot_data.graders.final_answer import boxed_answer, find_answer
from wrongcot_data.graders.plain_numbers import only_number, read_number, read_quantity
from wrongcot_data.graders.workers import WorkerPool
from wrongcot_data.records import FinishReason, Grade, Verdict

GRADER_VERSION = f"math-1+math-verify-{version('math-verify')}"

MAX_ANSWER = 2_000
"""Characters of an answer that is compared."""

MAX_WORDS = 5
"""Words of a closing sentence that can be an answer; more are a remark (`the answer is positive, as two of the`)."""

_SPACE = re.compile(r"(?<![0-9,])\s+|\s+(?![0-9])")
"""White space that means nothing: not that in `2 1/2`, nor in `1, 234`."""

_NAME = re.compile(
    r"(?:\\(?:angle|text|mathrm|operatorname|overline|mathbf|vec)|[A-Za-z|'\s^]|_(?:\{[^{}]{1,10}\}|\w)|\([^()]{1,10}\)"
    r"|\{[A-Za-z ]{1,20}\}){1,20}="
)
_WORD = re.compile(r"[A-Za-z]{2,}")
_COMMAND = re.compile(r"\\[A-Za-z]+")

_WALL_S = 60.0
"""CPU time decides; this only rescues, from a worker that cannot start for one."""

REASONS: Mapping[str, Grade] = {
    "the request failed": "error",
    "cut off after its answer": "truncated",
    "cut off before an answer": "truncated",
    "box never closed": "truncated",
    "no answer": "no_answer",
    "empty answer": "no_answer",
    "unclosed box": "no_answer",
    "only a last number": "no_answer",
    "answer too long": "no_answer",
    "unreadable answer": "no_answer",
    "same text": "correct",
    "same number": "correct",
    "another number": "wrong",
    "another unit": "disputed",
    "same number but for a percent sign": "disputed",
    "equal by both graders": "correct",
    "different by both graders": "wrong",
    "math-verify: equal; ours: different": "disputed",
    "math-verify: equal; ours: cannot read it": "disputed",
    "math-verify: different; ours: equal": "disputed",
    "math-verify: different; ours: cannot read it": "disputed",
    "math-verify: cannot read it; ours: equal": "disputed",
    "math-verify: cannot read it; ours: different": "disputed",
    "neither grader can read it": "disputed",
    "too large to compute": "disputed",
    "graders over their limit": "disputed",
    "right in one of several boxes": "disputed",
    "another number follows": "disputed",
    "the graders failed": "error",
}
"""All reasons with their grades."""

_SAID = {"equal": "equal", "different": "different", "none": "cannot read it"}


def grade(reference_answer: str, completion: str, finish_reason: FinishReason, *, plain_only: bool = False) -> Verdict:
    """Judge the final answer of a completion. Never raises; any number of threads may call it.

    Args:
        plain_only: the reference is a plain number, so an answer without one number in it is unreadable and nothing
            goes to the graders.
    """
    if finish_reason == "error":
        return _verdict("the request failed")
    found = find_answer(completion)
    if finish_reason == "length":
        if found.fault or found.form == "last number":
            return _verdict("cut off before an answer")
        return _verdict("cut off after its answer", found.text[:MAX_ANSWER], found.form)
    if found.fault == "unclosed box" and finish_reason != "stop":
        return _verdict("box never closed")
    if found.fault:
        return _verdict(found.fault, form=found.form)
    if len(found.text) > MAX_ANSWER:
        return _verdict("answer too long", found.text[:MAX_ANSWER], found.form)
    if found.form == "last number":
        return _verdict("only a last number", found.text, found.form)
    wanted = boxed_answer(reference_answer)
    reference = wanted.text or reference_answer
    if found.form == "sentence" and read_number(reference) is not None:
        plain_only = True  # words around a number, which no grader of formulas reads
    words = len(_WORD.findall(_COMMAND.sub("", found.text))) if found.form == "sentence" else 0
    if words > MAX_WORDS and not (plain_only and only_number(found.text) is not None):
        return _verdict("unreadable answer", found.text, found.form)
    reason = compare(reference, found.text, plain_only=plain_only)
    if (found.parts or wanted.parts) and REASONS[reason] != "correct":
        rights = wanted.parts or (reference,)
        reason = _of_boxes(rights, found.parts or (found.text,), reason, plain_only=plain_only)
    if found.later:
        later = compare(reference, found.later, plain_only=plain_only)
        if "correct" in (REASONS[reason], REASONS[later]) and REASONS[reason] != REASONS[later]:
            reason = "another number follows"
    return _verdict(reason, found.text, found.form)


def _of_boxes(rights: Sequence[str], given: Sequence[str], as_list: str, *, plain_only: bool) -> str:
    """The reason for boxes that are not right as a list.

    Several boxes may say one thing in several ways, of which each is right, or be one list, of which all are asked for;
    which of them is not known where only some are equal.
    """
    reasons = [compare(right, one, plain_only=plain_only) for right in rights for one in given]
    equal = [reason for reason in reasons if REASONS[reason] == "correct"]
    if not equal:
        return as_list
    return equal[0] if len(equal) == len(reasons) else "right in one of several boxes"


def compare(reference: str, answer: str, *, plain_only: bool = False) -> str:
    """How an answer stands to the reference: one of `REASONS`."""
    if plain_only:
        number, right = only_number(answer), only_number(reference)
        if number is None:
            return "unreadable answer"
        if number == right:
            return "same number"
        return _another(number, right, percent=("%" in answer, "%" in reference))
    if reference.split() == answer.split():
        return "same text"
    there, here = read_quantity(reference), read_quantity(answer)
    if there and here:
        if there.unit and here.unit and there.unit != here.unit:
            return "another unit"
        if there.value == here.value:
            return "same number"
        return _another(here.value, there.value, percent=(here.unit == "%", there.unit == "%"))
    if _SPACE.sub("", reference) == _SPACE.sub("", answer):
        return "same text"
    told = _pool().ask(json.dumps([_unnamed(reference, answer), _unnamed(answer, reference)]).encode(), _WALL_S)
    if told.fault:
        return "the graders failed" if told.fault == "died" else "graders over their limit"
    theirs, ours = json.loads(told.reply)
    if ours == "too large":
        return "too large to compute"
    if theirs == ours:
        return "neither grader can read it" if ours == "none" else f"{ours} by both graders"
    return f"math-verify: {_SAID[theirs]}; ours: {_SAID[ours]}"


def _another(number: Fraction, right: Fraction | None, *, percent: tuple[bool, bool]) -> str:
    """The reason for two numbers that are not the same, given which of them has a percent sign."""
    if right is not None and percent[0] != percent[1]:
        scaled = number / 100 if percent[0] else number * 100
        if scaled == right:
            return "same number but for a percent sign"
    return "another number"


def _unnamed(text: str, other: str) -> str:
    r"""An answer without the name before its `=`, such as `AB = ` or `P(A) = `, where the other one has none either."""
    name = _NAME.match(text)
    return text[name.end() :] if name and "=" not in other and text.count("=") == 1 else text


def _verdict(reason: str, answer: str = "", form: str = "") -> Verdict:
    return Verdict(REASONS[reason], reason, answer, form)


@cache
def _pool() -> WorkerPool:
    return WorkerPool(_start_worker)


def _start_worker() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "wrongcot_data.graders.math_worker"]
    return subprocess.Popen(  # noqa: S603  our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
