#!/usr/bin/env python3
"""Whether the numbers of `compare` hold: coverage of its intervals, errors of its tests, power at what is detectable.

    .venv/bin/python scripts/bench_statistics.py [--draws N] [--resamples N] [--json]

Evals are drawn from known truths and given to the functions that `compare` calls. An interval of 95 % must hold the
true difference in 95 of 100 draws; a test at 5 % may find a difference that is not there in 5 of 100.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import json
from typing import Any

import numpy as np
from scipy.stats import norm

from wrongcot_train import statistics as stats
from wrongcot_train.compare import MIN_FLIPS

ITEMS = (24, 50, 100, 200, 500, 1319)
MOVED = (0.02, 0.05, 0.1, 0.2, 0.4)
ONE_WAY = (0.5, 0.75)
"""Share of the flips that are gained: no difference, and half as large a one as these flips allow."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2500)
    parser.add_argument("--resamples", type=int, default=999, help="of the bootstrap; compare takes 9,999")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rng = np.random.default_rng(7)
    draws, resamples = options.draws, options.resamples
    cells = itertools.product(ITEMS, MOVED, ONE_WAY)
    found = {
        "single": [single(rng, n, moved, way, draws, resamples) for n, moved, way in cells],
        "groups": [
            groups(rng, n, runs, level, draws // 5, resamples)
            for level in (-0.6, -2.8)
            for n in (100, 300)
            for runs in (2, 3)
        ],
        "runs": [over_runs(rng, runs, draws) for runs in (2, 3, 5)],
        "power": [power(rng, n, moved, draws) for n in ITEMS[1:] for moved in (0.1, 0.2)],
    }
    if options.json:
        print(json.dumps(found))
        return
    for name, rows in found.items():
        print(f"== {name} ==")
        print("  ".join(f"{column:>9}" for column in rows[0]))
        for row in rows:
            print("  ".join(f"{value:9.3f}" if isinstance(value, float) else f"{value:>9}" for value in row.values()))


@functools.cache
def ends(gained: int, lost: int, n: int, resamples: int) -> dict[str, tuple[float, float]]:
    """The intervals of one outcome, and which of them `compare` shows."""
    values = [1.0] * gained + [-1.0] * lost + [0.0] * (n - gained - lost)
    bootstrap = stats.bootstrap_mean(values, resamples=resamples)
    score = stats.score_difference(gained, lost, n)
    return {"bootstrap": bootstrap, "score": score, "shown": score if gained + lost < MIN_FLIPS else bootstrap}


def single(rng: np.random.Generator, n: int, moved: float, way: float, draws: int, resamples: int) -> dict[str, Any]:
    """One run a side: how often each interval holds the truth, and McNemar's test finds what is not there."""
    gained, lost = moved * way, moved * (1 - way)
    outcomes = rng.multinomial(n, [gained, lost, 1 - moved], size=draws)[:, :2]
    seen, counts = np.unique(outcomes, axis=0, return_counts=True)
    held = dict.fromkeys(("bootstrap", "score", "shown"), 0)
    errors = 0
    for (b, c), count in zip(seen.tolist(), counts.tolist(), strict=True):
        for name, (low, high) in ends(b, c, n, resamples).items():
            held[name] += count * (low - 1e-12 <= gained - lost <= high + 1e-12)
        errors += count * (stats.mcnemar(b, c) < 0.05)
    coverage = {name: count / draws for name, count in held.items()}
    return {"items": n, "flips": moved, "gained": way, **coverage, "p < 0.05": errors / draws}


def groups(rng: np.random.Generator, n: int, runs: int, level: float, draws: int, resamples: int) -> dict[str, Any]:
    """Several runs a side, whose students stay the same while the items are drawn anew; `level` says how good."""
    ease, own = 1.0, 0.7
    skill = [level, level + 0.3]
    right = [float(norm.cdf(one / np.hypot(1, np.hypot(ease, own)))) for one in skill]
    held = dict.fromkeys(("bootstrap", "score", "shown"), 0)
    errors = few = 0
    for _ in range(draws):
        item = rng.normal(0, ease, size=(n, 1))
        a, b, same = (
            (one + item + rng.normal(0, np.hypot(1, own), size=(n, runs)) > 0).mean(axis=1)
            for one in (*skill, skill[0])
        )
        moved = b - a
        found = {
            "bootstrap": stats.bootstrap_mean(moved.tolist(), resamples=resamples),
            "score": stats.score_difference(float(moved.clip(0).sum()), float((-moved).clip(0).sum()), n),
        }
        flipped = int((moved != 0).sum())
        found["shown"] = found["score" if flipped < MIN_FLIPS else "bootstrap"]
        few += flipped < MIN_FLIPS
        for name, (low, high) in found.items():
            held[name] += low <= right[1] - right[0] <= high
        errors += stats.sign_flip((same - a).tolist(), resamples=999) < 0.05
    coverage = {name: count / draws for name, count in held.items()}
    told = {"items": n, "runs": runs, "right": right[0], "true": right[1] - right[0], "few": few / draws}
    return {**told, **coverage, "p < 0.05": errors / draws}


def over_runs(rng: np.random.Generator, runs: int, draws: int, n: int = 200) -> dict[str, Any]:
    """Runs drawn anew on the same items: each has a level of its own, and luck with each item."""
    item = rng.normal(0, 1, size=n)
    spread, skill = 0.3, (-0.6, -0.3)
    wide = float(np.hypot(1, spread))
    right = [float(norm.cdf((level + item) / wide).mean()) for level in skill]
    held = errors = 0
    for _ in range(draws):
        a, b, c = (
            (level + rng.normal(0, spread, size=(runs, 1)) + item + rng.normal(size=(runs, n)) > 0)
            .mean(axis=1)
            .tolist()
            for level in (*skill, skill[0])
        )
        p_and_interval, same = stats.welch(a, b), stats.welch(a, c)
        held += p_and_interval is not None and (p_and_interval[1].low <= right[1] - right[0] <= p_and_interval[1].high)
        errors += same is not None and same[0] < 0.05
    return {"runs": runs, "true": right[1] - right[0], "held": held / draws, "p < 0.05": errors / draws}


def power(rng: np.random.Generator, n: int, moved: float, draws: int) -> dict[str, Any]:
    """How often McNemar's test finds a difference that is just as large as what is said to be detectable."""
    size = stats.smallest_detectable(n, moved)
    flips = max(moved, size)
    outcomes = rng.multinomial(n, [(flips + size) / 2, (flips - size) / 2, 1 - flips], size=draws)[:, :2].tolist()
    found = sum(stats.mcnemar(b, c) < 0.05 for b, c in outcomes)
    return {"items": n, "flips": moved, "size": size, "found": found / draws}


if __name__ == "__main__":
    main()
