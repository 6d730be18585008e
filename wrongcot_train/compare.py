"""Evals side by side: read, held against each other, paired by item, and what their differences are worth.

A *group* is one student, or several runs of one recipe that differ in their seed. The strict score is what counts: of
every item, and no answer is no right answer. Of an item with several replies the share of them that is right counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput, missing_extra
from wrongcot_train import statistics as stats
from wrongcot_train.evaluate.reading import REPLY_TEXTS, Run, read_run
from wrongcot_train.evaluate.scoring import accuracy

MIN_ITEMS = 6
"""Five items cannot show a difference at 5 %: if all flip one way, p is still 0.0625."""

MIN_FLIPS = 15
"""With fewer, the bootstrap's interval covers too little (`scripts/bench_statistics.py`): Tango's takes its place."""

CONDITIONS: Mapping[str, str] = {
    "task": "",
    "split": "",
    "prompt_template": "--allow prompt_template    (if how they are asked is part of what you compare)",
    "grader_version": "the eval commands again    (they keep every reply, and grade anew)",
    "max_tokens": "wrongcot-train eval ... --max-tokens N --out ANOTHER    (the same for all)",
    "temperature": "wrongcot-train eval ... --out ANOTHER    (with the same sampling for all)",
    "top_p": "wrongcot-train eval ... --out ANOTHER    (with the same sampling for all)",
}
"""What must be the same in all evals, and what to do where it is not."""

ALLOWED = tuple(name for name in CONDITIONS if name not in ("task", "split"))
"""What may differ where the user says so."""

TOLD = ("engine", "dtype", "sandbox")
"""What may differ, and is said: it changes few replies or grades by itself, but not none."""


@dataclass(frozen=True, slots=True)
class Group:
    """A student, by one run or several."""

    name: str
    runs: tuple[Run, ...]


def read_groups(folders: Mapping[str, Sequence[Path]]) -> list[Group]:
    """Read the evals of each group, by name.

    Raises:
        BadInput: fewer than two groups, a group without runs, a run twice in one; and as `read_run`.
    """
    if len(folders) < 2:
        raise BadInput("a comparison needs two evals or more", try_=["wrongcot-train compare evals/A evals/B"])
    groups = []
    for name, places in folders.items():
        if not places:
            raise BadInput(f"the group {name} has no runs", try_=[f"--group {name}=FOLDER,FOLDER"])
        if len({place.resolve() for place in places}) < len(places):
            raise BadInput(f"the group {name} has one folder twice, which is no second run")
        groups.append(Group(name, tuple(read_run(place) for place in places)))
    return groups


def check_comparable(groups: Sequence[Group], allow: Sequence[str] = ()) -> list[str]:
    """See that all runs were asked in the same way.

    Returns:
        what differs all the same and is allowed or does not forbid a comparison, a sentence each.

    Raises:
        BadInput: a condition differs; the message says who has what, and what to do.
    """
    runs = [run for group in groups for run in group.runs]
    notes = []
    for name, remedy in CONDITIONS.items():
        values = _values(runs, name)
        if len(values) < 2:
            continue
        told = f"{name} differs: {_who(values)}"
        if name not in allow:
            raise BadInput(f"these evals cannot be compared: {told}", try_=[remedy] if remedy else [])
        notes.append(f"{told}; allowed")
    for name in TOLD:
        values = _values(runs, name)
        if len(values) > 1:
            notes.append(f"{name} differs, which alone can change some items: {_who(values)}")
    counts = _values(runs, "samples")
    if len(counts) > 1:
        notes.append(f"replies an item differ, which no mean depends on but its spread does: {_who(counts)}")
    if any(run.samples > 1 for run in runs):
        notes.append(
            "of several replies to an item the share that is right is compared: by sign flips, not McNemar's test"
        )
    for group in groups:
        weights = {run.score.get("revision") for run in group.runs}
        if len(weights) < len(group.runs):
            notes.append(f"{group.name} has the same weights more than once: no runs of different seeds")
    return notes


def _values(runs: Sequence[Run], name: str) -> dict[str, list[Run]]:
    """The runs by what their score says; what an older score does not say differs from nothing."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        if run.score.get(name) is not None:
            found.setdefault(str(run.score[name]), []).append(run)
    return found


def _who(values: Mapping[str, Sequence[Run]]) -> str:
    return ", ".join(f"{value or 'none'} in {runs[0].folder}" for value, runs in values.items())


