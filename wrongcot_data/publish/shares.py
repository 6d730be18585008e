"""How much of each level of `corrupt` is wrong, counted in the files themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from wrongcot_data.publish.dataset import config_rows
from wrongcot_data.variants.corrupt.rows import CONFIGS


def shares(folder: Path, configs: Iterable[str]) -> dict[str, dict[str, float]]:
    """By level: its rows, steps made wrong, steps that are valid or wrong, and the share of the former in the latter.

    Of programs, whose statements are `unchecked` by themselves, the second is all statements.
    """
    found = {}
    for config in configs:
        if config not in CONFIGS:
            continue
        count: Counter[str] = Counter()
        for row in config_rows(folder, config, ["steps"]):
            count.update(step["verdict"] for step in row["steps"])
            count["wrong"] += sum(step["operator"] != "" for step in row["steps"])
            count["rows"] += 1
        of = count["valid"] + count["invalid"] or count["unchecked"]
        share = round(count["wrong"] / of, 4) if of else 0.0
        found[config] = {"rows": count["rows"], "wrong": count["wrong"], "of": of, "share": share}
    return found
