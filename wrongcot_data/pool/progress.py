"""How far one problem is: pure, a fold over its replies in the order of their attempts.

What a data set holds of a problem is the shortest run of attempts 0, 1, 2, ... after which it has ended: its quotas are
met, it is hopeless, or its attempts are used up. That depends on the replies alone, not on their timing, on what was
asked ahead, or on where a build was killed; a journal may hold more of a problem than a data set calls for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from wrongcot_data.pool.distinct import Wording, is_new, wording
from wrongcot_data.pool.odds import Group, chance
from wrongcot_data.records import GRADES, Grade, Sample

End = Literal["met", "hopeless", "used up"]
"""Why nothing more is asked for a problem."""


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a build wants of every problem.

    Attributes:
        wanted: distinct samples by grade, such as `{"correct": 1, "wrong": 1}`.
        max_attempts: replies after which a problem is given up.
        give_up_below: chance that the next reply brings something missing, below which it is given up as hopeless.
        ask_ahead: how likely a reply must be to be needed at all for it to be asked before that is certain; above 1
            none is.
    """

    wanted: dict[Grade, int]
    max_attempts: int
    give_up_below: float = 0.0
    ask_ahead: float = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is remembered of a sample: its grade, and its wording where another of its grade must differ from it."""

    grade: Grade
    wording: Wording = frozenset()


def seen(sample: Sample, quotas: Quotas) -> Seen:
    """The memory of a sample."""
    grade = sample.verdict.grade
    return Seen(grade, wording(sample.completion)) if quotas.wanted.get(grade, 0) > 1 else _UNWORDED[grade]


_UNWORDED = {grade: Seen(grade) for grade in GRADES}


_ANY: Wording = frozenset()


@dataclass(slots=True)
class Progress:
    """What is known of a problem after its first `n` replies.

    Attributes:
        accepted: distinct traces by grade, as many as the quota wants at most.
        n_errors: how many of the replies never came. They are attempts, and say nothing of the problem.
        n_least: replies that are taken before it can be hopeless: the first of a pilot, on which others are judged.
    """

    n: int = 0
    accepted: dict[Grade, tuple[Wording, ...]] = field(default_factory=dict)
    n_errors: int = 0
    n_least: int = 0

    def take(self, reply: Seen, quotas: Quotas) -> None:
        """Take in the next reply."""
        self.n += 1
        self.n_errors += reply.grade == "error"
        have = self.accepted.get(reply.grade, ())
        if len(have) < quotas.wanted.get(reply.grade, 0) and is_new(reply.wording, have):
            self.accepted[reply.grade] = (*have, reply.wording)

    def copy(self) -> Progress:
        """An independent copy, for what would be if."""
        return replace(self, accepted=dict(self.accepted))

    def with_hits(self, hits: Mapping[Grade, int], n_more: int) -> Progress:
        """What it would be after `n_more` replies of which so many were new traces of a grade."""
        more = {grade: (*self.accepted.get(grade, ()), *(_ANY,) * count) for grade, count in hits.items()}
        return replace(self, n=self.n + n_more, accepted={**self.accepted, **more})

    def missing(self, quotas: Quotas) -> dict[Grade, int]:
        """How many more distinct traces are wanted, by grade."""
        accepted = self.accepted
        return {
            grade: quota - len(accepted.get(grade, ()))
            for grade, quota in quotas.wanted.items()
            if grade not in accepted or len(accepted[grade]) < quota
        }

    def chance(self, grade: Grade, group: Group) -> float:
        """The chance that the next reply is a new one of a grade."""
        return chance(group, grade, self.n - self.n_errors, len(self.accepted.get(grade, ())))

    def gain(self, quotas: Quotas, group: Group) -> float:
        """The chance that the next reply brings something missing; 1 while nothing is known of the group."""
        if not group.known:
            return 1.0
        return min(1.0, sum(self.chance(grade, group) for grade in self.missing(quotas)))

    def end(self, quotas: Quotas, group: Group) -> End | None:
        """Why nothing more is asked; None while something is."""
        if not self.missing(quotas):
            return "met"
        if self.n >= quotas.max_attempts:
            return "used up"
        may_give_up = quotas.give_up_below > 0 and self.n >= self.n_least
        return "hopeless" if may_give_up and self.gain(quotas, group) < quotas.give_up_below else None


def called_for(known: Sequence[Seen], quotas: Quotas, group: Group, n_least: int = 0) -> tuple[int, End | None]:
    """How many of a problem's first replies a data set calls for, and why no more; None if more are still wanted.

    Args:
        n_least: as in `Progress`.
    """
    progress = Progress(n_least=n_least)
    for reply in known:
        if progress.end(quotas, group):
            break
        progress.take(reply, quotas)
    return progress.n, progress.end(quotas, group)


def unbroken(samples: Sequence[Sample]) -> list[Sample]:
    """The samples of attempts 0, 1, 2, ... up to the first that a kill has left out."""
    return [sample for number, sample in enumerate(samples) if sample.attempt == number]
