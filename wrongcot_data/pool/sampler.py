"""Who is asked next: pure, given what is known so far.

A problem's attempts are asked in order 0, 1, 2, ... until its quotas are met or its attempts are used up. At most as
many are in flight as it needs *at least*: one more `right` and two more `wrong` need three more replies, whatever they
turn out to be. So which attempts exist in the end depends on the replies alone, not on their timing, on batch sizes or
on where a build was killed, and no reply is asked for in vain. (Proof: needs fall by at most one a reply, so the
shortest sufficient run of attempts is at least done + needed long.)
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile

from wrongcot_data.records import Grade, Sample


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a build wants of every problem.

    Attributes:
        wanted: distinct samples by grade, such as `{"correct": 1, "wrong": 1}`.
        max_attempts: replies after which a problem is given up.
    """

    wanted: dict[Grade, int]
    max_attempts: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What the sampler remembers of a sample: its grade and a digest that is equal for equal traces."""

    grade: Grade
    digest: bytes


def trace_digest(completion: str) -> bytes:
    """Eight bytes, equal for completions that differ only in white space."""
    return hashlib.blake2b(" ".join(completion.split()).encode("utf-8", "replace"), digest_size=8).digest()


def seen(sample: Sample) -> Seen:
    """The sampler's memory of a sample."""
    return Seen(sample.verdict.grade, trace_digest(sample.completion))


def needed(known: Iterable[Seen], quotas: Quotas) -> int:
    """How many more replies a problem needs at least."""
    distinct: dict[Grade, set[bytes]] = {grade: set() for grade in quotas.wanted}
    for one in known:
        if one.grade in distinct:
            distinct[one.grade].add(one.digest)
    return sum(max(0, quota - len(distinct[grade])) for grade, quota in quotas.wanted.items())


def unbroken(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of attempts 0, 1, 2, ... up to the first that a kill has left out."""
    return [sample for number, sample in enumerate(samples) if sample.attempt == number]


def called_for(known: Sequence[Seen], quotas: Quotas) -> int:
    """How many of a problem's first attempts these quotas call for; a journal may hold more, from a larger build."""
    for length in range(min(len(known), quotas.max_attempts)):
        if needed(known[:length], quotas) == 0:
            return length
    return min(len(known), quotas.max_attempts)


@dataclass(slots=True)
class _Asked:
    """One problem's attempts: what is known by attempt, and which are in flight."""

    known: dict[int, Seen] = field(default_factory=dict)
    in_flight: set[int] = field(default_factory=set)

    def next_attempt(self, quotas: Quotas) -> int | None:
        """The lowest attempt to ask now; None while enough are in flight or nothing more is called for."""
        unbroken = takewhile(self.known.__contains__, count())
        if needed((self.known[number] for number in unbroken), quotas) == 0:
            return None
        taken = self.known.keys() | self.in_flight
        lowest = next(number for number in count() if number not in taken)
        if lowest >= quotas.max_attempts:
            return None
        # A kill can leave a later attempt without an earlier one, which an undisturbed build would have had.
        gap = lowest < max(taken, default=-1)
        return lowest if gap or len(self.in_flight) < needed(self.known.values(), quotas) else None


class Sampler:
    """Says which attempt of which problem to ask for, problems with the fewest attempts first.

    Args:
        quotas: the same for every problem.
        n_problems: problems are named by their number, 0 to `n_problems - 1`.

    Attributes:
        n_finished: how many problems want nothing more.
    """

    def __init__(self, quotas: Quotas, n_problems: int) -> None:
        self._quotas = quotas
        self._asked = [_Asked() for _ in range(n_problems)]
        self._queue: list[tuple[int, int]] = []
        self._open: set[int] = set()
        self._finished = bytearray(n_problems)
        self.n_finished = 0
        for problem in range(n_problems):
            self._reconsider(problem)

    def record(self, problem: int, attempt: int, what: Seen) -> None:
        """Take in a sample, from the journal or just graded."""
        if attempt >= self._quotas.max_attempts:
            return
        asked = self._asked[problem]
        asked.in_flight.discard(attempt)
        asked.known[attempt] = what
        self._reconsider(problem)

    def next(self, limit: int) -> list[tuple[int, int]]:
        """Up to `limit` pairs (problem, attempt), now in flight. Empty: wait for a reply, or all is done."""
        chosen: list[tuple[int, int]] = []
        while self._queue and len(chosen) < limit:
            queued, problem = heapq.heappop(self._queue)
            self._open.discard(problem)
            attempt = self._asked[problem].next_attempt(self._quotas)
            if attempt == queued:
                self._asked[problem].in_flight.add(attempt)
                chosen.append((problem, attempt))
            self._reconsider(problem)
        return chosen

    def _reconsider(self, problem: int) -> None:
        """Queue a problem for its next attempt, or note that it wants nothing more, which it then never does again."""
        asked = self._asked[problem]
        attempt = asked.next_attempt(self._quotas)
        if attempt is None:
            if not asked.in_flight and not self._finished[problem]:
                self._finished[problem] = 1
                self.n_finished += 1
        elif problem not in self._open:
            self._open.add(problem)
            heapq.heappush(self._queue, (attempt, problem))
