"""From the records of a student and its evals to the files that the Hub shows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wrongcot_data.errors import BadInput
from wrongcot_train.card.eval_results import FOLDER, read_benchmarks, write_results
from wrongcot_train.card.front_matter import front_matter, hub_data_set
from wrongcot_train.card.read import Scored, base_of, read_record, read_scores
from wrongcot_train.config import OUTSIDE
from wrongcot_train.texts import visible

CARD = "README.md"
CURVE = "curve.png"
"""What `sft` drew of a curve."""

TEMPLATE = "student_card.md.jinja"

MARK = "<!-- by wrongcot-train card -->"
"""In every card of ours, so that no other README is written over."""


def write_card(
    student: Path, evals: Sequence[Path] = (), *, benchmarks: Mapping[str, str] | None = None, replace: bool = False
) -> dict[str, Any]:
    """Write a student's card and `.eval_results`. The same records give the same bytes.

    Args:
        evals: folders of evals of exactly these weights.
        benchmarks: `ORG/NAME:TASK_ID` on the Hub by task, for items that no data set there is known for.
        replace: whether a README that is no card of ours may be written over.

    Returns:
        `card`, `eval_results` (their files), `plot` (empty where there is no curve), `without_entry` (evals).

    Raises:
        BadInput: no finished student, an eval of other weights, a README of somebody else.
        CheckFailed: a record cannot be read.
    """
    read_benchmarks(benchmarks or {})
    record = read_record(student)
    scores = read_scores(student, evals)
    path = student / CARD
    if path.exists() and not replace and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        raise BadInput(f"{path} is there and is no card of ours", try_=["--replace    (writes over it)"])
    plot = CURVE if record.get("curve") and (student / CURVE).is_file() else ""
    text = card_text(record, scores, plot=plot)
    half = student / f".{CARD}.{os.getpid()}"
    half.write_text(text, encoding="utf-8", errors="replace")
    half.replace(path)
    without = write_results(student, scores, benchmarks or {})
    files = sorted(str(file) for file in (student / FOLDER).glob("*.yaml"))
    return {
        "card": str(path),
        "plot": str(student / plot) if plot else "",
        "eval_results": files,
        "without_entry": without,
    }


def card_text(record: Mapping[str, Any], scores: Sequence[Scored], *, plot: str = "") -> str:
    """The card of a student, metadata and text."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  Markdown; whatever is not ours goes through `code`
    )
    environment.filters |= {
        "code": code,
        "cell": cell,
        "percent": percent,
        "interval": interval,
        "count": count,
        "overlap": overlap,
    }
    base = base_of(record)
    name = f"{record['student']}-{record['variant']}"
    body = environment.get_template(TEMPLATE).render(
        record=record,
        base=base,
        scores=scores,
        curve=[point for point in record.get("curve") or [] if point["strict"]["value"] is not None],
        plot=plot,
        hub_set=hub_data_set(record),
        data=data_of(record),
        settings=settings_of(record),
        cost=cost_of(record),
        mark=MARK,
    )
    return f"---\n{front_matter(record, scores, base, name)}\n---\n\n{body}"


def settings_of(record: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and origin of each setting that decided the student.

    The others are left out: places on somebody's disk, what was logged and where to, tokens of the Hub.
    """
    origins = record.get("origins") or {}
    return [
        (name, json.dumps(value, ensure_ascii=False), Path(str(origins.get(name, ""))).name)
        for name, value in record["config"].items()
        if value is not None and name not in OUTSIDE
    ]


def data_of(record: Mapping[str, Any]) -> str:
    """The data set as others can find it: its name on the Hub, else what its folder is called."""
    name = str(record["dataset"])
    return name if record.get("dataset_commit") else Path(name).name or name


def cost_of(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the training took, as far as the record says."""
    seconds = record.get("seconds")
    told = [("steps", count(record.get("steps"))), ("seconds", "–" if seconds is None else f"{seconds:,.1f}")]
    for key, name in (("tokens", "tokens seen"), ("tokens_trained", "tokens trained")):
        if record.get(key):
            rate = f", {record[key] / seconds:,.0f} a second" if seconds else ""
            told.append((name, f"{record[key]:,}{rate}"))
    if record.get("peak_memory_bytes"):
        told.append(("peak memory", f"{record['peak_memory_bytes'] / 2**30:.1f} GiB"))
    packing = record.get("packing") or {}
    if packing:
        told.append(("packing", f"{'on' if packing.get('on') else 'off'}: {packing.get('why', '')}"))
    told += [(key, str(record[key])) for key in ("device", "dtype") if record.get(key)]
    return told + [(f"version of {name}", str(version)) for name, version in (record.get("versions") or {}).items()]


def code(value: Any) -> str:
    """Any text as inline code that does not end early: fenced longer than its own backticks."""
    text = " ".join(visible(str(value)).split())
    if not text:
        return "–"
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def cell(value: Any) -> str:
    """The same in a table, whose cells end at a bar. GitHub's Markdown reads two backslashes there as a pair, so a bar
    that has some before it needs them doubled.
    """
    return re.sub(r"(\\*)\|", lambda found: f"{found[1] * 2}\\|", code(value))


def overlap(found: Any) -> str:
    """What an eval found of its items among the training rows; that nothing was found is only said where it looked."""
    if not isinstance(found, Mapping) or "checked" not in found:
        return "not looked for"
    if not found["checked"]:
        return "not known: " + "; ".join(cell(story) for story in found.get("not_checked") or ["nothing to look in"])
    told = f"{found['by_id']} by their id, {found['by_text']} by most of their words"
    told += f", {found['by_ngram']} share some words in a row"
    without = (found.get("without") or {}).get("strict")
    return f"{told}; strict without them {percent(without)} {interval(without)}" if found["items"] and without else told


def percent(share: Mapping[str, Any]) -> str:
    """A share in percent."""
    return "none" if share["value"] is None else f"{100 * share['value']:.1f} %"


def interval(share: Mapping[str, Any]) -> str:
    """Its interval; nothing where there is nothing that it could be of."""
    return "–" if share["value"] is None else f"[{100 * share['low']:.1f}, {100 * share['high']:.1f}]"


def count(value: float | None) -> str:
    """A number with its thousands apart."""
    return "–" if value is None else f"{value:,.0f}"
