"""Which rows of a data set a page shows. Pure, over what little of a row decides it, in memory that is bounded.

A page has room for few of the rows. Which ones follows from two promises, the first before the second:

1. Every kind there is, a variant's rows of one grade and reason, has a row on the page, however rare it is.
2. A problem is shown whole: some of its rows from every variant and level it has, so that they can be set side by
   side; of `PER_PROBLEM` rows of a variant those that come from the same samples in every level. Only where the rare
   kinds alone would fill the page, a row comes without the others of its problem.

Problems that have the most variants are first; which of these is up to a hash of the seed and the problem's id. So
the rows are no random sample, and shares are to be taken from the report, which is of all rows.

The rows are read twice, since what is rare is known at the end: `survey` finds the kinds and the problems that come
into question, `gather` collects these problems' rows, and `choose` decides.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from heapq import heappush, heappushpop
from typing import NamedTuple

from wrongcot_data.publish.columns import SAMPLES
from wrongcot_data.variants.pooled import REPLIES

PER_PROBLEM = 3
"""Rows of one problem in one variant that are shown at most."""

POOLS = (SAMPLES, *REPLIES)
"""Configs of replies as they came, without steps."""

PUBLISHED = ("correct", "wrong")
"""Grades of replies that most likely are shown as traces too; of a pool the others come first."""


class Kind(NamedTuple):
    """Rows of a config with one grade and reason, the reason without what was found."""

    config: str
    grade: str
    reason: str


class Entry(NamedTuple):
    """What of a row decides whether it is shown.

    Attributes:
        number: of the row in its config, from 0.
        family: the sample or trace that it was made from, alike in all levels of a corrupted trace.
    """

    config: str
    number: int
    problem_id: str
    grade: str
    reason: str
    family: str


@dataclass(slots=True)
class Survey:
    """What the first reading finds.

    Attributes:
        counts: rows of each kind.
        firsts: of each kind the entry whose problem has the smallest key.
        likely: the problems with the smallest keys, as many as there is room for rows.
    """

    counts: Counter[Kind] = field(default_factory=Counter)
    firsts: dict[Kind, Entry] = field(default_factory=dict)
    likely: frozenset[str] = frozenset()

    def problems(self) -> set[str]:
        """Every problem that comes into question."""
        return {*self.likely, *(entry.problem_id for entry in self.firsts.values())}


@dataclass(slots=True)
class Whole:
    """The rows of one problem that would be shown, and how many it has in each config."""

    entries: list[Entry] = field(default_factory=list)
    there: Counter[str] = field(default_factory=Counter)


def kind_of(entry: Entry) -> Kind:
    """The kind of a row.

    A refused paraphrase's reason names what was found after a colon, and that of a request that failed is the
    server's own words: without these there are as many reasons as a task's grader has.
    """
    reason = "request failed" if entry.grade == "error" else entry.reason.partition(":")[0]
    return Kind(entry.config, entry.grade, reason)


def key_of(seed: int, name: str) -> int:
    """A number that follows from the seed and the name, and leans nowhere."""
    return int.from_bytes(blake2b(f"{seed}\n{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest())


def survey(entries: Iterable[Entry], limit: int, seed: int) -> Survey:
    """Read all entries once, for a page of `limit` rows."""
    found = Survey()
    smallest: dict[Kind, int] = {}
    likely: set[str] = set()
    largest_first: list[tuple[int, str]] = []
    last, key = "", key_of(seed, "")
    for entry in entries:
        if entry.problem_id != last:  # a problem's rows follow each other: most keys are that of the row before
            last, key = entry.problem_id, key_of(seed, entry.problem_id)
        kind = kind_of(entry)
        found.counts[kind] += 1
        if key < smallest.get(kind, 1 << 64):
            smallest[kind], found.firsts[kind] = key, entry
        if last in likely:
            continue
        if len(likely) < limit:
            heappush(largest_first, (-key, last))
            likely.add(last)
        elif -key > largest_first[0][0]:  # one that was pushed out never comes back: the largest key only falls
            likely.discard(heappushpop(largest_first, (-key, last))[1])
            likely.add(last)
    found.likely = frozenset(likely)
    return found


def gather(entries: Iterable[Entry], problems: set[str], seed: int) -> dict[str, Whole]:
    """The rows that each of these problems would be shown with, in the order of the configs."""
    wholes: dict[str, Whole] = {}
    kept: dict[tuple[str, str], list[tuple[bool, int, int, Entry]]] = {}
    for entry in entries:
        if entry.problem_id not in problems:
            continue
        wholes.setdefault(entry.problem_id, Whole()).there[entry.config] += 1
        few = kept.setdefault((entry.config, entry.problem_id), [])
        later = entry.config in POOLS and entry.grade in PUBLISHED
        insort(few, (later, key_of(seed, entry.family), entry.number, entry))
        del few[PER_PROBLEM:]
    for (_, problem_id), few in kept.items():
        wholes[problem_id].entries += sorted((entry for *_, entry in few), key=lambda entry: entry.number)
    return wholes


def choose(found: Survey, wholes: Mapping[str, Whole], limit: int, seed: int) -> list[Entry]:
    """The rows of the page, problem by problem: at most `limit`, or one of each kind where there are more kinds."""
    ranks = {name: (-len(whole.there), key_of(seed, name), name) for name, whole in wholes.items()}
    chosen: dict[tuple[str, int], Entry] = {}
    missing = dict.fromkeys(sorted(found.counts, key=lambda kind: (found.counts[kind], kind)))

    def take(entries: Iterable[Entry], room: int) -> bool:
        new = {(entry.config, entry.number): entry for entry in entries}
        for place in chosen.keys() & new.keys():
            del new[place]
        if len(new) > room - len(chosen):
            return False
        chosen.update(new)
        for entry in new.values():
            missing.pop(kind_of(entry), None)
        return True

    while missing:
        rarest = next(iter(missing))
        first = found.firsts[rarest]
        whole = wholes[first.problem_id].entries
        extra = [] if rarest in map(kind_of, whole) else [first]
        if not take([*whole, *extra], limit - len(missing) + 1):
            take([first], len(chosen) + 1)
    for name in sorted(wholes, key=ranks.__getitem__):
        if not take(wholes[name].entries, limit):
            break
    order = {config: number for number, config in enumerate(dict.fromkeys(kind.config for kind in found.counts))}
    return sorted(chosen.values(), key=lambda entry: (ranks[entry.problem_id], order[entry.config], entry.number))
