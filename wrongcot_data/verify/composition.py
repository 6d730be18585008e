"""Are matched variants alike, and mixes what they say? From the rows of a data set alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from wrongcot_data.measure.tokens import token_counter
from wrongcot_data.publish.columns import SAMPLES, text_of
from wrongcot_data.publish.composition import described, drawn_rows, read_index, success_rates
from wrongcot_data.publish.dataset import config_rows
from wrongcot_data.spec import BuildSpec, make_spec
from wrongcot_data.variants.matching import MIX, Index, matched, mixed, mixes_of
from wrongcot_data.variants.pooled import REPLIES
from wrongcot_data.views import VIEWS


def composition_differences(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """What of the matching and the mixes is not as the manifest says, one line each.

    Raises:
        Unavailable: tokens were matched and the tokenizer cannot be had here.
    """
    spec = make_spec(manifest["spec"])
    others = (SAMPLES, *REPLIES, *VIEWS)
    variants = [config for config in manifest["rows"] if config not in others and not config.startswith(MIX)]
    index = read_index(folder, variants, token_counter(spec.tokenizer) if spec.tokenizer else None)
    rates = success_rates(folder)
    for name, entries in index.items():
        found, told = described(entries, rates), manifest["composition"]["after"].get(name)
        if found != told:
            yield f"composition: {name} has {found}, but the manifest says {told}"
    if spec.match in ("problems", "size"):
        yield from _unmatched(index, spec)
    for name, shares in mixes_of(spec).items():
        yield from _mix(folder, name, mixed(index, shares, spec.seed))


def _unmatched(index: Index, spec: BuildSpec) -> Iterator[str]:
    """Rows that matching the variants once more would leave out: another variant lacks their counterpart."""
    for name, numbers in matched(index, spec.match, spec.seed).items():
        for number in sorted(set(range(len(index[name]))) - set(numbers)):
            problem = index[name][number].problem_id
            yield f"{name} row {number} ({problem}): is not matched, another variant has no row for it"


def _mix(folder: Path, name: str, drawn: list[tuple[str, int]]) -> Iterator[str]:
    """Rows of a mix that are not those that its parts, shares and seed make."""
    for number, (found, wanted) in enumerate(zip_longest(config_rows(folder, name), drawn_rows(folder, drawn))):
        if found is None:
            yield f"{name}: lacks the row of {wanted['variant']} for {wanted['problem_id']}"
        elif wanted is None:
            yield f"{name} row {number} ({found['problem_id']}): has no place in the mix"
        elif found != wanted:
            here, there = (f"{row['variant']}'s {row['problem_id']} {text_of(row)[:20]!r}" for row in (found, wanted))
            yield f"{name} row {number}: is {here}, but the mix has {there}"
            return  # what follows is only shifted
