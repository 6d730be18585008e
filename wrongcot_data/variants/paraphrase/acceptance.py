"""Whether a rewriting is a paraphrase: the same reasoning to the same answer, in other words. Pure but for the grader.

| refusal | grade | when |
|---|---|---|
| the request failed | error | there is no reply |
| not finished | truncated | the token limit ended it |
| no answer | no_answer | the task's grader can read none |
| answer disputed | disputed | its two graders disagree |
| answer changed | wrong | it is not that of the trace, see `answers` |
| talk about the rewriting | wrong | it speaks of itself or to its reader, see `talk` |
| near copy | wrong | it shares too many words with the trace, see `overlap`; a program: all but its layout |
| unrelated text | wrong | it shares too few |
| not complete | wrong | it has less than `MIN_WORDS` of the trace's words, or `MIN_QUANTITIES` of its quantities |
| not complete | wrong | a result that the answer depends on is only stated, not worked out, see `quantities` |
| quantity missing | wrong | one that the answer depends on is not there, see `quantities` |
| new quantity | wrong | a number is in neither problem nor trace, and no true equation makes it of theirs |
| new false equation | wrong | the step checker calls something false that the trace does not say |

The first that applies is given. A program is judged by running it, so quantities are not looked for in it.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from wrongcot_data.graders import code
from wrongcot_data.graders.programs import Program
from wrongcot_data.graders.syntax import syntax_tree
from wrongcot_data.receipt import Refusal
from wrongcot_data.records import FinishReason, Grade, Problem, Verdict
from wrongcot_data.steps.equations import false_equations
from wrongcot_data.tasks.base import Task, judges_programs
from wrongcot_data.teachers.prompting import question
from wrongcot_data.variants.paraphrase.answers import same_answer
from wrongcot_data.variants.paraphrase.overlap import NEAR_COPY, UNRELATED, n_words, overlap
from wrongcot_data.variants.paraphrase.quantities import (
    answer_quantities,
    missing,
    new,
    not_worked_out,
    quantities,
    values_in,
)
from wrongcot_data.variants.paraphrase.talk import talk_around, talk_in

RULES_VERSION = "paraphrase-3"
"""Of all that decides whether a rewriting is accepted; a change of any of it raises it."""

ACCEPTED = "paraphrase"
"""Reason of a rewriting that is one."""

MIN_WORDS = 0.5
"""Share of the trace's words that a rewriting has at least: a summary is no paraphrase."""

MIN_QUANTITIES = 0.8
"""Share of the trace's distinct quantities that it has at least, be the answer dependent on them or not."""

MAX_LENGTH = 50_000
"""Characters of a rewriting that is looked at; a longer one is unrelated to any trace."""

GRADES: Mapping[Refusal, Grade] = {
    "the request failed": "error",
    "not finished": "truncated",
    "no answer": "no_answer",
    "answer disputed": "disputed",
}
"""Of the refusals that are not `wrong`."""

