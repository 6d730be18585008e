"""The plots of a sweep's page, as places in percent. Pure; the template draws them.

As shapes of the page, not pictures: they take its colours, light or dark, and its width, and their letters keep their
size on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

LOOKS = 6
"""Colours of lines; data sets beyond these share them and are told apart by their dashes."""

MOST_POINTS = 120
"""Of a line of losses: beyond, each point is the mean of some steps."""

WIDEST = 20.0
"""Points on either side of zero that a forest plot shows at most for the sake of what cannot be detected."""

NICE = (1.0, 2.0, 2.5, 5.0, 10.0)


class Scale(NamedTuple):
    """From values to places in percent.

    Attributes:
        ticks: round values, the ends of the scale among them.
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """The place of a value; what is beyond an end stands at it."""
        place = 100 * (value - self.low) / (self.high - self.low)
        return round(min(100.0, max(0.0, place)), 2)

    def marks(self, digits: str = "g") -> list[dict[str, Any]]:
        """Places and labels of the ticks."""
        values = [round(tick, 9) for tick in self.ticks]
        return [{"at": self.at(value), "label": format(value, digits) if value else "0"} for value in values]


def scale_of(values: Iterable[float], most: int = 5) -> Scale:
    """A scale with round ends and few ticks around some values; around 0 where there are none."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    if high - low < 1e-9 * max(1.0, abs(high)):
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    raw = (high - low) / most
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * nice for nice in NICE if power * nice >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    ticks = tuple(step * number for number in range(first, last + 1))
    return Scale(ticks[0], ticks[-1], ticks)


def looks(names: Sequence[str]) -> dict[str, str]:
    """The classes of each data set's lines: a colour and a dash, the same in every plot of the page."""
    return {name: f"c{place % LOOKS} d{place // LOOKS % 3}" for place, name in enumerate(names)}


def forest(comparisons: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Differences of strict scores in points: a row each, over items and over runs where known."""
    widest = min(WIDEST, max((100 * one["strict"]["detectable"] for one in comparisons), default=1.0))
    ends = [-widest, widest]  # so that a difference is seen beside what so many items could have shown
    for one in comparisons:
        for found in (one["strict"], one["runs"]):
            ends += [100 * found[end] for end in ("low", "high", "difference")] if found else []
    scale = scale_of(ends, 6)
    return {
        "zero": scale.at(0),
        "ticks": scale.marks("+g"),
        "rows": [_forest_row(one, scale) for one in comparisons],
        "runs": any(one["runs"] for one in comparisons),
    }


def _forest_row(one: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    strict, runs = one["strict"], one["runs"]
    reach = 100 * strict["detectable"]
    left, right = scale.at(-reach), scale.at(reach)
    return {
        "name": f"{one['b']} − {one['a']}",
        "told": f"{_points(strict)} over items, p {_p(strict['p'])}, Holm {_p(strict['p_holm'])}",
        "told_runs": f"{_points(runs)} over runs, p {_p(runs['p'])}, Holm {_p(runs['p_holm'])}" if runs else "",
        "band": {"x": left, "width": round(right - left, 2)},
        "over_items": _interval(strict, scale),
        "over_runs": _interval(runs, scale) if runs else None,
    }


def _interval(found: Mapping[str, Any], scale: Scale) -> dict[str, float]:
    return {name: scale.at(100 * found[name]) for name in ("low", "high", "difference")}


def _points(found: Mapping[str, Any]) -> str:
    return f"{100 * found['difference']:+.1f} [{100 * found['low']:+.1f}, {100 * found['high']:+.1f}]"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def scores(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Strict and answered scores in percent with their intervals: a row a cell."""
    known = [(row, name) for row in rows for name in ("strict", "answered") if row[name] is not None]
    ends = [100 * row[f"{name}_{end}"] for row, name in known for end in ("low", "high")]
    scale = scale_of([0.0, *ends], 5)
    return {"ticks": scale.marks(), "rows": [_score_row(row, scale) for row in rows]}


def _score_row(row: Mapping[str, Any], scale: Scale) -> dict[str, Any]:
    found: dict[str, Any] = {"name": row["data"], "note": "" if row["seed"] is None else f"seed {row['seed']}"}
    for name in ("strict", "answered"):
        if row[name] is None:
            found[name] = None
            continue
        low, high, value = (100 * row[key] for key in (f"{name}_low", f"{name}_high", name))
        told = f"{name} {value:.1f} % [{low:.1f}, {high:.1f}], {row[f'{name}_correct']} of {row[f'{name}_n']}"
        found[name] = {"low": scale.at(low), "high": scale.at(high), "value": scale.at(value), "told": told}
    return found


class Line(NamedTuple):
    """One line of a plot over steps.

    Attributes:
        points: step, value, and its interval where it has one.
    """

    name: str
    look: str
    points: Sequence[tuple[float, float, tuple[float, float] | None]]


def lines(shown: Sequence[Line], *, percent: bool) -> dict[str, Any]:
    """Lines over steps in one frame."""
    steps = scale_of([0.0, *(step for line in shown for step, _, _ in line.points)], 5)
    spans = [end for line in shown for _, value, interval in line.points for end in (value, *(interval or ()))]
    heights = scale_of([*([0.0] if percent else []), *spans], 4)
    return {
        "x_ticks": steps.marks(",.6g"),
        "y_ticks": heights.marks(),
        "unit": " %" if percent else "",
        "lines": [_line(line, steps, heights) for line in shown],
    }


def _line(line: Line, steps: Scale, heights: Scale) -> dict[str, Any]:
    places = [(steps.at(step), round(100 - heights.at(value), 2), interval) for step, value, interval in line.points]
    ends = [
        {"x": x, "low": round(100 - heights.at(interval[0]), 2), "high": round(100 - heights.at(interval[1]), 2)}
        for x, _, interval in places
        if interval
    ]
    return {
        "name": line.name,
        "look": line.look,
        "path": " ".join(f"{x},{y}" for x, y, _ in places),
        "intervals": ends,
        "dots": [{"x": x, "y": y} for x, y, interval in places if interval or len(places) == 1],
    }


def thinned(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most so many points: means of as many neighbours each as that needs."""
    many = max(1, math.ceil(len(points) / most))
    parts = [points[start : start + many] for start in range(0, len(points), many)]
    return [(math.fsum(x for x, _ in part) / len(part), math.fsum(y for _, y in part) / len(part)) for part in parts]
