"""Plots of a sweep's page: values as places in percent."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_train.page.plots import LOOKS, Line, forest, lines, looks, scale_of, scores, thinned

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(NUMBERS, min_size=1, max_size=20))
def test_a_scale_holds_its_values_between_round_ends(values: list[float]) -> None:
    scale = scale_of(values)
    assert scale.low < scale.high
    assert 2 <= len(scale.ticks) <= 9
    for value in values:
        assert 0 <= scale.at(value) <= 100
    slack = 1e-6 * (scale.high - scale.low)  # nothing that one could see
    assert scale.low <= min(values) + slack
    assert scale.high >= max(values) - slack


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0, 300], ["0", "100", "200", "300"]),
        ([-12.0, 7.0], ["-15", "-10", "-5", "0", "5", "10"]),
        ([], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([math.nan, math.inf, 0.0, 1.0], ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
    ],
)
def test_ticks_are_numbers_that_one_would_draw(values: list[float], labels: list[str]) -> None:
    assert [mark["label"] for mark in scale_of(values).marks()] == labels


def test_equal_values_have_a_scale_around_them() -> None:
    assert 0 < scale_of([5.0, 5.0]).at(5.0) < 100
    assert 0 < scale_of([0.0]).at(0.0) < 100


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=700))
def test_a_long_line_is_drawn_as_means_of_neighbours(points: list[tuple[float, float]]) -> None:
    thin = thinned(points, 50)
    assert len(thin) <= 50
    assert len(points) > 50 or thin == points
    if points and len(points) % len(thin) == 0:  # parts of one size: the mean stays what it was
        assert math.fsum(y for _, y in thin) / len(thin) == pytest.approx(
            math.fsum(y for _, y in points) / len(points), abs=1e-6
        )


def test_data_sets_are_told_apart_by_colour_and_beyond_six_by_dash() -> None:
    names = [f"set{number}" for number in range(14)]
    found = looks(names)
    assert len(set(found.values())) == 14
    assert found["set0"] == "c0 d0"
    assert found[f"set{LOOKS}"] == "c0 d1"


def test_a_difference_stands_where_it_is_and_zero_where_zero_is() -> None:
    strict = {"difference": 0.1, "low": 0.05, "high": 0.15, "p": 0.01, "p_holm": 0.02, "detectable": 0.08}
    runs = {"difference": 0.1, "low": -0.1, "high": 0.3, "p": 0.0004, "p_holm": 0.0004}
    found = forest([{"a": "reference", "b": "wrong", "strict": strict, "runs": runs}])
    (row,) = found["rows"]
    assert row["name"] == "wrong − reference"
    assert row["told"] == "+10.0 [+5.0, +15.0] over items, p 0.010, Holm 0.020"
    assert row["told_runs"] == "+10.0 [-10.0, +30.0] over runs, p < 0.001, Holm < 0.001"
    unit = row["over_items"]["difference"] - row["over_items"]["low"]  # five points
    assert row["over_items"]["difference"] == pytest.approx(found["zero"] + 2 * unit, abs=0.05)
    assert row["band"]["width"] == pytest.approx(3.2 * unit, abs=0.1)
    assert row["over_runs"]["low"] == pytest.approx(found["zero"] - 2 * unit, abs=0.05)


def test_no_difference_is_drawn_beside_what_so_few_items_could_have_shown() -> None:
    strict = {"difference": 0.0, "low": 0.0, "high": 0.0, "p": 1.0, "p_holm": 1.0}
    for detectable, width in ((0.53, 100.0), (0.03, 60.0)):
        found = forest([{"a": "a", "b": "b", "strict": strict | {"detectable": detectable}, "runs": None}])
        assert found["rows"][0]["over_items"]["difference"] == found["zero"] == 50.0
        assert found["rows"][0]["band"]["width"] >= width


def test_scores_that_nobody_has_widen_no_scale() -> None:
    row = {"data": "wrong", "seed": 1, "strict": 0.0, "strict_low": 0.0, "strict_high": 0.2, "strict_correct": 0}
    row |= {"strict_n": 12, "answered": None, "answered_low": 0.0, "answered_high": 1.0}
    found = scores([row])
    assert found["ticks"][-1]["label"] == "20"
    assert found["rows"][0]["answered"] is None


def test_a_line_goes_from_left_to_right_and_up_where_it_rises() -> None:
    found = lines([Line("wrong, seed 1", "c0 d0", [(0, 0.0, (0.0, 10.0)), (10, 50.0, (40.0, 60.0))])], percent=True)
    (line,) = found["lines"]
    assert line["path"] == "0.0,100.0 100.0,16.67"
    assert [(end["x"], end["low"] > end["high"]) for end in line["intervals"]] == [(0.0, True), (100.0, True)]
    assert len(line["dots"]) == 2


def test_a_single_point_is_seen() -> None:
    (line,) = lines([Line("wrong", "c0 d0", [(1, 2.0, None)])], percent=False)["lines"]
    assert len(line["dots"]) == 1