def shared_items(groups: Sequence[Group], common: bool) -> tuple[list[str], dict[str, list[str]]]:
    """The items that every run was asked, in the order of the first; and by folder those that some other was not.

    Args:
        common: whether to go on without the items that are not in every run.

    Raises:
        BadInput: items differ and `common` is not said, or too few are shared to show anything.
    """
    runs = [run for group in groups for run in group.runs]
    kept = [name for name in runs[0].items if all(name in run.items for run in runs)]
    among = set(kept)
    left_out = {str(run.folder): [name for name in run.items if name not in among] for run in runs}
    left_out = {folder: names for folder, names in left_out.items() if names}
    if left_out and not common:
        told = "; ".join(left_out_text(folder, names) for folder, names in list(left_out.items())[:3])
        told += f"; and {len(left_out) - 3} evals more" if len(left_out) > 3 else ""
        hints = [f"--common-items    (the {len(kept)} items in all of them)"] if len(kept) >= MIN_ITEMS else []
        hints.append("wrongcot-train eval ... --limit N    (the same task, split, seed and limit for all)")
        raise BadInput(f"these evals have different items, {len(kept)} of them in all: {told}", try_=hints)
    if len(kept) < MIN_ITEMS:
        raise BadInput(
            f"{len(kept)} items cannot show a difference: even if each flips one way, p is above 0.05",
            try_=["wrongcot-train eval ... --limit 200    (keeps the replies that there are)"],
        )
    return kept, left_out


def left_out_text(folder: str, names: Sequence[str]) -> str:
    """How many items of an eval are not in all others, and the first of them by name."""
    more = ", ..." if len(names) > 3 else ""
    return f"{len(names)} in {folder} that not all have ({', '.join(names[:3])}{more})"


def compare(
    groups: Sequence[Group],
    *,
    allow: Sequence[str] = (),
    common: bool = False,
    all_pairs: bool = False,
    flips: int = 0,
    seed: int = 0,
) -> dict[str, Any]:
    """Compare groups, each with the first or each with each.

    Args:
        allow: conditions that may differ, of `ALLOWED`.
        common: compare over the items that all have, where not all have the same.
        flips: of how many items that flipped each way to give the texts.
        seed: of the resampling.

    Returns:
        plain values: groups with their scores, comparisons with intervals and tests, items left out, notes.

    Raises:
        BadInput: the evals cannot be compared.
        Unavailable: scipy is not installed.
    """
    try:
        import scipy.stats  # noqa: F401
    except ImportError as error:
        raise missing_extra("scipy", "train") from error
    notes = check_comparable(groups, allow)
    kept, left_out = shared_items(groups, common)
    first = groups[0].runs[0].score
    pairs = list(combinations(groups, 2)) if all_pairs else [(groups[0], group) for group in groups[1:]]
    comparisons = [compare_pair(a, b, kept, flips, seed) for a, b in pairs]
    for family in ("strict", "answered", "runs"):
        tests = [one[family] for one in comparisons if one[family] is not None]
        for test, adjusted in zip(tests, stats.holm([test["p"] for test in tests]), strict=True):
            test["p_holm"] = adjusted
    return {
        "task": first["task"],
        "split": first["split"],
        "n": len(kept),
        "groups": [group_scores(group, kept) for group in groups],
        "comparisons": comparisons,
        "left_out": left_out,
        "notes": notes,
        "seed": seed,
    }


def group_scores(group: Group, kept: Sequence[str]) -> dict[str, Any]:
    """A group's mean strict score with its interval over items; `deviation` is how far its runs lie apart."""
    runs: list[dict[str, Any]] = []
    for run in group.runs:
        items = [run.items[name] for name in kept]
        right = [item.right for item in items]
        asked = {name: run.score.get(name) for name in ("model", "revision", *TOLD)}
        strict_score = accuracy(right, [run.samples] * len(items))
        answered = accuracy(right, [item.answered for item in items])
        scores = {"strict": strict_score, "answered": answered, "samples": run.samples}
        runs.append({"folder": str(run.folder), **scores, **asked})
    found = stats.spread([strict(run, kept) for run in group.runs])
    replies = sum(run.samples for run in group.runs)
    _, interval = stats.wilson_items([replies * share(group, name) for name in kept], [replies] * len(kept))
    over = {"low": interval.low, "high": interval.high}
    return {"name": group.name, "strict": found.mean, **over, "deviation": found.deviation, "runs": runs}


