"""The plots of a quality report: PNG, the same bytes for the same report and the same matplotlib.

Matplotlib is imported here, inside `draw` only: it takes half a second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wrongcot_data.measure.quality import N_PARTS, VERDICTS, traces_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Configs = Mapping[str, Mapping[str, Any]]

WIDTH = 7.5
"""Inches; at 120 dots an inch about as wide as a card is shown."""
DPI = 120

COLOURS = {"valid": "#009e73", "invalid": "#d55e00", "unchecked": "#c8c8c8"}
"""Of Okabe and Ito's palette, which colour-blind people can tell apart."""
PLAIN = "#0072b2"

STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters everywhere
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
}


def draw(report: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw what a report has to show, one file a plot. Returns the names of the files, in order."""
    from matplotlib.style import context

    names = []
    with context(["default", STYLE]):  # whatever the user's own matplotlibrc says
        for name, plot in PLOTS.items():
            figure = plot(report["configs"])
            if figure is not None:
                folder.mkdir(exist_ok=True)
                figure.savefig(folder / name, dpi=DPI, metadata={"Software": None})
                names.append(name)
    return names


def verdicts_plot(configs: Configs) -> Figure | None:
    """Shares of valid, invalid and unchecked steps, one bar a variant."""
    shown = {name: one["steps"] for name, one in traces_of(configs).items() if one["steps"]["total"]}
    if not shown:
        return None
    figure = _figure(1.3 + 0.5 * len(shown))
    axes = figure.subplots()
    left = [0.0] * len(shown)
    for verdict in VERDICTS:
        widths = [100 * steps[verdict] / steps["total"] for steps in shown.values()]
        axes.barh(range(len(shown)), widths, left=left, color=COLOURS[verdict], label=verdict, height=0.65)
        for row, (start, width) in enumerate(zip(left, widths, strict=True)):
            if width >= 6:  # narrower ones have no room for their number
                axes.text(start + width / 2, row, f"{width:.0f} %", ha="center", va="center", fontsize=9)
        left = [start + width for start, width in zip(left, widths, strict=True)]
    labels = [f"{name}\n{steps['total']:,} steps" for name, steps in shown.items()]
    _rows_of(axes, labels)
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of steps (%)")
    axes.set_title("What is known of the steps")
    figure.legend(loc="outside lower center", ncols=len(VERDICTS), frameon=False)
    return figure


def lengths_plot(configs: Configs) -> Figure | None:
    """Lengths in characters and, where a teacher's tokens are known, in tokens: one box a variant."""
    shown = traces_of(configs)
    if not shown:
        return None
    units = [unit for unit in ("characters", "tokens") if any(one[unit] for one in shown.values())]
    figure = _figure(1.2 + 0.5 * len(shown))
    panels = figure.subplots(1, len(units), sharey=True, squeeze=False)[0]
    for axes, unit in zip(panels, units, strict=True):
        rows = [row for row, one in enumerate(shown.values()) if one[unit]]
        boxes = [_box(one[unit]) for one in shown.values() if one[unit]]
        axes.bxp(
            boxes,
            positions=rows,
            orientation="horizontal",
            widths=0.5,
            showfliers=False,
            manage_ticks=False,
            patch_artist=True,
            boxprops={"facecolor": "#cfe3f1", "edgecolor": PLAIN},
            medianprops={"color": PLAIN, "linewidth": 2},
            whiskerprops={"color": PLAIN},
            capprops={"color": PLAIN},
        )
        axes.set_xlim(left=0)
        axes.set_xlabel(f"{unit} of a trace")
        axes.tick_params(axis="y", length=0)
    _rows_of(panels[0], [f"{name}\n{one['rows']:,} traces" for name, one in shown.items()])
    panels[0].set_title("Lengths: median, middle half, and 5 % to 95 %")
    return figure


def first_errors_plot(configs: Configs) -> Figure | None:
    """How far into a trace its first invalid step begins: one panel a variant that has any."""
    shown = {
        name: one["first_invalid_step"] for name, one in traces_of(configs).items() if one["first_invalid_step"]["rows"]
    }
    if not shown:
        return None
    figure = _figure(0.8 + 1.2 * len(shown))
    panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    width = 100 / N_PARTS
    for axes, (name, first) in zip(panels, shown.items(), strict=True):
        heights = [100 * count / first["rows"] for count in first["by_part"]]
        axes.bar(
            [width * part for part in range(N_PARTS)], heights, width=width, align="edge", color=COLOURS["invalid"]
        )
        axes.set_ylabel("traces (%)")
        axes.set_title(f"{name}: {first['rows']:,} traces with an invalid step", fontsize=10)
    panels[-1].set_xlim(0, 100)
    panels[-1].set_xlabel("where the first invalid step begins (% of the trace's characters)")
    return figure


PLOTS: Mapping[str, Callable[[Configs], Figure | None]] = {
    "steps.png": verdicts_plot,
    "first_errors.png": first_errors_plot,
    "lengths.png": lengths_plot,
}


def _box(lengths: Mapping[str, float]) -> dict[str, float]:
    return {
        "whislo": lengths["p5"],
        "q1": lengths["p25"],
        "med": lengths["median"],
        "q3": lengths["p75"],
        "whishi": lengths["p95"],
    }


def _figure(height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def _rows_of(axes: Axes, labels: list[str]) -> None:
    """Name the rows, the first one on top."""
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
