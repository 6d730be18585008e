"""Fills the journal until every problem has what the variants ask for, or wants nothing more."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from wrongcot_data.engines.base import Completion, Engine, Opening, Request, engine_column
from wrongcot_data.errors import Unavailable
from wrongcot_data.parallel import N_THREADS, in_order
from wrongcot_data.plan import Plan
from wrongcot_data.pool.budget import Budget, Stopped
from wrongcot_data.pool.grading import graded, verdict
from wrongcot_data.pool.journal import Journal, Origin, request_id
from wrongcot_data.pool.odds import Odds
from wrongcot_data.pool.progress import End, called_for, seen, unbroken
from wrongcot_data.pool.sampler import Sampler
from wrongcot_data.records import Problem, Prompt, Sample
from wrongcot_data.spec import derive_seed
from wrongcot_data.tasks.base import Task
from wrongcot_data.teachers.prompting import own_reply, render

log = logging.getLogger(__name__)

Report = Callable[[int, int, int, int], None]
"""Told now and then: problems that want nothing more, all problems, samples there are, tokens written in this call."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem as it is put to the teacher, without its prompt, which is long."""

    problem: Problem
    request_id: str

    def seed(self, attempt: int) -> int:
        """Of one attempt: from content, so that it is the same wherever and whenever it is asked."""
        return derive_seed("sample", self.request_id, attempt)


class Prompts:
    """Prompts of problems; the last few thousand are kept, so that an attempt more costs no rendering."""

    KEPT = 4096

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kept: dict[str, Prompt] = {}

    def of(self, problem: Problem) -> Prompt:
        """The prompt by which the teacher is asked."""
        found = self._kept.get(problem.id)
        if found is None:
            found = render(self._plan.task, problem, self._plan.style, self._plan.teacher.shots)
            if len(self._kept) >= self.KEPT:
                del self._kept[next(iter(self._kept))]  # the oldest
            self._kept[problem.id] = found
        return found


