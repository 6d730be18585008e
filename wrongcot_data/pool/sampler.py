"""Who is asked next: pure, given what is known so far.

A problem's attempts are asked in order 0, 1, 2, ... until it has ended (see `progress`). Replies that are needed for
certain go first: those without which it cannot end, whatever the ones in flight turn out to be. Of the problems that
need one, the one goes first whose reply is likeliest to bring something missing, so that a budget buys the most;
problems of which nothing is known go before all others.

Where no reply is needed for certain and the engine has room left, replies are asked ahead: the likeliest to be needed
first, none that is less likely so than `ask_ahead`. What was asked ahead in vain costs tokens, never changes a data
set, and stays in the journal for a larger build.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import count

from wrongcot_data.pool.odds import Group, Odds
from wrongcot_data.pool.progress import Progress, Quotas, Seen

NEEDED, AHEAD = 0, 1

CERTAIN = 1 - 1e-9
"""From here on a chance is no chance: what is left to it is rounding."""

Turn = tuple[int, float, int]
"""When a problem's next attempt is due, lowest first: `NEEDED` or `AHEAD`, less the gain or likelihood, the attempt."""


@dataclass(slots=True)
class _Asked:
    """One problem: its replies by attempt, how far they bring it, and the attempts in flight."""

    known: dict[int, Seen] = field(default_factory=dict)
    in_flight: set[int] = field(default_factory=set)
    progress: Progress = field(default_factory=Progress)

    def lowest_open(self) -> int:
        """The first attempt that is neither known nor in flight."""
        return next(n for n in count(self.progress.n) if n not in self.known and n not in self.in_flight)

    def go_on(self, quotas: Quotas, group: Group) -> None:
        """Take in the replies that follow, up to the end, beyond which a data set takes none."""
        while self.progress.n in self.known and not self.progress.end(quotas, group):
            self.progress.take(self.known[self.progress.n], quotas)

    def with_early(self, quotas: Quotas) -> Progress:
        """How far it would be if the replies that came before an earlier one were the next ones."""
        early = sorted(attempt for attempt in self.known if attempt > self.progress.n)
        if not early:
            return self.progress
        far = self.progress.copy()
        for attempt in early:
            far.take(self.known[attempt], quotas)
        return far