def compare_pair(a: Group, b: Group, kept: Sequence[str], flips: int, seed: int) -> dict[str, Any]:
    """B less A over the same items; see `over_items` and `over_runs`.

    `answered` is over the items that every run of both answered at least once, and of their answered replies, so it is
    of a choice that the students made.
    """
    differences = {name: share(b, name) - share(a, name) for name in kept}
    gained = sorted((name for name in kept if differences[name] > 0), key=lambda name: -differences[name])
    lost = sorted((name for name in kept if differences[name] < 0), key=lambda name: differences[name])
    both = [name for name in kept if all(run.items[name].answered for run in (*a.runs, *b.runs))]
    of_answered = [share(b, name, answered=True) - share(a, name, answered=True) for name in both]
    single = all(len(group.runs) == 1 and group.runs[0].samples == 1 for group in (a, b))
    return {
        "a": a.name,
        "b": b.name,
        "strict": over_items([differences[name] for name in kept], single, seed),
        "answered": over_items(of_answered, single, seed) if len(both) >= MIN_ITEMS else None,
        "runs": over_runs(a, b, kept),
        "gained": gained,
        "lost": lost,
        "flips": [texts(a, b, name) for side in (gained, lost) for name in side[:flips]],
    }


def share(group: Group, name: str, *, answered: bool = False) -> float:
    """Mean over a group's runs of the share of its replies to an item that are right; `answered`: of those that have an
    answer, of which there must be one.
    """
    items = [run.items[name] for run in group.runs]
    return sum(item.right / (item.answered if answered else len(item.replies)) for item in items) / len(items)


def strict(run: Run, kept: Sequence[str]) -> float:
    """A run's score over these items."""
    return sum(run.items[name].right for name in kept) / (run.samples * len(kept))


def over_items(differences: Sequence[float], single: bool, seed: int) -> dict[str, Any]:
    """What the difference is worth if other items of this kind were asked of these very students.

    Args:
        differences: one an item.
        single: one run a side and one reply an item, so that each is -1, 0 or 1.
    """
    n = len(differences)
    gained, lost = sum(value > 0 for value in differences), sum(value < 0 for value in differences)
    few = gained + lost < MIN_FLIPS
    if few:
        up, down = (sum(max(0.0, sign * value) for value in differences) for sign in (1, -1))
        interval, method = stats.score_difference(up, down, n), "score"
    else:
        interval, method = stats.bootstrap_mean(differences, seed=seed), "bootstrap"
    odds, odds_interval = stats.flip_odds(gained, lost) if single else (None, None)
    moved = sum(value * value for value in differences) / n
    return {
        "n": n,
        "difference": sum(differences) / n,
        "low": interval.low,
        "high": interval.high,
        "interval": method,
        "few_flips": few,
        "p": stats.mcnemar(gained, lost) if single else stats.sign_flip(differences, seed=seed),
        "test": "exact McNemar" if single else "sign flips",
        "gained": gained,
        "lost": lost,
        "odds": None
        if odds_interval is None
        else {"value": _finite(odds), "low": odds_interval.low, "high": _finite(odds_interval.high)},
        "detectable": stats.smallest_detectable(n, moved),
    }


def _finite(value: float | None) -> float | None:
    """JSON has no infinity."""
    return None if value is None or value == float("inf") else value


def over_runs(a: Group, b: Group, kept: Sequence[str]) -> dict[str, Any] | None:
    """What the difference is worth if other seeds were trained and asked these very items; None of single runs."""
    of_a, of_b = ([strict(run, kept) for run in group.runs] for group in (a, b))
    found = stats.welch(of_a, of_b)
    if found is None:
        return None
    p, interval = found
    return {
        "n": [len(a.runs), len(b.runs)],
        "difference": stats.spread(of_b).mean - stats.spread(of_a).mean,
        "low": interval.low,
        "high": interval.high,
        "p": p,
        "test": "Welch's t",
    }


def texts(a: Group, b: Group, name: str) -> dict[str, Any]:
    """An item that flipped, with what each side wrote: the first of its replies that shows the difference."""
    better = share(b, name) > share(a, name)
    replies = {}
    for side, group, wanted in (("a", a, not better), ("b", b, better)):
        written = [reply for run in group.runs for reply in run.items[name].replies]
        shown = next((reply for reply in written if bool(reply["correct"]) == wanted), written[0])
        replies[side] = {column: shown[column] for column in REPLY_TEXTS}
    return {
        "problem_id": name,
        "flip": "gained" if better else "lost",
        "prompt": a.runs[0].items[name].prompt,
        **replies,
    }
