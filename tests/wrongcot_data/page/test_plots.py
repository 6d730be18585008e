"""Plots of a page: the report's numbers as places in percent, none where there is nothing to show."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.measure.quality import sample_quality, trace_quality
from wrongcot_data.page.plots import MOST_TICKS, first_errors, length_boxes, ticks_to, verdict_bars

LENGTHS = {"mean": 300.0, "min": 10, "p5": 20, "p25": 200, "median": 300, "p75": 400, "p95": 500, "max": 900}
CONFIGS = {
    "samples": sample_quality([]),
    "right": trace_quality([]),
    "wrong": {
        **trace_quality([]),
        "rows": 4,
        "characters": LENGTHS,
        "steps": {"total": 10, "valid": 6, "invalid": 1, "unchecked": 3},
        "first_invalid_step": {"rows": 4, "by_part": [0, 1, 3, *[0] * 17]},
    },
}


def test_the_parts_of_a_bar_follow_each_other_to_its_end_and_say_what_they_are():
    (bar,) = verdict_bars(CONFIGS)
    assert [(part["x"], part["width"], part["label"]) for part in bar["parts"]] == [
        (0, 60, "✓ 60 %"),
        (60, 10, "✗ 10 %"),
        (70, 30, "· 30 %"),
    ]
    assert bar["told"] == "60.0 % valid, 10.0 % invalid, 30.0 % unchecked"


def test_first_errors_stand_where_they_are_and_the_highest_says_how_high_it_is():
    (panel,) = first_errors(CONFIGS)
    assert [(bar["x"], bar["height"]) for bar in panel["bars"][:4]] == [(0, 0), (5, 33.33), (10, 100), (15, 0)]
    assert panel["top"] == {"x": 12.5, "label": "75 %"}


def test_boxes_lie_on_the_scale_of_their_ticks():
    drawn = length_boxes(CONFIGS, "characters")
    assert [tick["at"] for tick in drawn["ticks"]] == [0, 100, 200, 300, 400, 500]
    (box,) = drawn["boxes"]
    assert (box["p5"], box["p25"], box["median"], box["half"], box["p95"]) == (4, 40, 60, 40, 100)
    assert length_boxes(CONFIGS, "tokens")["boxes"] == []


@pytest.mark.parametrize("configs", [{}, {"wrong": trace_quality([])}, {"samples": sample_quality([])}])
def test_nothing_is_drawn_where_there_is_nothing_to_show(configs: dict[str, object]):
    assert verdict_bars(configs) == first_errors(configs) == length_boxes(configs, "characters")["boxes"] == []


@given(st.integers(0, 10**12))
def test_ticks_are_few_even_and_reach_as_far_as_they_must(most: int):
    ticks = ticks_to(most)
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert 2 <= len(ticks) <= MOST_TICKS
    assert len({other - one for one, other in itertools.pairwise(ticks)}) == 1
    assert str(ticks[1]).rstrip("0") in ("1", "2", "5")
