"""The plot of a student's curve for its card: PNG, the same bytes for the same curve and the same matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wrongcot_data.measure.plots import DPI, PLAIN, STYLE, WIDTH

CURVE = "curve.png"


def draw_curve(points: Sequence[Mapping[str, Any]], losses: Sequence[float], path: Path) -> bool:
    """Draw strict scores with their intervals by step, and the losses below. Whether there was something to draw."""
    shown = [point for point in points if point["strict"]["value"] is not None]
    if not shown:
        return False
    from matplotlib.figure import Figure
    from matplotlib.style import context

    with context(["default", STYLE]):  # whatever the user's own matplotlibrc says
        figure = Figure(figsize=(WIDTH, 4.6 if losses else 2.8), layout="constrained")
        panels = figure.subplots(2 if losses else 1, 1, sharex=True, squeeze=False)[:, 0]
        steps = [point["step"] for point in shown]
        values, lows, highs = ([100 * point["strict"][name] for point in shown] for name in ("value", "low", "high"))
        panels[0].fill_between(steps, lows, highs, color=PLAIN, alpha=0.15, linewidth=0)
        panels[0].plot(steps, values, color=PLAIN, marker="o", markersize=4)
        panels[0].set_ylabel("strict (%)")
        panels[0].set_ylim(bottom=0)
        first = shown[0]
        panels[0].set_title(f"{first['task']}/{first['split']}, {first['n']} items, 95 % intervals over items")
        if losses:
            panels[1].plot(range(1, len(losses) + 1), losses, color="#6a6a6a", linewidth=1)
            panels[1].set_ylabel("loss")
        panels[-1].set_xlabel("steps")
        figure.savefig(path, dpi=DPI, metadata={"Software": None})
    return True