class Sampler:
    """Says which attempt of which problem to ask for.

    Args:
        quotas: the same for every problem.
        difficulties: of the problems, which are named by their number; those of like difficulty share their odds.

    Attributes:
        odds: what is known of the groups.
        n_finished: how many problems want nothing more.
    """

    def __init__(self, quotas: Quotas, difficulties: Sequence[Hashable]) -> None:
        self.odds = Odds(difficulties)
        self.n_finished = 0
        self._quotas = quotas
        self._asked: list[_Asked | None] = [  # None: finished
            _Asked(progress=Progress(n_least=self.odds.n_least(problem))) for problem in range(len(difficulties))
        ]
        self._queue: list[tuple[Turn, int, int]] = []
        self._n_taken: dict[int, int] = {}
        self._stamp = [0] * len(difficulties)  # an entry of the queue with an older one is out of date
        for problem in range(len(difficulties)):
            self._reconsider(problem)

    def record(self, problem: int, attempt: int, what: Seen) -> None:
        """Take in a sample, from the journal or just graded."""
        asked = self._asked[problem]
        if asked is not None and attempt < self._quotas.max_attempts:
            asked.in_flight.discard(attempt)
            asked.known[attempt] = what
            self._reconsider(problem)
        if attempt == 0 and self.odds.first_reply(problem, what.grade):
            for member in self.odds.members(problem):
                self._start_over(member)

    def next(self, limit: int) -> list[tuple[int, int]]:
        """Up to `limit` pairs (problem, attempt), now in flight. Empty: wait for a reply, or all is done."""
        chosen: list[tuple[int, int]] = []
        while self._queue and len(chosen) < limit:
            _, problem, stamp = heapq.heappop(self._queue)
            asked = self._asked[problem]
            if asked is None or stamp != self._stamp[problem]:
                continue
            attempt = asked.lowest_open()
            asked.in_flight.add(attempt)
            chosen.append((problem, attempt))
            self._reconsider(problem)
        return chosen

    def take_back(self, problem: int, attempt: int) -> None:
        """Note that an attempt was never begun, so that it may be asked another time."""
        asked = self._asked[problem]
        if asked is not None:
            asked.in_flight.discard(attempt)
            self._reconsider(problem)

    def n_taken(self, problem: int) -> int | None:
        """How many of its first replies a finished problem has taken; None for one that goes on."""
        return self._n_taken.get(problem)

    def _start_over(self, problem: int) -> None:
        """Judge a problem's replies again, now that its group's odds are known."""
        asked = self._asked[problem]
        if asked is not None:
            asked.progress = Progress(n_least=self.odds.n_least(problem))
            self._reconsider(problem)

    def _reconsider(self, problem: int) -> None:
        """Queue a problem for its next attempt, or note that it wants nothing more, which it then never does again."""
        asked, group = self._asked[problem], self.odds.group(problem)
        if asked is None:
            return
        asked.go_on(self._quotas, group)
        self._stamp[problem] += 1
        if asked.progress.end(self._quotas, group):
            if not asked.in_flight:
                self._asked[problem] = None
                self._n_taken[problem] = asked.progress.n
                self.n_finished += 1
            return
        turn = self._turn(problem, asked, group.guess())
        if turn is not None:
            heapq.heappush(self._queue, (turn, problem, self._stamp[problem]))
        if len(self._queue) > 1000 + 2 * len(self._asked):
            self._queue = [entry for entry in self._queue if entry[2] == self._stamp[entry[1]]]
            heapq.heapify(self._queue)

    def _turn(self, problem: int, asked: _Asked, group: Group) -> Turn | None:
        """When a problem's next attempt is due; None while enough are in flight, or while it is only guessed hopeless.

        A problem of the latter kind is looked at again when its group's odds are known.
        """
        attempt = asked.lowest_open()
        if attempt >= self._quotas.max_attempts:
            return None
        # A kill can leave a later attempt without an earlier one, which an undisturbed build would have had.
        if attempt < max((*asked.known, *asked.in_flight), default=-1):
            return NEEDED, 0.0, attempt
        if asked.progress.end(self._quotas, group) and not self.odds.in_pilot(problem):
            return None
        likely = _still_open(asked.with_early(self._quotas), len(asked.in_flight), self._quotas, group)
        if likely >= CERTAIN:
            return NEEDED, -asked.progress.gain(self._quotas, group), attempt
        return (AHEAD, -likely, attempt) if likely >= self._quotas.ask_ahead else None


def _still_open(far: Progress, waiting: int, quotas: Quotas, group: Group) -> float:
    """The chance that a problem wants another reply after those it waits for.

    Where nothing is known of its group: certain while no replies could end it, else none, so as to wait and see.
    """
    missing = far.missing(quotas)
    if not waiting:
        return 1.0
    if not group.known:
        return 1.0 if waiting < sum(missing.values()) and not quotas.give_up_below else 0.0
    rates = [far.chance(grade, group) for grade in missing]
    hits: dict[tuple[int, ...], float] = {(0,) * len(rates): 1.0}
    for _ in range(waiting):
        after: defaultdict[tuple[int, ...], float] = defaultdict(float)
        for have, share in hits.items():
            after[have] += share * max(0.0, 1 - sum(rates))
            for number, rate in enumerate(rates):
                after[(*have[:number], have[number] + 1, *have[number + 1 :])] += share * rate
        hits = after
    return sum(
        share
        for have, share in hits.items()
        if not far.with_hits(dict(zip(missing, have, strict=True)), waiting).end(quotas, group)
    )
