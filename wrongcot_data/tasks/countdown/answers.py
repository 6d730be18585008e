"""Reads the answer of a completion and judges it.

What is not a legal expression is never `wrong`, only what is: a false "wrong" puts a right trace among the wrong ones,
a false "correct" a wrong one among the right ones. The first reason that applies is given, in this order:

========================== =========== =============================================================
reason                     grade       when
========================== =========== =============================================================
the request failed         error       there is no completion
cut off after its answer   truncated   the token limit ended it behind a closed answer
cut off before an answer   truncated   the token limit ended it before that
answer tag never closed    truncated   and it is not known whether the model had finished
no answer                  no_answer   no `<answer>` tag anywhere
empty answer               no_answer   nothing in the last tag
unparsable answer          no_answer   what is in it is no arithmetic expression
several expressions        no_answer   a chain such as `3 + 4 = 7 + 5 = 12` whose first side is not right
only the target            no_answer   the bare target: the number that was asked for, no expression for it
illegal operation          wrong       anything but `+ - * /` and brackets: powers, `//`, `%`, `!`, functions
illegal number             wrong       decimals, `1e2`, `0x64`, `1_00`, named constants
number not given           wrong       a number that the problem does not have
number used twice          wrong       a number more often than the problem has it
number missing             wrong       a number less often than the problem has it
division by zero           wrong
wrong value                wrong       legal, but not the target; compared exactly
equals the target          correct
========================== =========== =============================================================
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from wrongcot_data.graders.arithmetic import Evaluation, Value, evaluate, normalise
from wrongcot_data.records import FinishReason, Grade, Problem, Verdict

GRADER_VERSION = "countdown-1"

REASONS: dict[str, Grade] = {
    "the request failed": "error",
    "cut off after its answer": "truncated",
    "cut off before an answer": "truncated",
    "answer tag never closed": "truncated",
    "no answer": "no_answer",
    "empty answer": "no_answer",
    "unparsable answer": "no_answer",
    "several expressions": "no_answer",
    "only the target": "no_answer",
    "illegal operation": "wrong",
    "illegal number": "wrong",
    "number not given": "wrong",
    "number used twice": "wrong",
    "number missing": "wrong",
    "division by zero": "wrong",
    "wrong value": "wrong",
    "equals the target": "correct",
}
"""Every reason with its grade, the first that applies first."""

OPEN, CLOSE = "<answer>", "</answer>"


def grade(problem: Problem, completion: str, finish_reason: FinishReason) -> Verdict:
    """Judge a completion: the last `<answer>` tag anywhere wins, may span lines, and text after it is ignored.

    A tag that is never closed counts to the end of the text where the model is known to have finished (`stop`).
    Never raises, whatever the text.
    """
    if finish_reason == "error":
        return _verdict("the request failed")
    start = completion.rfind(OPEN)
    end = completion.find(CLOSE, start) if start >= 0 else -1
    if finish_reason == "length":
        if end < 0:
            return _verdict("cut off before an answer")
        return _verdict("cut off after its answer", completion[start + len(OPEN) : end].strip())
    if start < 0:
        return _verdict("no answer")
    if end < 0 and finish_reason != "stop":
        return _verdict("answer tag never closed")
    answer = completion[start + len(OPEN) : end if end >= 0 else None].strip()
    reason, form = judge(answer, problem.data["nums"], problem.data["target"])
    return Verdict(REASONS[reason], reason, answer, form)


def judge(answer: str, numbers: Sequence[int], target: int) -> tuple[str, str]:
    """Judge the text of an answer.

    In `A = B` the left side is judged, or the first that is an expression where the left is a bare number.

    Returns:
        the reason, and the form where it is not plain: `equation`, and what `normalise` names, joined by `+`.
    """
    text, form = normalise(answer)
    if not text.strip("() "):  # nothing, or an empty box
        return "empty answer", form
    sides = _sides(text)
    if not sides:
        return "unparsable answer", form
    reason = _reason(_judged(sides), numbers, target)
    if "=" not in text:
        return reason, form
    form = f"equation+{form}" if form else "equation"
    if reason == "equals the target":
        return reason, form
    if any(side.fault == "unparsable" for side in sides):
        return "unparsable answer", form
    return ("several expressions" if sum(side.compound for side in sides) > 1 else reason), form


def same(one: str, other: str) -> bool:
    """Whether two answers have the same value, exactly, made of the same numbers; without values, the same text.

    No puzzle's target is looked at: `judge` could not tell such answers apart for any.
    """
    texts = [normalise(answer)[0] for answer in (one, other)]
    here, there = (_judged(sides) if (sides := _sides(text)) else None for text in texts)
    if here is None or there is None or here.fault or there.fault:
        return texts[0].split() == texts[1].split()
    return here.value == there.value and sorted(here.numbers) == sorted(there.numbers)


def _sides(text: str) -> list[Evaluation]:
    """What stands between the equals signs of a normalised answer; one side where there are none."""
    if text.endswith((".", ",", ";")):  # the end of a sentence, not a decimal point
        text = text[:-1]
    return [evaluate(side) for side in text.split("=") if side.strip()]


def _judged(sides: Sequence[Evaluation]) -> Evaluation:
    """The side that is the answer: the first, or the first that is an expression where that one is a bare number."""
    compound = next((side for side in sides if side.compound), None)
    return compound if compound and sides[0].fault != "unparsable" else sides[0]


def _reason(read: Evaluation, numbers: Sequence[int], target: int) -> str:
    """Why an expression is right or wrong."""
    if read.fault and read.fault != "division by zero":
        return "unparsable answer" if read.fault == "unparsable" else read.fault
    if sorted(read.numbers) != sorted(numbers):
        return _numbers_reason(read, numbers, target)
    if read.fault:
        return read.fault
    return "equals the target" if read.value == target else "wrong value"


def _numbers_reason(read: Evaluation, numbers: Sequence[int], target: int) -> str:
    """What is wrong with the numbers that were used."""
    if not read.compound and read.value == target:
        return "only the target"
    if not set(read.numbers) <= set(numbers):
        return "number not given"
    used, given = Counter(read.numbers), Counter[Value](numbers)
    return "number used twice" if any(used[number] > given[number] for number in used) else "number missing"


def _verdict(reason: str, answer: str = "") -> Verdict:
    return Verdict(REASONS[reason], reason, answer)
