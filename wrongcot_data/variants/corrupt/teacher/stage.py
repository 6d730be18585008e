"""The stage of a build that has a model make mistakes in steps of correct traces.

A model is asked about no more steps than the chains come to: first about as many of each trace as its highest level
takes, and about the others only where some of those could not be spoilt. Of a program it is asked about every
statement at once, since how many of them can be made wrong is what its levels are counted by.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wrongcot_data.filling import Report
from wrongcot_data.plan import Plan, Writer
from wrongcot_data.pool.budget import Budget
from wrongcot_data.pool.journal import Journal
from wrongcot_data.records import Trace
from wrongcot_data.tasks.base import judges_programs
from wrongcot_data.variants.corrupt.base import Place
from wrongcot_data.variants.corrupt.levels import wanted
from wrongcot_data.variants.corrupt.rows import bases, chain_of, element_of, rules_of
from wrongcot_data.variants.corrupt.teacher.operator import Told, accepted, asking
from wrongcot_data.variants.corrupt.teacher.spoiling import Spoiling, askable
from wrongcot_data.variants.pooled import CORRUPT_SAMPLES, Pooled
from wrongcot_data.variants.stages import Done, Question, Round, Stage, answers, put, staged

Replies = dict[str, Sequence[str]]
"""The accepted replies about the steps of a trace, by the text of the step."""


def prepare(plan: Plan, teacher: Writer) -> Stage:
    """The stage of a build.

    Raises:
        WrongcotError: the teacher cannot be had here.
    """
    own, source, origin = staged(plan, teacher, Spoiling(plan.task), 1)
    return Stage(CORRUPT_SAMPLES, plan.spec.corrupt.base, "teacher", own, source, origin, spoil)


def spoil(stage: Stage, pool: Iterable[Pooled], journal: Journal, budget: Budget, report: Report) -> Done:
    """Have mistakes made in traces of a filled pool and store every reply with its verdict.

    Args:
        budget: what the stages before it have left.
    """
    spoiling, spec = stage.plan.task, stage.plan.spec
    assert isinstance(spoiling, Spoiling)
    count = 1 if spec.corrupt.base == "reference" else spec.per_problem
    traces = [base for pooled in pool for base in bases(spec.corrupt, pooled, count)]
    replies: list[Replies] = [{} for _ in traces]
    rounds: list[Round] = []
    while not (rounds and rounds[-1].stopped):
        questions = [
            Question(place, base, spoiling.of_step(base, number), number)
            for place, base in enumerate(traces)
            for number in due(stage.plan, spoiling, base, replies[place])
        ]
        if not questions:
            break
        rounds.append(put(stage, questions, journal, budget, report))
        budget = budget.after(rounds[-1].n_charged)
        for place, asked in answers(stage, rounds[-1], journal):
            replies[place][asked.base.steps[asked.step].text] = accepted(asked)
    return Done(stage, rounds, journal)


def due(plan: Plan, spoiling: Spoiling, base: Trace, replies: Replies) -> list[int]:
    """The steps of a trace that a model is to be asked about next, given its replies; pure but for the grader.

    Its chain is made of the replies that there are, and the steps that it looked for in vain are due: at first as many
    as it then lacks, so that none is asked about in vain if each can be spoilt; later all of them.
    """
    task, spec = spoiling.task, plan.spec.corrupt
    top, program = max(spec.levels), judges_programs(task)
    if not top or (program and replies):
        return []
    told = Told(base.steps, replies)
    rules = rules_of(task, spec, plan.spec.seed, asking("", task, told))
    made = chain_of(task, base.problem, element_of(base), rules, top)
    known = askable(Place(task, base.problem, base.completion, base.steps, 0))
    numbers = [known[text] for text in told.missed if text in known]
    if replies or program or isinstance(made, str):
        return numbers
    short = wanted(top, made[-1].checkable) - made[-1].wrong
    return numbers[:short] if short > 0 else numbers


def estimate(plan: Plan, traces: Sequence[Trace]) -> tuple[int, int]:
    """Replies that the mistakes in some traces take: at least and at most."""
    spec = plan.spec.corrupt
    top, least, most = max(spec.levels), 0, 0
    for base in traces:
        n_steps = len(askable(Place(plan.task, base.problem, base.completion, base.steps, 0))) if top else 0
        if not element_of(base).wrong:
            least += n_steps if judges_programs(plan.task) else min(n_steps, wanted(top, n_steps))
            most += n_steps * plan.quotas.max_attempts
    return least, most
