"""All that is on a page, as plain values: an overview of every row, and the rows that can be read. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from wrongcot_data.measure.quality import VERDICTS, median_part, traces_of
from wrongcot_data.page.beside import counterparts
from wrongcot_data.page.choice import Entry, Kind, Survey, Whole, kind_of
from wrongcot_data.page.plots import first_errors, length_boxes, verdict_bars
from wrongcot_data.page.traces import MOST_CHARACTERS, Row, Shown, own_columns, shortened, shown, turns
from wrongcot_data.variants.corrupt.rows import CONFIGS as CORRUPT_CONFIGS

SHORT = 30
"""Characters up to which a column of the task is told though the prompt has the same somewhere."""

Rows = Mapping[tuple[str, int], Row]
"""Rows by config and number in it."""


def overview(
    manifest: Mapping[str, Any], report: Mapping[str, Any], found: Survey, chosen: Sequence[Entry], name: str = ""
) -> dict[str, Any]:
    """What a page says of the whole data set."""
    configs = report["configs"]
    return {
        "title": _title(manifest),
        "facts": _facts(manifest, name),
        "rows": found.counts.total(),
        "shown": len(chosen),
        "problems": len({entry.problem_id for entry in chosen}),
        "configs": [_config(name, one) for name, one in configs.items()],
        "answers": [_answers(name, one) for name, one in traces_of(configs).items()],
        "errors": [_errors(name, one) for name, one in traces_of(configs).items() if one["kinds"]],
        "receipt": _receipt(manifest["receipt"], list(manifest["rows"])),
        "kinds": _kinds(found.counts, chosen),
        "verdict_bars": verdict_bars(configs),
        "first_errors": first_errors(configs),
        "lengths": [boxes for unit in ("characters", "tokens") if (boxes := length_boxes(configs, unit))["boxes"]],
    }


def traces(chosen: Sequence[Entry], rows: Rows, wholes: Mapping[str, Whole]) -> dict[str, Any]:
    """The traces that a page has, and their problems; both in the order of `chosen`."""
    problems: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for problem_id, of_one in groupby(chosen, key=lambda entry: entry.problem_id):
        entries = list(of_one)
        some = [rows[entry.config, entry.number] for entry in entries]
        here = [shown(entry, row) for entry, row in zip(entries, some, strict=True)]
        begin = len(told)
        for trace, place in zip(here, counterparts(here), strict=True):
            told.append(_told(trace, len(problems), begin + place if place >= 0 else -1))
        problems.append(_problem(problem_id, some, wholes[problem_id].there.total()))
    return {"problems": problems, "traces": told}


def _told(trace: Shown, problem: int, beside: int) -> dict[str, Any]:
    return {
        "id": trace.id,
        "problem": problem,
        "variant": trace.variant,
        "level": trace.level,
        "grade": trace.grade,
        "reason": trace.reason,
        "told": trace.told,
        "answer": trace.answer,
        "pieces": trace.pieces,
        "cut": trace.cut,
        "about": trace.about,
        "beside": beside,
        "parentText": trace.parent_text if beside < 0 else "",
    }


def _problem(problem_id: str, rows: Sequence[Row], there: int) -> dict[str, Any]:
    prompt = next((turns(row["prompt"]) for row in rows if row.get("prompt")), "")
    own = [(name, value) for name, value in own_columns(rows[0]) if value]
    return {
        "id": problem_id,
        "prompt": shortened(prompt, MOST_CHARACTERS),
        "right": shortened(rows[0]["reference_answer"]),
        "own": [(name, value) for name, value in own if len(value) < SHORT or value not in prompt],
        "there": there,
    }


def _title(manifest: Mapping[str, Any]) -> str:
    teacher = manifest["teacher"]["name"]
    return f"{manifest['spec']['task']}: traces" + (f" of {teacher}" if teacher else "")


def _facts(manifest: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    task, teacher, versions = manifest.get("task", {}), manifest["teacher"], manifest.get("versions", {})
    facts = {
        "version": name,
        "task": task.get("title") or manifest["spec"]["task"],
        "problems from": task.get("origin"),
        "teacher": " ".join(one for one in (teacher["name"], teacher["revision"]) if one),
        "engine": ", ".join(manifest.get("engines", [])),
        "licence": manifest.get("licence", {}).get("name"),
        "grader": manifest["grader_version"],
        "specification": manifest["spec_hash"],
        "made by": f"wrongcot {versions['wrongcot']}" if "wrongcot" in versions else "",
    }
    return [(what, shortened(str(value))) for what, value in facts.items() if value]


def _config(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    """A line of the table of configs; empty words where a config has no such thing."""
    steps = one.get("steps", {})
    shares = {verdict: _percent(steps[verdict], steps["total"]) if steps else "" for verdict in VERDICTS}
    grades = ", ".join(f"{count:,} {grade}" for grade, count in one.get("grades", {}).items())
    lengths = {unit: _spread(one.get(unit)) for unit in ("characters", "tokens")}
    return {"name": name, "rows": one["rows"], "grades": grades, "steps": steps.get("total"), **lengths, **shares}


def _answers(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    right, wrong = one["right_answers"], one["wrong_answers"]
    return {
        "name": name,
        "flawed": _among(right["with_invalid_step"], right["checked"]),
        "unflawed": _among(wrong["without_invalid_step"], wrong["checked"]),
        "sound": _among(wrong["sound_prefix"], wrong["two_checked"]),
        "first": median_part(one["first_invalid_step"]["by_part"]),
    }


def _errors(name: str, one: Mapping[str, Any]) -> dict[str, Any]:
    kinds = ", ".join(f"{count['steps']:,} {kind}" for kind, count in one["kinds"].items())
    operators: Counter[str] = Counter()
    for way, count in one["operators"].items():  # `slip: carry` is a way of `slip`
        operators[way.partition(":")[0]] += count
    told = ", ".join(f"{count:,} {operator}" for operator, count in operators.most_common())
    return {"name": name, "kinds": kinds, "operators": told}


def _receipt(receipt: Mapping[str, Any], order: Sequence[str]) -> list[dict[str, Any]]:
    accounts = {**receipt["by_variant"], **receipt["views"]}
    named = sorted(accounts, key=lambda name: order.index(name) if name in order else len(order))
    return [
        {
            "name": name,
            "asked": account["asked"],
            "kept": account["kept"],
            "left_out": ", ".join(f"{count:,} {reason}" for reason, count in account["left_out"].items()),
        }
        for name, account in ((name, accounts[name]) for name in named)
    ]


def _kinds(counts: Mapping[Kind, int], chosen: Sequence[Entry]) -> list[dict[str, Any]]:
    """Every kind of row: how many there are, how many of them are here, and the link that shows these."""
    here = Counter(kind_of(entry) for entry in chosen)
    order = {config: number for number, config in enumerate(dict.fromkeys(kind.config for kind in counts))}
    kinds = sorted(counts, key=lambda kind: (order[kind.config], -counts[kind], kind))
    return [
        {
            "config": kind.config,
            "grade": kind.grade,
            "reason": shortened(kind.reason),
            "rows": counts[kind],
            "shown": here[kind],
            "link": f"#{urlencode(_filters(kind))}",
        }
        for kind in kinds
    ]


def _filters(kind: Kind) -> dict[str, str]:
    """The state of the page that shows a kind, as `page.js` reads it from the address."""
    corrupt = kind.config in CORRUPT_CONFIGS
    level = {"level": str(CORRUPT_CONFIGS.index(kind.config))} if corrupt else {}
    variant = "corrupt" if corrupt else kind.config
    return {"view": "traces", "variant": variant, **level, "grade": kind.grade, "reason": shortened(kind.reason)}


def _spread(lengths: Mapping[str, float] | None) -> str:
    return f"{lengths['median']:,} ({lengths['p5']:,} to {lengths['p95']:,})" if lengths else ""


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _among(part: int, whole: int) -> str:
    return f"{_percent(part, whole)} ({part:,} of {whole:,})" if whole else ""
