"""Verdicts on programs: values come out of the sandbox, and are held against the assertions outside it.

A program is `wrong` if it runs and an assertion does not hold: finished, answered, wrong. One that is no Python is
`no_answer`: a text that cannot be read is not a wrong answer. Exit codes and printed words are never evidence; a value
that does not come is a failure. What is not the program's doing, such as an assertion that only the program's own
process could judge, is `error`: never passed, and never held against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from wrongcot_data.graders.assertions import Judgement, Suite, literal, read_tests
from wrongcot_data.graders.programs import MAX_PROGRAM, Program, find_program
from wrongcot_data.graders.sandbox import CallResult, Job, Limits, Outcome, Sandbox, sandbox
from wrongcot_data.graders.sandbox.values import MalformedError, encode
from wrongcot_data.records import FinishReason, Grade, Verdict

GRADER_VERSION = "code-1"

REASONS: Mapping[str, Grade] = {
    "the request failed": "error",
    "cut off after its program": "truncated",
    "cut off in its program": "truncated",
    "cut off before a program": "truncated",
    "fence never closed": "truncated",
    "no program": "no_answer",
    "program too long": "no_answer",
    "syntax error": "no_answer",
    "the sandbox failed": "error",
    "setup failed by itself": "error",
    "program raised": "wrong",
    "setup raised": "wrong",
    "time-out": "wrong",
    "out of memory": "wrong",
    "exited": "wrong",
    "killed": "wrong",
    "function not defined": "wrong",
    "failed assertion": "wrong",
    "raised in assertion": "wrong",
    "unserialisable value in assertion": "wrong",
    "time-out in assertion": "wrong",
    "out of memory in assertion": "wrong",
    "exited in assertion": "wrong",
    "killed in assertion": "wrong",
    "cannot judge assertion": "error",
    "passes every assertion": "correct",
}
"""All reasons with their grades; those with `assertion` are followed by its number, from 1: the first that fails."""

LIMITS = Limits(cpu_s=10.0)
"""Of all assertions of a problem. The slowest human program of MBPP takes 4 s on a slow core (task 123); most 1 ms."""

Fate = Literal["holds", "fails", "timeout", "memory", "unknown"]
"""Of an assertion over the values of a program."""

_STATUS = {"timeout": "time-out", "memory": "out of memory", "exited": "exited", "killed": "killed"}
_MISSING = "function not defined"
_UNDEFINED = re.compile(r"NameError: name '(\w+)' is not defined")


def grade(
    tests: Sequence[str], setup: str, completion: str, finish_reason: FinishReason, limits: Limits = LIMITS
) -> Verdict:
    """Run the program of a completion and judge it by assertions. Never raises but where there is no sandbox.

    Args:
        tests: each one assertion; the first that fails is named.
        setup: runs after the program, in its names.
        limits: of all calls together.

    Raises:
        Unavailable: no layer of the sandbox holds on this machine.
    """
    if finish_reason == "error":
        return _verdict("the request failed")
    suite = read_tests(tuple(tests), setup)
    program = find_program(completion, suite.wanted)
    if finish_reason == "length":
        return _cut_off(program)
    if program is None:
        return _verdict("no program")
    if finish_reason != "stop" and program.how != "raw" and not program.closed:
        return _verdict("fence never closed")
    if len(program.text) > MAX_PROGRAM:
        return _verdict("program too long", program.text[:MAX_PROGRAM])
    jail = sandbox()
    calls = tuple(call for one in suite.judgements for call in one.calls)
    outcome = jail.run(Job(program.source, suite.setup, calls), limits)
    if outcome.status == "raised" and suite.setup:
        reason = _who_raised(suite, program.source, jail, limits)
    else:
        reason = _reason(suite, program.source, outcome, jail, limits)
    return _verdict(reason, program.text, outcome.level)


def program_of(tests: Sequence[str], setup: str, completion: str) -> Program | None:
    """The program that `grade` reads in a completion; None where there is none."""
    return find_program(completion, read_tests(tuple(tests), setup).wanted)


def _cut_off(program: Program | None) -> Verdict:
    """What is said of a reply that the token limit ended: only a closed block is known to be whole."""
    if program is None:
        return _verdict("cut off before a program")
    if program.closed:
        return _verdict("cut off after its program", program.text)
    return _verdict("cut off in its program")


def _verdict(reason: str, answer: str = "", level: str = "") -> Verdict:
    plain = reason.rstrip("0123456789").strip()
    return Verdict(REASONS[plain], reason, answer.strip(), sandbox=level)


def _who_raised(suite: Suite, source: str, jail: Sandbox, limits: Limits) -> str:
    """Whether program or setup raised, and whether the setup would have without the program."""
    if jail.run(Job(source), limits).status != "done":
        return "program raised"
    alone = suite.setup_alone and jail.run(Job("", suite.setup), limits).status == "raised"
    return "setup failed by itself" if alone else "setup raised"


def _reason(suite: Suite, source: str, outcome: Outcome, jail: Sandbox, limits: Limits) -> str:
    """Why a program that was run is right or wrong."""
    if outcome.status == "harness error":
        return "the sandbox failed"
    if outcome.status == "syntax":
        return "syntax error"
    if outcome.status == "raised":
        return "program raised"
    if outcome.status != "done" and not outcome.ran:
        return _STATUS[outcome.status]
    fates = _judged(suite, outcome.results, jail, limits)
    unsettled = _unsettled(suite, source, outcome, jail, limits)
    unjudged = 0
    at = 0
    for number, one in enumerate(suite.judgements, start=1):
        results = outcome.results[at : at + len(one.calls)]
        at += len(one.calls)
        at_fault = _without_value(results, one)
        if at_fault is not None:
            failure = _failure(results[at_fault], one, outcome)
            return failure if failure == _MISSING else f"{failure} {number}"
        statuses = {result.status for result in results}
        if "not reached" in statuses:  # had that call been skipped, all that follows might hold
            return f"cannot judge assertion {number}"
        if number - 1 in unsettled or not _can_be_judged(results, one):
            unjudged = unjudged or number
        elif fates[number - 1] != "holds":
            return _broken(fates[number - 1], number)
    if not suite.judgements:
        return "cannot judge assertion 1"
    return f"cannot judge assertion {unjudged}" if unjudged else "passes every assertion"


def _without_value(results: Sequence[CallResult], one: Judgement) -> int | None:
    """The first call that gave no value although the assertion needs it; None where there is none, or none is known."""
    for index, result in enumerate(results):
        if result.status == "unserialisable" and not one.expected:  # an object may be right; only inside could one tell
            continue
        if result.status != "value" and index not in one.skippable:
            return index
        if result.status == "not reached":
            return None
    return None


def _unsettled(suite: Suite, source: str, outcome: Outcome, jail: Sandbox, limits: Limits) -> set[int]:
    """The assertions whose values may differ in plain Python, which skips calls, and sees one object after all calls.

    Where an assertion has several calls, all is run again: without what may be skipped, and the values of an assertion
    told together. A program that remembers nothing tells the same.
    """
    if outcome.status != "done" or all(len(one.calls) < 2 for one in suite.judgements):
        return set()
    kept = [[at for at in range(len(one.calls)) if at not in one.skippable] for one in suite.judgements]
    together = (
        "(" + "".join(f"{one.calls[at]}, " for at in mine) + ")"
        for one, mine in zip(suite.judgements, kept, strict=True)
    )
    again = jail.run(Job(source, suite.setup, tuple(together)), limits)
    found: set[int] = set()
    first = 0
    for number, (one, mine, told) in enumerate(zip(suite.judgements, kept, again.results, strict=True)):
        results = [outcome.results[first + at] for at in mine]
        first += len(one.calls)
        if all(result.status == "value" for result in results):
            before = encode(tuple(result.value for result in results))
            if told.status != "value" or encode(told.value) != before:
                found.add(number)
    return found


def _can_be_judged(results: Sequence[CallResult], one: Judgement) -> bool:
    """Whether all values are here, and stand for what they were in all that is asked of them."""
    if one.fault or any(result.status != "value" for result in results):
        return False
    return bool(one.expected) or one.asks_truth or all(result.exact for result in results)


def _failure(result: CallResult, one: Judgement, outcome: Outcome) -> str:
    """Why a call gave no value; its assertion's number is to follow."""
    if result.status == "raised":
        missing = _UNDEFINED.match(result.detail)
        undefined = missing and any(call.lstrip("[*").startswith(f"{missing[1]}(") for call in one.calls)
        return _MISSING if undefined else "raised in assertion"
    if result.status == "unserialisable":
        return "unserialisable value in assertion"
    return f"{_STATUS[outcome.status]} in assertion"


