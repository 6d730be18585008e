"""The plots of a page, as places on it in percent. Pure; the template draws them.

They show what `measure.plots` shows, but as shapes that take the page's colours, light or dark, and its width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wrongcot_data.measure.quality import VERDICTS, traces_of

Configs = Mapping[str, Mapping[str, Any]]

NARROW = 9
"""Percent of the width below which a number has no room."""

MOST_TICKS = 6

MARKS = {"valid": "✓", "invalid": "✗", "unchecked": "·"}
"""Verdicts are told apart by these, not by colour alone."""


def verdict_bars(configs: Configs) -> list[dict[str, Any]]:
    """Shares of the steps' verdicts: one bar a config, in parts from left to right."""
    bars = []
    for name, one in traces_of(configs).items():
        parts: list[dict[str, Any]] = []
        steps = one["steps"]
        if not steps["total"]:
            continue
        at = 0.0
        for verdict in VERDICTS:
            width = 100 * steps[verdict] / steps["total"]
            told = f"{width:.1f} % {verdict}"
            label = f"{MARKS[verdict]} {width:.0f} %" if width >= NARROW else ""
            parts.append({"verdict": verdict, "x": _places(at), "width": _places(width), "told": told, "label": label})
            parts[-1]["middle"] = _places(at + width / 2)
            at += width
        told = ", ".join(part["told"] for part in parts)
        bars.append({"name": name, "note": f"{steps['total']:,} steps", "parts": parts, "told": told})
    return bars


def first_errors(configs: Configs) -> list[dict[str, Any]]:
    """How far into a trace its first invalid step begins: one panel a config that has any."""
    panels = []
    for name, one in traces_of(configs).items():
        first = one["first_invalid_step"]
        if not first["rows"]:
            continue
        width = 100 / len(first["by_part"])
        highest = max(first["by_part"])
        bars = []
        for part, count in enumerate(first["by_part"]):
            share = 100 * count / first["rows"]
            told = f"{part * width:.0f} to {(part + 1) * width:.0f} % into the trace: {share:.1f} % ({count:,})"
            height = _places(100 * count / highest)
            bars.append({"x": _places(part * width), "width": _places(width), "height": height, "told": told})
        above = width * (first["by_part"].index(highest) + 0.5)
        top = {"x": _places(above), "label": f"{100 * highest / first['rows']:.0f} %"}
        panels.append({"name": name, "note": f"{first['rows']:,} traces", "bars": bars, "top": top})
    return panels


def length_boxes(configs: Configs, unit: str) -> dict[str, Any]:
    """Lengths in `characters` or `tokens`: a box a config from `p5` to `p95`, and the ticks of their scale."""
    shown = {name: one for name, one in traces_of(configs).items() if one[unit]}
    ticks = ticks_to(max((one[unit]["p95"] for one in shown.values()), default=0))
    boxes = []
    for name, one in shown.items():
        lengths = one[unit]
        quantiles = ("p5", "p25", "median", "p75", "p95")
        told = f"median {lengths['median']:,}, middle half {lengths['p25']:,} to {lengths['p75']:,}"
        told += f", 5 % to 95 % {lengths['p5']:,} to {lengths['p95']:,}"
        places = {quantile: _places(100 * lengths[quantile] / ticks[-1]) for quantile in quantiles}
        boxes.append({"name": name, "note": f"median {lengths['median']:,}", "told": told, **places})
        boxes[-1]["half"] = _places(places["p75"] - places["p25"])
    return {"unit": unit, "boxes": boxes, "ticks": [{"x": _places(100 * at / ticks[-1]), "at": at} for at in ticks]}


def ticks_to(most: float) -> Sequence[int]:
    """Round numbers from 0 to at least `most`, few of them and evenly spaced."""
    step = 1
    while most > step * (MOST_TICKS - 1):
        step = step * 5 // 2 if str(step).startswith("2") else step * 2  # 1, 2, 5, 10, 20, 50, ...
    count = max(1, -(-int(most) // step))
    return [step * number for number in range(count + 1)]


def _places(value: float) -> float:
    return round(value, 2)