_UNREADABLE: Mapping[Grade, Refusal] = {grade: refusal for refusal, grade in GRADES.items()}
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True, slots=True)
class Base:
    """The trace that is rewritten: its text, stripped, and the task's verdict on it."""

    text: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is said of a rewriting.

    Attributes:
        refusal: why it is no paraphrase; None if it is one.
        detail: what was found, such as the quantity that is missing; may be empty.
        verdict: the task's own.
        overlap: ROUGE-L F1 with the trace.
    """

    refusal: Refusal | None
    detail: str
    verdict: Verdict
    overlap: float


def judge(task: Task, problem: Problem, base: Base, completion: str, finish_reason: FinishReason) -> Judgement:
    """Whether a completion, stripped, is a paraphrase of a trace. Never raises, whatever the text."""
    text = completion.strip()
    verdict = task.grade(problem, text, finish_reason)
    score = rewriting_overlap(task, base.text, text)
    if verdict.grade in _UNREADABLE:
        return Judgement(_UNREADABLE[verdict.grade], verdict.reason, verdict, score)
    if finish_reason == "length":
        return Judgement("not finished", verdict.reason, verdict, score)
    if not same_answer(task, problem, base.verdict, verdict, text):
        return Judgement("answer changed", verdict.reason, verdict, score)
    if len(text) > MAX_LENGTH:
        return Judgement("unrelated text", "too long", verdict, score)
    refusal, detail = _refusal(task, problem, base, text, score)
    return Judgement(refusal, detail, verdict, score)


def rewriting_overlap(task: Task, base: str, completion: str) -> float:
    """The overlap of a rewriting, stripped, with its trace, cut as suits the task; of its first `MAX_LENGTH` signs."""
    return overlap(base, completion.strip()[:MAX_LENGTH], program=judges_programs(task))


def acceptance(task: Task, problem: Problem, base: Base, completion: str, finish_reason: FinishReason) -> Verdict:
    """The judgement as the verdict of a sample: `correct` is accepted, any other grade says why not."""
    found = judge(task, problem, base, completion, finish_reason)
    if found.refusal is None:
        return Verdict("correct", ACCEPTED, found.verdict.answer, found.verdict.form, found.verdict.sandbox)
    reason = f"{found.refusal}: {found.detail}" if found.detail else found.refusal
    grade = GRADES.get(found.refusal, "wrong")
    return Verdict(grade, reason, found.verdict.answer, found.verdict.form, found.verdict.sandbox)


def _refusal(task: Task, problem: Problem, base: Base, text: str, score: float) -> tuple[Refusal | None, str]:
    """The first thing that a finished rewriting with the right answer lacks, and what was found."""
    program = judges_programs(task)
    known = f"{question(task, problem)}\n{base.text}"
    said = talk_in(text, known) or (_around(problem, base.text, text) if program else "")
    if said:
        return "talk about the rewriting", said
    if score >= NEAR_COPY or (program and _same_program(problem, base.text, text)):
        return "near copy", ""
    if score < UNRELATED:
        return "unrelated text", ""
    if n_words(text) < MIN_WORDS * n_words(base.text):
        return "not complete", ""
    return _wrong_numbers(task, problem, base, text, known, program=program)


def _wrong_numbers(
    task: Task, problem: Problem, base: Base, text: str, known: str, *, program: bool
) -> tuple[Refusal | None, str]:
    """Whether its quantities are those of the trace, and no equation is false that is not false there."""
    if not program:
        lost = missing(answer_quantities(base.text, base.verdict.answer), text)
        if lost:
            return "quantity missing", lost
        there, all_of_them = values_in(text), set(quantities(base.text))
        if sum(1 for one in all_of_them if one & there) < MIN_QUANTITIES * len(all_of_them):
            return "not complete", ""
        stated = not_worked_out(base.text, base.verdict.answer, text)
        if stated:
            return "not complete", f"{stated} is not worked out"
        stray = new(text, known)
        if stray:
            return "new quantity", stray
    false_before = Counter((equation.value, equation.claimed) for equation in false_equations(base.text))
    false_now = {(one.value, one.claimed): one.text for one in false_equations(text)}
    invented = next((said for pair, said in false_now.items() if pair not in false_before), "")
    if invented:
        return "new false equation", invented
    if _n_invalid(task, problem, text) > _n_invalid(task, problem, base.text):
        return "new false equation", "more invalid steps than the trace"
    return None, ""


def _n_invalid(task: Task, problem: Problem, text: str) -> int:
    return sum(step.verdict == "invalid" for step in task.steps(problem, text))


def _around(problem: Problem, base: str, text: str) -> str:
    """Prose around a rewritten program where the trace is a program alone."""
    (before, mine) = (_program(problem, trace) for trace in (base, text))
    if before is None or mine is None or talk_around(base, before.start, before.end):
        return ""
    return talk_around(text, mine.start, mine.end)


def _same_program(problem: Problem, base: str, text: str) -> bool:
    """Whether two programs differ in their layout only: the same syntax tree and the same comments."""
    one, other = (_program(problem, trace) for trace in (base, text))
    if one is None or other is None:
        return False
    if _COMMENT.findall(one.text) != _COMMENT.findall(other.text):
        return False
    try:
        return ast.dump(syntax_tree(one.text)) == ast.dump(syntax_tree(other.text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return one.text.split() == other.text.split()


def _program(problem: Problem, text: str) -> Program | None:
    return code.program_of(problem.data["tests"], problem.data["test_setup_code"], text)