def _broken(fate: Fate, number: int) -> str:
    """The reason for an assertion that does not hold. One that takes too long over the program's value is no better."""
    if fate == "unknown":
        return "the sandbox failed"
    return f"failed assertion {number}" if fate == "fails" else f"{_STATUS[fate]} in assertion {number}"


def _judged(suite: Suite, results: Sequence[CallResult], jail: Sandbox, limits: Limits) -> list[Fate]:
    """What becomes of each assertion; `unknown` where the judge itself failed or there was nothing to judge."""
    fates: list[Fate] = []
    waiting: list[tuple[int, Judgement]] = []
    given: dict[str, object] = {}
    at = 0
    for number, one in enumerate(suite.judgements):
        mine = results[at : at + len(one.calls)]
        at += len(one.calls)
        fates.append("unknown")
        if not _can_be_judged(mine, one):
            continue
        if one.expected:
            fates[number] = "holds" if _equal(mine[0].value, one.expected) else "fails"
        else:
            waiting.append((number, one))
            given |= zip(one.names, (result.value for result in mine), strict=True)
    if waiting:
        asked = tuple(f"bool({one.expression})" for _, one in waiting)
        try:
            told = jail.judge(suite.judge_source, asked, given, limits)
        except MalformedError:
            return fates
        for (number, _), result in zip(waiting, told.results, strict=True):
            if result.status == "not reached":
                if told.ran and (told.status == "timeout" or told.status == "memory"):  # noqa: PLR1714
                    fates[number] = told.status
                break
            fates[number] = "holds" if result.value is True else "fails"  # what raises fails, as in the assertion
    return fates


def _equal(value: object, expected: str) -> bool:
    """What `==` says of a plain value and a literal, as the assertion would have it."""
    try:
        return bool(value == literal(expected))
    except (ArithmeticError, RecursionError, TypeError, ValueError):  # a signalling NaN: it would raise there too
        return False
