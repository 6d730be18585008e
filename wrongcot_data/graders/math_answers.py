"""Verdicts on mathematical answers: found by rule, compared exactly where they are plain, else by two graders.

Plain numbers and equal texts are decided here, exactly. All else goes to math-verify and to a grader of our own, in a
process that can be killed. Both say equal: `correct`. Both say different: `wrong`. Else `disputed`, which is in no
variant: a false `wrong` would put a right trace among the wrong ones.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib.metadata import version

from wrongcot_data.graders.final_answer import find_answer
from wrongcot_data.graders.plain_numbers import only_number, read_number
from wrongcot_data.graders.workers import WorkerPool
from wrongcot_data.records import FinishReason, Grade, Verdict

GRADER_VERSION = f"math-1+math-verify-{version('math-verify')}"

MAX_ANSWER = 2_000
"""Characters of an answer that is compared."""

_WALL_S = 60.0
"""CPU time decides; this only rescues, from a worker that cannot start for one."""

REASONS: Mapping[str, Grade] = {
    "the request failed": "error",
    "cut off after its answer": "truncated",
    "cut off before an answer": "truncated",
    "no answer": "no_answer",
    "empty answer": "no_answer",
    "unclosed box": "no_answer",
    "answer too long": "no_answer",
    "unreadable answer": "no_answer",
    "same text": "correct",
    "same number": "correct",
    "another number": "wrong",
    "equal by both graders": "correct",
    "different by both graders": "wrong",
    "math-verify: equal; ours: different": "disputed",
    "math-verify: equal; ours: cannot read it": "disputed",
    "math-verify: different; ours: equal": "disputed",
    "math-verify: different; ours: cannot read it": "disputed",
    "math-verify: cannot read it; ours: equal": "disputed",
    "math-verify: cannot read it; ours: different": "disputed",
    "neither grader can read it": "disputed",
    "graders over their limit": "disputed",
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
        guessed = found.fault or found.form == "last number"
        return _verdict("cut off before an answer" if guessed else "cut off after its answer")
    if found.fault:
        return _verdict(found.fault, form=found.form)
    if len(found.text) > MAX_ANSWER:
        return _verdict("answer too long", found.text[:MAX_ANSWER], found.form)
    return _verdict(compare(reference_answer, found.text, plain_only=plain_only), found.text, found.form)


def compare(reference: str, answer: str, *, plain_only: bool = False) -> str:
    """How an answer stands to the reference: one of `REASONS`."""
    if plain_only:
        number, right = only_number(answer), only_number(reference)
        if number is None:
            return "unreadable answer"
        return "same number" if number == right else "another number"
    if "".join(reference.split()) == "".join(answer.split()):
        return "same text"
    right, number = read_number(reference), read_number(answer)
    if right is not None and number is not None:
        return "same number" if right == number else "another number"
    told = _pool().ask(json.dumps([reference, answer]).encode(), _WALL_S)
    if told.fault:
        return "the graders failed" if told.fault == "died" else "graders over their limit"
    theirs, ours = json.loads(told.reply)
    if theirs == ours:
        return "neither grader can read it" if ours == "none" else f"{ours} by both graders"
    return f"math-verify: {_SAID[theirs]}; ours: {_SAID[ours]}"


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
