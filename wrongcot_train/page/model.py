"""All that is on the page of a sweep, as plain values. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wrongcot_train.config import OUTSIDE
from wrongcot_train.page.plots import Line, forest, lines, looks, scores, thinned
from wrongcot_train.sweep.names import BASE
from wrongcot_train.sweep.results import CellResult, training_of
from wrongcot_train.sweep.spec import SweepSpec
from wrongcot_train.sweep.table import seconds as seconds_text

LAST_LINES = 12
"""Of the log of what failed."""


def page_of(spec: SweepSpec, result: Mapping[str, Any], results: Sequence[CellResult]) -> dict[str, Any]:
    """What a page says.

    Args:
        result: the table with its comparisons, as `sweep.table.result_of` gives it.
    """
    names = [*spec.data, *([BASE] if spec.base else [])]
    done = result["states"].get("done", 0)
    return {
        "title": f"Sweep: {_list(spec.students)} on {_list(names)}",
        "done": done,
        "cells": len(results),
        "facts": _facts(spec, result),
        "forests": [_forest(one) for one in result["comparisons"]],
        "scores": list(_scores(spec, result["rows"])),
        "rows": [_row(row) for row in result["rows"]],
        "curves": list(_curves(spec, results, looks(names))),
        "losses": list(_losses(spec, results, looks(names))),
        "legend": [{"name": name, "look": look} for name, look in looks(list(spec.data)).items()],
        "costs": [_cost(one) for one in results],
        "total": {
            name: (_seconds if name.endswith("seconds") else _count)(value or None)
            for name, value in result["cost"].items()
        },
        "data": [_data(name, text, results) for name, text in spec.data.items()],
        "evals": list(_evals(spec, results)),
        "settings": _settings(spec, results),
        "failures": list(_failures(results)),
        "others": result["others"],
    }


def _list(names: Sequence[str] | Mapping[str, str]) -> str:
    named = list(names)
    return ", ".join(named) if len(named) <= 3 else f"{', '.join(named[:2])} and {len(named) - 2} more"


def _facts(spec: SweepSpec, result: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [
        ("students", ", ".join(spec.students)),
        ("data", ", ".join(spec.data)),
        ("seeds", ", ".join(str(seed) for seed in spec.seeds)),
        ("evals", ", ".join(plan.label for plan in spec.eval)),
        ("compared with", result["against"]),
        *([("preset", spec.preset)] if spec.preset else []),
    ]


def _forest(one: Mapping[str, Any]) -> dict[str, Any]:
    found = one["result"]
    head = {"student": one["student"], "eval": one["eval"], "why": one["why"], "notes": [], "plot": None, "groups": []}
    if not found:
        return head
    notes = list(found["notes"])
    if found["left_out"]:
        notes.append(f"over the {found['n']} items that all were asked")
    if any(pair["strict"]["interval"] == "score" for pair in found["comparisons"]):
        notes.append("where fewer than 15 items flipped the interval is Tango's score interval, else a bootstrap")
    groups = [_group(group) for group in found["groups"]]
    return {**head, "n": found["n"], "notes": notes, "plot": forest(found["comparisons"]), "groups": groups}


def _group(group: Mapping[str, Any]) -> dict[str, str]:
    apart = group["deviation"]
    return {
        "name": group["name"],
        "runs": str(len(group["runs"])),
        "strict": f"{100 * group['strict']:.1f}",
        "interval": f"[{100 * group['low']:.1f}, {100 * group['high']:.1f}]",
        "apart": "one run: not known" if apart is None else f"{100 * apart:.1f}",
    }


def _scores(spec: SweepSpec, rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    names = [BASE, *spec.data]
    for student in spec.students:
        for plan in spec.eval:
            these = [
                row
                for row in rows
                if row["student"] == student and row["eval"] == plan.label and row["strict"] is not None
            ]
            if these:
                of_one = sorted(these, key=lambda row: names.index(row["data"]))  # seeds side by side
                yield {"student": student, "eval": plan.label, **scores(of_one)}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: row[name] for name in ("cell", "eval", "state", "error")}
    for name in ("strict", "answered"):
        known = row[name] is not None
        found |= {
            name: f"{100 * row[name]:.1f}" if known else "–",
            f"{name}_interval": f"[{100 * row[f'{name}_low']:.1f}, {100 * row[f'{name}_high']:.1f}]" if known else "",
            f"{name}_right": f"{row[f'{name}_correct']}/{row[f'{name}_n']}" if known else "",
        }
    return found


def _curves(spec: SweepSpec, results: Sequence[CellResult], look: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Accuracy while training, of the students whose record has a curve: a plot a student and task."""
    for student in spec.students:
        drawn: dict[str, list[Line]] = {}
        for one in results:
            points = (one.record or {}).get("curve") or []
            if one.cell.student != student or not points:
                continue
            task = f"{points[0].get('task', '')}/{points[0].get('split', '')} ({points[0].get('n', '?')} items)"
            drawn.setdefault(task, []).append(Line(_line_name(one), look[one.cell.data], _points(points)))
        for task, shown in drawn.items():
            yield {"student": student, "of": task, **lines(shown, percent=True)}


