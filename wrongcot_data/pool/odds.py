"""How likely the next reply to a problem brings what is missing: pure, from what is known so far.

A problem's rate of a grade has a Beta prior that problems of like difficulty share. Its mean comes from the group's
pilot: the first replies to its first `PILOT` problems, once all of them are known. Which replies those are does not
depend on timing, so neither does anything that is decided by them for good. Until then a guess, from whatever first
replies are in, tells for whom to wait.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from wrongcot_data.records import Grade

PILOT = 50
"""Problems whose first replies tell of a group: a rate of 5 % is then known to within 6 points (95 %)."""

ENOUGH = 20
"""First replies from which a guess is made."""

STRENGTH = 1.0
"""Weight of the prior, in replies. Small, because problems of one group differ a lot: in 5,000 real replies to 50
puzzles of one difficulty, 22 puzzles were never solved and six were solved in a fifth of the replies or more."""


@dataclass(slots=True)
class Group:
    """Problems of like difficulty: how large its pilot is and what is known of it.

    Attributes:
        first: grades of the pilot's first replies.
        others: grades of the other problems' first replies.
        known: whether every first reply of the pilot is in.
    """

    size: int = 0
    first: Counter[Grade] = field(default_factory=Counter)
    others: Counter[Grade] = field(default_factory=Counter)
    known: bool = False
    _guess: Group | None = None

    def count(self, grade: Grade, *, pilot: bool) -> None:
        """Take in a first reply; one that never came says nothing, and a pilot is the smaller for it."""
        if grade == "error":
            self.size -= pilot
        else:
            (self.first if pilot else self.others)[grade] += 1
        self.known = self.first.total() == self.size
        self._guess = None

    def guess(self) -> Group:
        """The group itself once it is known; before, as if the first replies that are in were its pilot's."""
        if self.known:
            return self
        if self._guess is None:
            seen = self.first + self.others
            enough = seen.total() >= ENOUGH
            self._guess = Group(seen.total(), seen, known=True) if enough else self
        return self._guess

    def mean(self, grade: Grade) -> float:
        """Share of a grade among the first replies, with half a reply more for and against it (Jeffreys)."""
        return (self.first[grade] + 0.5) / (self.first.total() + 1)


class Odds:
    """The groups of a build.

    Args:
        difficulties: of each problem, by its number; equal ones make a group.
    """

    def __init__(self, difficulties: Sequence[Hashable]) -> None:
        self._difficulties = difficulties
        self._groups: dict[Hashable, Group] = {}
        self._pilot: set[int] = set()
        for problem, difficulty in enumerate(difficulties):
            group = self._groups.setdefault(difficulty, Group())
            if group.size < PILOT:
                group.size += 1
                self._pilot.add(problem)
        self._awaited = set(self._pilot)

    def pilot(self) -> list[int]:
        """The problems whose first replies are not in yet and will tell of their groups."""
        return sorted(self._awaited)

    def in_pilot(self, problem: int) -> bool:
        """Whether a group waits for a problem's first reply."""
        return problem in self._awaited

    def n_least(self, problem: int) -> int:
        """Replies of a problem that a data set holds whatever they are: those on which its group was judged."""
        return int(problem in self._pilot)

    def first_reply(self, problem: int, grade: Grade) -> bool:
        """Take in the grade of a problem's attempt 0, once. Returns whether this made its group's odds known."""
        group = self.group(problem)
        pilot = problem in self._awaited
        self._awaited.discard(problem)
        group.count(grade, pilot=pilot)
        return pilot and group.known

    def group(self, problem: int) -> Group:
        """The group that a problem belongs to."""
        return self._groups[self._difficulties[problem]]

    def members(self, problem: int) -> list[int]:
        """All problems of this one's group."""
        return [other for other, one in enumerate(self._difficulties) if one == self._difficulties[problem]]


def chance(group: Group, grade: Grade, n_seen: int, n_hits: int) -> float:
    """The chance that a problem's next reply has a grade, after `n_hits` of `n_seen` had it: the posterior mean."""
    return (STRENGTH * group.mean(grade) + n_hits) / (STRENGTH + n_seen)
