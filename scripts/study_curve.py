#!/usr/bin/env python3
"""What `scripts/study_countdown` found: `curve.json`, the same as a table for the docs, and a picture.

    .venv/bin/python scripts/study_curve.py STUDY [--seconds N] [--docs docs]

Reads what the real commands wrote into STUDY (sft.json, training.jsonl and curve.jsonl of both halves, eval/score.json)
and computes nothing that is not in there. With `--docs` the picture and the table are put where
docs/study.md shows them. Exit code 1 where the study did not reach what it must.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WANTED = 0.70
"""Strict accuracy on held-out puzzles."""

MINUTES = 30
"""For everything together, on two cores."""

ROWS = 20_000
"""Traces that both are said of."""

HALVES = ("half", "student")
"""The folders of the two runs, the second from where the first ended."""

PICTURE = "![strict accuracy on validation puzzles and loss over the tokens seen](images/study.png)"
MARK = re.compile(r"(<!-- study -->\n).*?(<!-- /study -->)", re.DOTALL)
"""Where the table stands in docs/study.md."""


def main() -> None:
    """Write the curve, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("--seconds", type=float, help="of everything together, where this was not told before")
    parser.add_argument("--docs", type=Path, help="put picture and table into this folder too")
    options = parser.parse_args()
    curve = read_study(options.study, options.seconds)
    (options.study / "curve.json").write_text(json.dumps(curve, indent=1) + "\n")
    draw(curve, options.study / "curve.png")
    print(table(curve))
    if options.docs:
        into_docs(curve, options.docs)
    if not curve["met"]:
        sys.exit(1)


def read_study(study: Path, seconds: float | None) -> dict[str, Any]:
    """The curve and the score, with the settings that made them."""
    halves = [read_half(study / name) for name in HALVES]
    score = json.loads((study / "eval" / "score.json").read_text())
    earlier = study / "curve.json"
    if earlier.is_file():  # a study that was there already took what it took the first time
        seconds = json.loads(earlier.read_text())["seconds"]
    if seconds is None:
        sys.exit("how long did it take? --seconds N")
    rows = halves[0]["rows"]
    strict = score["strict"]
    return {
        "rows": rows,
        "cores": len(os.sched_getaffinity(0)),
        "seconds": round(seconds),
        "halves": halves,
        "score": {name: score[name] for name in ("strict", "answered", "grades", "n", "split", "items_sha256")},
        "met": rows < ROWS or (strict["value"] >= WANTED and seconds <= MINUTES * 60),
    }


def read_half(folder: Path) -> dict[str, Any]:
    """One run of `sft`: its size, its curve, its losses."""
    record = json.loads((folder / "sft.json").read_text())
    steps = json_lines(folder / "training.jsonl")
    tokens = {step["step"]: int(step["num_tokens"]) for step in steps}
    return {
        "rows": record["audit"]["rows"],
        "steps": record["steps"],
        "tokens": int(steps[-1]["num_tokens"]),
        "seconds": record["seconds"],
        "config": record["config"],
        "versions": record["versions"],
        "curve": [
            {"step": point["step"], "tokens": tokens.get(point["step"], 0), "strict": point["strict"]}
            for point in json_lines(folder / "curve.jsonl")
        ],
        "losses": [{"tokens": tokens[step["step"]], "loss": step["loss"]} for step in steps],
    }


def joined(halves: Sequence[Mapping[str, Any]], name: str) -> list[dict[str, Any]]:
    """The points or losses of both runs, steps and tokens counted on; the second's step 0 is the first's last."""
    rows: list[dict[str, Any]] = []
    steps = tokens = 0
    for half in halves:
        fresh = [row for row in half[name] if not rows or row["tokens"]]
        counted = [{**row, "tokens": row["tokens"] + tokens, "step": row.get("step", 0) + steps} for row in fresh]
        rows += counted
        steps, tokens = steps + half["steps"], tokens + half["tokens"]
    return rows


def json_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def draw(curve: Mapping[str, Any], path: Path) -> None:
    """Accuracy with its interval over the tokens seen; the loss behind it, and a line where it becomes another."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    losses = axes.twinx()
    losses.plot(*columns(joined(curve["halves"], "losses"), "tokens", "loss"), color="0.75", linewidth=0.8)
    losses.axvline(curve["halves"][0]["tokens"] / 1e6, color="0.5", linewidth=0.8, linestyle=":")
    losses.set_yscale("log")
    losses.set_ylabel("loss of a step", color="0.5")
    axes.set_zorder(losses.get_zorder() + 1)
    axes.patch.set_visible(False)
    points = joined(curve["halves"], "curve")
    places = [point["tokens"] / 1e6 for point in points]
    values = [100 * point["strict"]["value"] for point in points]
    below = [100 * (point["strict"]["value"] - point["strict"]["low"]) for point in points]
    above = [100 * (point["strict"]["high"] - point["strict"]["value"]) for point in points]
    axes.errorbar(places, values, yerr=[below, above], color="C0", marker="o", markersize=4, capsize=2)
    axes.axhline(100 * WANTED, color="C2", linewidth=0.8, linestyle="--")
    axes.set_ylim(0, 100)
    axes.set_xlabel("million tokens seen")
    axes.set_ylabel("strict accuracy, % (validation)", color="C0")
    figure.savefig(path, dpi=120)


def columns(rows: Sequence[Mapping[str, float]], tokens: str, value: str) -> tuple[list[float], list[float]]:
    """Two columns of the rows; tokens in millions."""
    return [row[tokens] / 1e6 for row in rows], [row[value] for row in rows]


def table(curve: Mapping[str, Any]) -> str:
    """The study in Markdown: one line a checkpoint, then the score on the test."""
    lines = ["| step | million tokens | strict on validation | 95 % interval | n |", "|--:|--:|--:|---|--:|"]
    for point in joined(curve["halves"], "curve"):
        lines.append(f"| {point['step']} | {point['tokens'] / 1e6:.1f} | {shares(point['strict'])} |")
    grades = ", ".join(f"{count} {grade}" for grade, count in curve["score"]["grades"].items() if count)
    value, interval, n = shares(curve["score"]["strict"]).split(" | ")
    steps, tokens, seconds = (sum(half[name] for half in curve["halves"]) for name in ("steps", "tokens", "seconds"))
    return "\n".join(
        (
            *lines,
            "",
            f"On the split test: **{value}** strict, 95 % interval {interval}, {n} items: {grades}.",
            f"{curve['rows']:,} traces, {steps:,} steps, {tokens / 1e6:.1f} million tokens;"
            f" {seconds / 60:.1f} minutes of training and {curve['seconds'] / 60:.1f} in all on"
            f" {curve['cores']} cores.",
        )
    )


def shares(strict: Mapping[str, Any]) -> str:
    return f"{strict['value']:.1%} | {strict['low']:.1%} to {strict['high']:.1%} | {strict['n']}"


def into_docs(curve: Mapping[str, Any], docs: Path) -> None:
    """Put the table between its marks in study.md, and the picture beside it."""
    page = docs / "study.md"
    text = page.read_text(encoding="utf-8")
    found, count = MARK.subn(lambda marks: f"{marks[1]}{PICTURE}\n\n{table(curve)}\n{marks[2]}", text)
    if count != 1:
        sys.exit(f"{page} has no place for the table: <!-- study --> ... <!-- /study -->")
    page.write_text(found, encoding="utf-8")
    (docs / "images").mkdir(exist_ok=True)
    draw(curve, docs / "images" / "study.png")


if __name__ == "__main__":
    main()
