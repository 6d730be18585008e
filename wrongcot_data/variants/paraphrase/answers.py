"""Whether two traces of a problem answer the same, be the answer right or wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from wrongcot_data.graders.arithmetic import evaluate, normalise
from wrongcot_data.graders.assertions import read_tests
from wrongcot_data.graders.code import LIMITS
from wrongcot_data.graders.sandbox import CallResult, Job, sandbox
from wrongcot_data.graders.sandbox.values import MalformedError, encode
from wrongcot_data.records import Problem, Verdict
from wrongcot_data.tasks.base import Task, judges_programs


def same_answer(task: Task, problem: Problem, base: Verdict, other: Verdict, completion: str) -> bool:
    """Whether a trace answers as the one that it was made from, both graded by the task.

    | answer | the same if |
    |---|---|
    | graded another grade | never |
    | a wrong program | it fails for the same reason, and every call of the tests gives what the trace's gives |
    | right | always: both equal the reference answer |
    | a wrong expression of Countdown | it has the same value and takes the same numbers |
    | any other wrong answer | the task's grader calls it correct with the trace's answer as the reference answer |

    Args:
        other, completion: verdict and text of the trace that was made.
    """
    if base.grade != other.grade:
        return False
    if base.grade == "correct" or base.answer == other.answer:
        return True
    if judges_programs(task):
        return base.reason == other.reason and _gives(problem, base.answer) == _gives(problem, other.answer)
    if "reference_answer" in problem.data:
        as_base = replace(problem, data={**problem.data, "reference_answer": base.answer})
        return task.grade(as_base, completion, "stop").grade == "correct"
    one, two = (evaluate(normalise(answer)[0]) for answer in (base.answer, other.answer))
    return not one.fault and not two.fault and one.value == two.value and Counter(one.numbers) == Counter(two.numbers)


def _gives(problem: Problem, program: str) -> tuple[str, list[tuple[str, object]]]:
    """What a program does in the sandbox: how the run ended, and what each call of the tests gave."""
    suite = read_tests(tuple(problem.data["tests"]), problem.data["test_setup_code"])
    calls = tuple(call for one in suite.judgements for call in one.calls)
    outcome = sandbox().run(Job(program, suite.setup, calls), LIMITS)
    return outcome.status, [(result.status, _comparable(result)) for result in outcome.results]


def _comparable(result: CallResult) -> object:
    """The value of a call, or the kind of exception: its message may hold names."""
    if result.status != "value":
        return result.detail.partition(":")[0]
    try:
        return encode(result.value)
    except MalformedError:
        return repr(result.value)
