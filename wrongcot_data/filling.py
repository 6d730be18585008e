"""Fills the journal until every problem has what the variants ask for, or has used up its attempts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from wrongcot_data.engines.base import Completion, Engine, Opening, Request, engine_column
from wrongcot_data.parallel import in_order
from wrongcot_data.plan import Plan
from wrongcot_data.pool.grading import graded, verdict
from wrongcot_data.pool.journal import Journal, request_id
from wrongcot_data.pool.sampler import Sampler, seen
from wrongcot_data.records import Problem, Sample
from wrongcot_data.spec import derive_seed
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import own_reply, render

Report = Callable[[int, int, int, int], None]
"""Told now and then: problems that want nothing more, all problems, samples there are, tokens written in this call."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem as it is put to the teacher; its prompt, long as it is, is rendered again when it is sent."""

    problem: Problem
    request_id: str

    def seed(self, attempt: int) -> int:
        """Of one attempt: from content, so that it is the same wherever and whenever it is asked."""
        return derive_seed("sample", self.request_id, attempt)


def ask(plan: Plan, problems: Sequence[Problem], revision: str) -> list[Asked]:
    """The request ids of the problems for this teacher, prompt style and sampling."""
    model = plan.teacher.hub_id or plan.teacher.name
    return [
        Asked(
            p,
            request_id(
                model, revision, render(plan.task, p, plan.style, plan.teacher.shots), plan.sampling, plan.spec.seed
            ),
        )
        for p in problems
    ]


def fill(plan: Plan, asked: Sequence[Asked], journal: Journal, *, report: Report, stop: Callable[[], bool]) -> None:
    """Ask the teacher for what is missing and store every reply with its grade.

    The engine is opened only if something is missing. After `stop()` nothing more is asked, what is in flight is kept.
    """
    sampler = Sampler(plan.quotas, len(asked))
    n_samples = 0
    for number, one in enumerate(asked):
        for sample in current_samples(plan.task, one.problem, one.request_id, journal):
            sampler.record(number, sample.attempt, seen(sample))
            n_samples += 1
    report(sampler.n_finished, len(asked), n_samples, 0)
    if sampler.n_finished == len(asked) or stop():
        return
    problems = {one.problem.id: one.problem for one in asked}
    engine = plan.engine.open(Opening(plan.teacher, plan.engine_options, plan.sampling, plan.task, problems))
    try:
        _run(plan, asked, engine, sampler, journal, n_samples, report, stop)
    finally:
        engine.close()


def current_samples(task: Task, problem: Problem, request: str, journal: Journal) -> list[Sample]:
    """A problem's stored samples, by attempt; those of an older grader are graded again first."""
    samples = journal.samples(request)
    old = [sample for sample in samples if sample.grader_version != task.grader_version]
    if not old:
        return samples
    journal.regrade(
        replace(
            sample,
            verdict=verdict(task, problem, sample.completion, sample.finish_reason, sample.error),
            grader_version=task.grader_version,
        )
        for sample in old
    )
    return journal.samples(request)


def _run(
    plan: Plan,
    asked: Sequence[Asked],
    engine: Engine,
    sampler: Sampler,
    journal: Journal,
    n_samples: int,
    report: Report,
    stop: Callable[[], bool],
) -> None:
    in_flight: dict[str, tuple[int, int]] = {}
    n_tokens = 0
    while True:
        for number, attempt in [] if stop() else sampler.next(engine.capacity - len(in_flight)):
            key = f"{number}/{attempt}"
            in_flight[key] = (number, attempt)
            engine.submit(_request(plan, asked[number], key, attempt))
        if not in_flight:
            return
        completions = engine.wait()
        samples = list(in_order(lambda one: _sample(plan, asked, engine, one, *in_flight[one.key]), completions))
        journal.add(samples)
        for completion, sample in zip(completions, samples, strict=True):
            number, attempt = in_flight.pop(completion.key)
            sampler.record(number, attempt, seen(sample))
            n_tokens += sample.n_tokens
        n_samples += len(samples)
        report(sampler.n_finished, len(asked), n_samples, n_tokens)


def _request(plan: Plan, one: Asked, key: str, attempt: int) -> Request:
    return Request(
        key, one.problem.id, render(plan.task, one.problem, plan.style, plan.teacher.shots), one.seed(attempt)
    )


def _sample(
    plan: Plan, asked: Sequence[Asked], engine: Engine, completion: Completion, number: int, attempt: int
) -> Sample:
    one = asked[number]
    prompt = render(plan.task, one.problem, plan.style, plan.teacher.shots)
    completion = replace(completion, text=own_reply(prompt, completion.text))
    return graded(plan.task, one.problem, completion, one.request_id, attempt, one.seed(attempt), engine_column(engine))
