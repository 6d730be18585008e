"""Matches and mixes the variants of a data set whose rows were just written, and reads from files what it takes."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from wrongcot_data.publish.columns import SAMPLES, text_of
from wrongcot_data.publish.dataset import ConfigWriter, config_files, config_rows
from wrongcot_data.receipt import Receipt
from wrongcot_data.spec import BuildSpec
from wrongcot_data.variants.matching import Chosen, Entry, Index, matched, mixed, mixes_of

CountTokens = Callable[[list[str]], list[int]]
"""Tokens of each text."""

ROWS_AT_ONCE = 1000


def compose(
    folder: Path, configs: Sequence[str], spec: BuildSpec, account: Receipt, count_tokens: CountTokens | None
) -> dict[str, Any]:
    """Cut the variants to what they shall have alike, then draw the mixes from what is left of them.

    Args:
        folder: of a data set whose configs are all written; changed in place.
        configs: the variants' configs.
        spec: says what to match and mix.
        account: the receipt so far; what is left out is added to it.
        count_tokens: where tokens matter.

    Returns:
        For the manifest: how it was matched, and what each variant had before and has after: rows, problems, tokens
        where they were counted, and how often the teacher solves its problems.
    """
    index = read_index(folder, configs, count_tokens)
    rates = success_rates(folder)
    chosen = matched(index, spec.match, spec.seed)
    before = {name: described(entries, rates) for name, entries in index.items()}
    for name in configs:
        dropped = len(index[name]) - len(chosen[name])
        if dropped:
            _keep(folder, name, spec.split, set(chosen[name]))
            account.kept[name] -= dropped
            account.leave_out(name, "not matched", dropped)
    left = kept_of(index, chosen)
    for name, shares in mixes_of(spec).items():
        drawn = mixed(left, shares, spec.seed)
        _write_mix(folder, name, spec.split, drawn, next(iter(shares)))
        asked = min(account.asked[part] for part in shares)
        account.asked[name], account.kept[name] = asked, len(drawn)
        account.leave_out(name, "not in every part", asked - len(drawn))
    after = {name: described(entries, rates) for name, entries in left.items()}
    return {"match": spec.match, "before": before, "after": after}


def read_index(folder: Path, configs: Sequence[str], count_tokens: CountTokens | None) -> dict[str, list[Entry]]:
    """The rows of each config as matching sees them."""
    columns = ["problem_id", *(["completion"] if count_tokens else [])]
    index: dict[str, list[Entry]] = {}
    for config in configs:
        index[config] = []
        for rows in _chunks(config_rows(folder, config, columns)):
            tokens = count_tokens([text_of(row) for row in rows]) if count_tokens else [0] * len(rows)
            index[config] += [Entry(row["problem_id"], count) for row, count in zip(rows, tokens, strict=True)]
    return index


def _chunks(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(rows, ROWS_AT_ONCE)):
        yield chunk


def kept_of(index: Index, chosen: Chosen) -> dict[str, list[Entry]]:
    """The rows that stay, numbered anew."""
    return {name: [entries[number] for number in chosen[name]] for name, entries in index.items()}


def success_rates(folder: Path) -> dict[str, float]:
    """How often each problem was solved: right replies to right and wrong ones; problems with neither are left out."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in config_rows(folder, SAMPLES, ["problem_id", "grade"]):
        counts[row["problem_id"]][row["grade"]] += 1
    graded = {problem: count["correct"] + count["wrong"] for problem, count in counts.items()}
    return {problem: counts[problem]["correct"] / total for problem, total in graded.items() if total}


def described(entries: Sequence[Entry], rates: Mapping[str, float]) -> dict[str, Any]:
    """What a variant has: rows, problems, tokens where they were counted, mean success rate of its rows' problems."""
    known = [rates[entry.problem_id] for entry in entries if entry.problem_id in rates]
    tokens = sum(entry.tokens for entry in entries)
    return {
        "rows": len(entries),
        "problems": len({entry.problem_id for entry in entries}),
        **({"tokens": tokens} if tokens else {}),
        **({"success_rate": round(sum(known) / len(known), 4)} if known else {}),
    }


def _keep(folder: Path, config: str, split: str, numbers: set[int]) -> None:
    """Write a config again with only some of its rows."""
    schema = pq.read_schema(config_files(folder, config)[0])
    with ConfigWriter(folder / ".matched", config, split, schema) as writer:
        for number, row in enumerate(config_rows(folder, config)):
            if number in numbers:
                writer.write([row])
    shutil.rmtree(folder / config)
    (folder / ".matched" / config).replace(folder / config)
    shutil.rmtree(folder / ".matched")


def _write_mix(folder: Path, name: str, split: str, drawn: Sequence[tuple[str, int]], part: str) -> None:
    """Copy rows of the parts."""
    with ConfigWriter(folder, name, split, pq.read_schema(config_files(folder, part)[0])) as writer:
        for row in drawn_rows(folder, drawn):
            writer.write([row])


def drawn_rows(folder: Path, drawn: Sequence[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """The rows of a mix. All files are in the order of the problems, so each part is read once, from its start."""
    readers = {part: enumerate(config_rows(folder, part)) for part, _ in drawn}
    for part, number in drawn:
        yield next(row for at, row in readers[part] if at == number)
