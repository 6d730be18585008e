"""A forest plot of a comparison: one row a difference, its interval over items, and the one over runs where known.

Black, grey and shapes only, so that it reads the same on paper.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.measure.plots import DPI, STYLE, WIDTH

FORMATS = (".png", ".svg", ".pdf")


def check_plot(path: Path) -> None:
    """See that a plot can be written there, before anything is computed.

    Raises:
        BadInput: the name ends in no format that we write, or its folder does not exist.
    """
    if path.suffix.lower() not in FORMATS:
        raise BadInput(f"the plot {path} must end in one of {', '.join(FORMATS)}", try_=[f"--plot {path.stem}.png"])
    if not path.parent.is_dir():
        raise BadInput(f"there is no folder {path.parent} for the plot", try_=[f"mkdir -p {path.parent}"])


def draw(result: Mapping[str, Any], path: Path) -> None:
    """Draw what `compare` found."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.style import context

    comparisons = result["comparisons"]
    with context(["default", STYLE, {"svg.hashsalt": "wrongcot"}]):  # whatever the user's own matplotlibrc says
        figure = Figure(figsize=(WIDTH, 1.6 + 0.55 * len(comparisons)), layout="constrained")
        axes = figure.subplots()
        axes.axvline(0, color="black", linewidth=0.8)
        axes.use_sticky_edges = False  # a grey bar may not touch the frame
        for row, one in enumerate(comparisons):
            strict, runs = one["strict"], one["runs"]
            reach = 100 * strict["detectable"]
            axes.barh(row, 2 * reach, left=-reach, height=0.7, color="#e4e4e4", zorder=0)
            _interval(axes, row - (0.14 if runs else 0), strict, marker="o", color="black", style="-")
            if runs:
                _interval(axes, row + 0.18, runs, marker="D", color="#6a6a6a", style="--")
        axes.set_yticks(range(len(comparisons)), [f"{one['b']} − {one['a']}" for one in comparisons])
        axes.set_ylim(len(comparisons) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("difference of strict scores (points)")
        axes.set_title(f"{result['task']}/{result['split']}, {result['n']} items, 95 % intervals")
        legend = [
            Line2D([], [], color="black", marker="o", linewidth=2, label="over items"),
            Line2D([], [], color="#6a6a6a", marker="D", linewidth=1.3, linestyle="--", label="over runs"),
            Patch(color="#e4e4e4", label="too small to be found 4 times in 5"),
        ]
        if not any(one["runs"] for one in comparisons):
            del legend[1]
        figure.legend(handles=legend, loc="outside lower center", ncols=len(legend), frameon=False)
        figure.savefig(path, dpi=DPI, metadata=_metadata(path))


def _interval(axes: Any, row: float, found: Mapping[str, Any], *, marker: str, color: str, style: str) -> None:
    width = 2.0 if style == "-" else 1.3
    axes.plot([100 * found["low"], 100 * found["high"]], [row, row], color=color, linewidth=width, linestyle=style)
    axes.plot([100 * found["difference"]], [row], marker=marker, color=color, markersize=6, linestyle="")


def _metadata(path: Path) -> dict[str, Any]:
    """No date and no version in the file: the same bytes for the same comparison."""
    return {".png": {"Software": None}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}[path.suffix.lower()]
