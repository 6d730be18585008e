"""Matching and mixing: which rows of which variants, so that a comparison of students changes one thing only. Pure.

Problems are ordered by a hash of the seed and their id. Every choice takes the first of that order, so the choices of
all variants overlap as far as they can, and mixes are nested: the problems that are wrong in a mix with half wrong are
wrong in one with three quarters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from wrongcot_data.spec import BuildSpec, Match, derive_seed

MIX = "mix-"
"""How the config of a mix begins."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row as matching sees it.

    Attributes:
        tokens: of its completion; 0 where they do not matter.
    """

    problem_id: str
    tokens: int = 0


Index = Mapping[str, Sequence[Entry]]
"""The rows of each variant, in the order of its files."""

Chosen = dict[str, list[int]]
"""Numbers of the rows that are kept, by variant, ascending."""


def matched(index: Index, match: Match, seed: int) -> Chosen:
    """The rows of each variant that stay."""
    if match == "problems":
        return _same_problems(index)
    ranked = {name: _by_rank(entries, seed) for name, entries in index.items()}
    if match == "size":
        fewest = min((len(entries) for entries in index.values()), default=0)
        return {name: sorted(numbers[:fewest]) for name, numbers in ranked.items()}
    if match == "tokens":
        budget = min((sum(entry.tokens for entry in entries) for entries in index.values()), default=0)
        return {name: sorted(_within(index[name], numbers, budget)) for name, numbers in ranked.items()}
    return {name: list(range(len(entries))) for name, entries in index.items()}


def _same_problems(index: Index) -> Chosen:
    """The first rows of every problem, as many as the variant with the fewest of it has."""
    counts = [Counter(entry.problem_id for entry in entries) for entries in index.values()]
    quota = {problem: min(count[problem] for count in counts) for problem in counts[0]} if counts else {}
    chosen: Chosen = {}
    for name, entries in index.items():
        seen: Counter[str] = Counter()
        chosen[name] = []
        for number, entry in enumerate(entries):
            seen[entry.problem_id] += 1
            if seen[entry.problem_id] <= quota.get(entry.problem_id, 0):
                chosen[name].append(number)
    return chosen


def _by_rank(entries: Sequence[Entry], seed: int) -> list[int]:
    ranks = {entry.problem_id: rank(seed, entry.problem_id) for entry in entries}
    return sorted(range(len(entries)), key=lambda number: (ranks[entries[number].problem_id], number))


def _within(entries: Sequence[Entry], numbers: Iterable[int], budget: int) -> Iterable[int]:
    """Rows in their order as long as they fit; one that does not fit is passed over for shorter ones."""
    for number in numbers:
        if entries[number].tokens <= budget:
            budget -= entries[number].tokens
            yield number


def rank(seed: int, problem_id: str) -> tuple[int, str]:
    """The place of a problem in the order of a seed."""
    return derive_seed("match", seed, problem_id), problem_id


def mix_name(shares: Mapping[str, float]) -> str:
    """The config of a mix, such as `mix-right-25-wrong-75`."""
    scale = sum(shares.values())
    return MIX + "-".join(f"{name}-{round(100 * share / scale, 1):g}" for name, share in sorted(shares.items()))


def mixes_of(spec: BuildSpec) -> dict[str, dict[str, float]]:
    """The mixes of a spec by their configs, each with the share of its parts."""
    return {mix_name(shares): shares for shares in spec.mixes}


def mixed(index: Index, shares: Mapping[str, float], seed: int) -> list[tuple[str, int]]:
    """A mix: of each problem the rows of one variant, so many problems each that the shares come out.

    Problems that lack a row in any part are left out: any problem must be able to come from any part. Shares are
    rounded to whole problems by largest remainders. Of every problem as many rows are taken as its poorest part has.

    Returns:
        Variant and number of each row, in the order of the problems in the first part.
    """
    parts = {name: index[name] for name in sorted(shares)}
    same = _same_problems(parts)
    rows = {name: _by_problem(parts[name], numbers) for name, numbers in same.items()}
    problems = list(next(iter(rows.values()), {}))
    ordered = sorted(problems, key=lambda problem: rank(seed, problem))
    part_of: dict[str, str] = {}
    begin = 0
    for name, count in _whole(len(ordered), {name: shares[name] for name in parts}).items():
        part_of |= dict.fromkeys(ordered[begin : begin + count], name)
        begin += count
    return [(part_of[problem], number) for problem in problems for number in rows[part_of[problem]][problem]]


def _by_problem(entries: Sequence[Entry], numbers: Iterable[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number in numbers:
        found.setdefault(entries[number].problem_id, []).append(number)
    return found


def _whole(total: int, shares: Mapping[str, float]) -> dict[str, int]:
    """Whole numbers in these shares that sum to the total (largest remainders, ties by name)."""
    scale = sum(shares.values())
    exact = {name: total * share / scale for name, share in shares.items()}
    counts = {name: int(value) for name, value in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (counts[name] - exact[name], name))
    for name in by_remainder[: total - sum(counts.values())]:
        counts[name] += 1
    return counts
