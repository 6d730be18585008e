"""The table of a sweep as text: scores, differences, what is missing, cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wrongcot_train.cli.compare import items_text, runs_text, table
from wrongcot_train.sweep.table import seconds


def as_text(result: Mapping[str, Any]) -> str:
    """The table for people, then the differences, then what is missing."""
    parts = [rows_text(result["rows"]), *_differences(result["comparisons"])]
    notes = [*_notes(result["comparisons"]), *_cost_text(result["cost"])]
    if result["others"]:
        notes.append(f"not of this sweep, and left as they are: {', '.join(result['others'])}")
    return "\n\n".join([*parts, "\n".join(notes)])


def rows_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A line a cell and eval; where there is no score, why."""
    head = ["scores in %", "eval", "strict", "over items", "right", "answered", "tokens", "s", "written", "s"]
    lines = [head]
    for row in rows:
        if row["state"] == "done":
            share = [_percent(row["strict"]), _interval(row), f"{row['strict_correct']}/{row['strict_n']}"]
            training = [_count(row["trained_tokens"] or row["train_tokens"]), seconds(row["train_seconds"])]
            written = [_count(row["eval_tokens"]), seconds(row["eval_seconds"])]
            lines.append([row["cell"], row["eval"], *share, _percent(row["answered"]), *training, *written])
        else:
            why = f": {row['error']}" if row["error"] else ""
            lines.append([row["cell"], row["eval"], f"{row['state']}{why}"])
    return table(lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}"


def _interval(row: Mapping[str, Any]) -> str:
    return f"[{100 * row['strict_low']:.1f}, {100 * row['strict_high']:.1f}]"


def _count(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def flat(found: Sequence[Mapping[str, Any]]) -> tuple[list[dict[str, Any]], list[Mapping[str, Any]]]:
    """All comparisons of a sweep, and all groups; named with their student and eval where there are several."""
    compared = [one for one in found if one["result"]]
    several = len({(one["student"], one["eval"]) for one in found}) > 1
    pairs, groups = [], []
    for one in compared:
        where = f"{one['student']}, {one['eval']}: " if several else ""
        pairs += [{**pair, "b": f"{where}{pair['b']}"} for pair in one["result"]["comparisons"]]
        groups += one["result"]["groups"]
    return pairs, groups


def _differences(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    pairs, groups = flat(found)
    if pairs:
        yield "differences in points, intervals of 95 %, Holm over all of them\n" + items_text(pairs)
        yield from runs_text(pairs, groups)


def _notes(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for one in found:
        where = f"{one['student']}, {one['eval']}"
        if one["why"]:
            yield f"not compared: {where}: {one['why']}"
            continue
        yield from (f"note: {where}: {note}" for note in one["result"]["notes"])
        if one["result"]["left_out"]:
            yield f"note: {where}: over the {one['result']['n']} items that all were asked"


def _cost_text(cost: Mapping[str, float]) -> Iterator[str]:
    trained, written = cost["trained_tokens"] or cost["train_tokens"], cost["eval_tokens"]
    yield (
        f"cost: {trained:,.0f} tokens of training in {seconds(cost['train_seconds'])} s,"
        f" {written:,.0f} tokens written in {seconds(cost['eval_seconds'])} s"
    )