def ask(plan: Plan, problems: Sequence[Problem], revision: str, prompts: Prompts) -> list[Asked]:
    """The request ids of the problems for this teacher, prompt style and sampling."""
    model = plan.teacher.hub_id or plan.teacher.name
    return [
        Asked(p, request_id(model, revision, prompts.of(p), plan.sampling, plan.spec.seed)) for p in problems
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filling:
    """What one build brings to its journal: whom it asks what, where the replies go, who is told, when to stop."""

    plan: Plan
    asked: Sequence[Asked]
    prompts: Prompts
    journal: Journal
    origin: Origin
    report: Report
    budget: Budget


@dataclass(frozen=True, slots=True)
class Filled:
    """How filling ended.

    Attributes:
        stopped: why problems were left that want more; None if none was.
        n_charged: tokens that the budget was charged: of what was there and is called for, and of all that was written.
    """

    stopped: Stopped | None
    n_charged: int


def fill(filling: Filling) -> Filled:
    """Ask the teacher for what is missing and store every reply with its grade.

    The engine is opened only if something is missing. Once the budget has stopped, nothing more is asked and what is
    in flight is kept.
    """
    plan, journal = filling.plan, filling.journal
    with ExitStack() as stack:
        engine: Engine | None = None
        while True:
            desk = Desk(filling)
            desk.look_up()
            if desk.finished or filling.budget.stopped():
                return desk.filled()
            if engine is None:
                problems = {one.problem.id: one.problem for one in filling.asked}
                opening = Opening(plan.teacher, plan.engine_options, plan.sampling, plan.task, problems)
                engine = stack.enter_context(closing(plan.engine.open(opening)))
            known = journal.n_known
            desk.run(engine)
            journal.commit()
            # Another build on this journal may have stored a reply first, which then counts instead of ours.
            if journal.n_known == known:
                return desk.filled()


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request in flight: the problem's number, the attempt, the request itself."""

    number: int
    attempt: int
    request: Request


class Desk:
    """Where requests leave and replies come in: one pass over the problems of a build."""

    def __init__(self, filling: Filling) -> None:
        self._plan = filling.plan
        self._asked = filling.asked
        self._prompts = filling.prompts
        self._journal = filling.journal
        self._origin = filling.origin
        self._report = filling.report
        self._budget = filling.budget
        difficulty = filling.plan.task.difficulty
        self._sampler = Sampler(filling.plan.quotas, [difficulty(one.problem) for one in filling.asked])
        self._in_flight: dict[str, _Sent] = {}
        self._n_samples = 0
        self._n_charged = 0
        self._n_written = 0

    @property
    def finished(self) -> bool:
        """Whether no problem wants anything more."""
        return self._sampler.n_finished == len(self._asked)

    def filled(self) -> Filled:
        """How it stands now."""
        stopped = None if self.finished else self._budget.stopped() or "token budget used up"
        return Filled(stopped, self._n_charged)

    def look_up(self) -> None:
        """Take in what the journal has. What a finished problem does not call for was another build's expense."""
        costs: list[list[int]] = []
        for number, one in enumerate(self._asked):
            samples = current_samples(self._plan.task, one.problem, one.request_id, self._journal)
            costs.append([self._budget.cost(sample) for sample in samples])
            for sample in samples:
                self._take(number, sample)
        self._n_charged = sum(sum(cost[: self._sampler.n_taken(number)]) for number, cost in enumerate(costs))
        self._tell()

    def run(self, engine: Engine) -> None:
        """Ask and store until nothing is in flight and nothing more is asked."""
        with _rarely_collected(), ThreadPoolExecutor(N_THREADS) as threads:
            # threads help only where they wait for processes; else they just take turns
            each = partial(in_order, threads=threads) if self._plan.task.grader_waits else map
            while True:
                if self._budget.stopped():
                    self._take_back(engine)
                waiting = len(self._in_flight)
                free = self._budget.places(self._n_charged, waiting, engine.capacity - waiting)
                for number, attempt in self._sampler.next(free):
                    self._send(engine, number, attempt)
                if not self._in_flight:
                    return
                try:
                    completions = engine.wait()
                except Unavailable as error:
                    if not self._budget.stopped():
                        raise
                    log.warning("%s; %d replies in flight are given up", error.message, len(self._in_flight))
                    return
                column = engine_column(engine)
                samples = list(each(partial(self._sample, column), completions))
                self._journal.add(samples, self._origin)
                for completion, sample in zip(completions, samples, strict=True):
                    self._take(self._in_flight.pop(completion.key).number, sample)
                    self._n_charged += self._budget.cost(sample)
                    self._n_written += sample.n_tokens
                self._tell()

    def _send(self, engine: Engine, number: int, attempt: int) -> None:
        one = self._asked[number]
        key = f"{number}/{attempt}"
        request = Request(key, one.problem.id, self._prompts.of(one.problem), one.seed(attempt))
        self._in_flight[key] = _Sent(number, attempt, request)
        engine.submit(request)

    def _take_back(self, engine: Engine) -> None:
        """Forget what the engine has not begun: once stopped, nothing more is paid for."""
        for key in engine.withdraw():
            sent = self._in_flight.pop(key)
            self._sampler.take_back(sent.number, sent.attempt)

    def _sample(self, column: str, completion: Completion) -> Sample:
        sent = self._in_flight[completion.key]
        one = self._asked[sent.number]
        text = own_reply(sent.request.prompt, completion.text)
        own = completion if text == completion.text else replace(completion, text=text)
        return graded(self._plan.task, one.problem, own, one.request_id, sent.attempt, sent.request.seed, column)

    def _take(self, number: int, sample: Sample) -> None:
        self._sampler.record(number, sample.attempt, seen(sample, self._plan.quotas))
        self._n_samples += 1

    def _tell(self) -> None:
        self._report(self._sampler.n_finished, len(self._asked), self._n_samples, self._n_written)


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Python's garbage collector looks at little and seldom: going over every problem again and again took a tenth of
    the time a row. What is made meanwhile is still collected.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@dataclass(frozen=True, slots=True)
class Taken:
    """What a data set holds of a problem's replies.

    Attributes:
        samples: exactly those that the spec calls for, by attempt.
        spare: the others that the journal has.
        end: why no more were asked for; None if more are wanted.
    """

    samples: list[Sample]
    spare: list[Sample]
    end: End | None


def taken(plan: Plan, asked: Sequence[Asked], journal: Journal) -> Iterator[Taken]:
    """What a data set holds of each problem's replies, one problem at a time."""
    odds = odds_of(plan, asked, journal)
    for number, one in enumerate(asked):
        stored = current_samples(plan.task, one.problem, one.request_id, journal)
        run = unbroken(stored)
        replies = [seen(sample, plan.quotas) for sample in run]
        count, end = called_for(replies, plan.quotas, odds.group(number), odds.n_least(number))
        yield Taken(run[:count], [*run[count:], *stored[len(run) :]], end)


def odds_of(plan: Plan, asked: Sequence[Asked], journal: Journal) -> Odds:
    """What the stored first replies tell of the groups of problems."""
    odds = Odds([plan.task.difficulty(one.problem) for one in asked])
    for number in odds.pilot():
        one = asked[number]
        first = next(iter(current_samples(plan.task, one.problem, one.request_id, journal)), None)
        if first is not None and first.attempt == 0:
            odds.first_reply(number, first.verdict.grade)
    return odds


def current_samples(task: Task, problem: Problem, request: str, journal: Journal) -> list[Sample]:
    """A problem's stored samples, by attempt; those of an older grader are graded again first.

    Two problems may ask the same and differ in what is right: they share replies, and each has its own verdicts.
    """

    def again(sample: Sample) -> Sample:
        found = verdict(task, problem, sample.completion, sample.finish_reason, sample.error)
        return replace(sample, problem_id=problem.id, verdict=found, grader_version=task.grader_version)

    samples = journal.samples(request)
    old = [one for one in samples if one.grader_version != task.grader_version and one.problem_id == problem.id]
    if old:
        journal.regrade(map(again, old))
        samples = journal.samples(request)
    return [sample if sample.problem_id == problem.id else again(sample) for sample in samples]