def _points(points: Sequence[Mapping[str, Any]]) -> list[tuple[float, float, tuple[float, float] | None]]:
    """Strict scores in percent; a point without a score is left out."""
    shares = [(point["step"], point["strict"]) for point in points if point["strict"]["value"] is not None]
    return [(step, 100 * one["value"], (100 * one["low"], 100 * one["high"])) for step, one in shares]


def _losses(spec: SweepSpec, results: Sequence[CellResult], look: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for student in spec.students:
        shown = []
        for one in results:
            if one.cell.student == student and one.log:
                points = [(float(step["step"]), float(step["loss"])) for step in one.log if "loss" in step]
                shown.append(Line(_line_name(one), look[one.cell.data], [(x, y, None) for x, y in thinned(points)]))
        if shown:
            yield {"student": student, **lines(shown, percent=False)}


def _line_name(one: CellResult) -> str:
    return f"{one.cell.data}, seed {one.cell.seed}"


def _cost(one: CellResult) -> dict[str, str]:
    found = training_of(one)
    tokens, seconds = found["trained_tokens"] or found["train_tokens"], found["train_seconds"]
    written = sum(score["tokens"] for score in one.scores.values()) if one.scores else None
    asked = sum(score["seconds"] for score in one.scores.values()) if one.scores else None
    return {
        "cell": one.cell.name,
        "steps": _count(found["steps"]),
        "loss": "–" if found["loss"] is None else f"{found['loss']:.4f}",
        "tokens": _count(found["train_tokens"]),
        "trained": _count(found["trained_tokens"]),
        "seconds": _seconds(seconds),
        "rate": f"{tokens / seconds:,.0f}" if tokens and seconds else "–",
        "written": _count(written),
        "asked": _seconds(asked),
    }


def _count(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else seconds_text(value)


def _data(name: str, reference: str, results: Sequence[CellResult]) -> dict[str, Any]:
    """A data set as its first student saw it."""
    records = [one.record for one in results if one.cell.data == name and one.record]
    record: Mapping[str, Any] = records[0] if records else {}
    return {
        "name": name,
        "reference": reference,
        "taken": record.get("dataset", ""),
        "commit": record.get("dataset_commit", ""),
        "rows": _count(record.get("audit", {}).get("rows")),
        "tokens": _count(record.get("audit", {}).get("trained_tokens")),
        "sha256": str(record.get("rows_sha256", ""))[:16],
    }


def _evals(spec: SweepSpec, results: Sequence[CellResult]) -> Iterator[dict[str, Any]]:
    for plan in spec.eval:
        scored = [one.scores[plan.label] for one in results if plan.label in one.scores]
        first: Mapping[str, Any] = scored[0] if scored else {}
        yield {
            "name": plan.label,
            "of": f"{plan.task}/{plan.split}",
            "n": _count(first.get("n")),
            "prompt": first.get("prompt_template", ""),
            "grader": first.get("grader_version", ""),
            "engine": first.get("engine", plan.engine),
            "sampling": _sampling(first),
            "sha256": str(first.get("items_sha256", ""))[:16],
        }


def _sampling(score: Mapping[str, Any]) -> str:
    if not score:
        return ""
    greedy = score.get("temperature") == 0
    drawn = "greedy" if greedy else f"temperature {score.get('temperature')}, top_p {score.get('top_p')}"
    many = f"{score['samples']} replies an item, " if score.get("samples", 1) > 1 else ""
    return f"{many}{drawn}, at most {score.get('max_tokens')} tokens"


def _settings(spec: SweepSpec, results: Sequence[CellResult]) -> list[tuple[str, str]]:
    """What decided the first finished student, but for its seed: the same for all."""
    records = [one.record for one in results if one.record]
    config = records[0].get("config", {}) if records else spec.sft
    left_out = {"seed", *OUTSIDE}  # places, tokens and what was logged decide nothing
    versions = records[0].get("versions", {}) if records else {}
    told = [
        (name, json.dumps(value, ensure_ascii=False))
        for name, value in config.items()
        if name not in left_out and value is not None
    ]
    return [*told, *((f"version of {name}", str(value)) for name, value in versions.items())]


def _failures(results: Sequence[CellResult]) -> Iterator[dict[str, str]]:
    for one in results:
        for step, error in one.errors.items():
            tail = "\n".join(one.tails.get(step, "").splitlines()[-LAST_LINES:])
            where = {"cell": one.cell.name, "step": step, "log": str(one.folder / f"{step}.log")}
            yield {**where, "error": error, "tail": tail if tail != error else ""}
