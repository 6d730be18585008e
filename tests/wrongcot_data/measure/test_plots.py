"""Plots: the same bytes for the same report, whatever the user has set; none where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from wrongcot_data.measure.plots import DPI, PLOTS, WIDTH, draw
from wrongcot_data.measure.quality import sample_quality, trace_quality

REPORT = {
    "configs": {
        "samples": sample_quality([]),
        "wrong": {
            **trace_quality([]),
            "rows": 3,
            "characters": {
                "mean": 300.0,
                "min": 10,
                "p5": 20,
                "p25": 200,
                "median": 300,
                "p75": 400,
                "p95": 500,
                "max": 900,
            },
            "steps": {"total": 10, "valid": 6, "invalid": 1, "unchecked": 3},
            "first_invalid_step": {"rows": 2, "by_part": [0, 1, 1, *[0] * 17]},
        },
        "right": trace_quality([]),
    }
}


def test_every_plot_is_drawn_at_the_width_of_a_card(tmp_path: Path):
    assert draw(REPORT, tmp_path / "report") == list(PLOTS)
    for name in PLOTS:
        with Image.open(tmp_path / "report" / name) as image:
            assert image.width == WIDTH * DPI
            assert not image.text  # no date, no version: the bytes follow from the rows


def test_the_bytes_follow_from_the_report_and_not_from_the_users_settings(tmp_path: Path):
    import matplotlib as mpl

    draw(REPORT, tmp_path / "one")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "savefig.dpi": 10}):
        draw(REPORT, tmp_path / "other")
    for name in PLOTS:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "other" / name).read_bytes()


@pytest.mark.parametrize("configs", [{}, {"wrong": trace_quality([])}, {"samples": sample_quality([])}])
def test_nothing_is_drawn_where_there_is_nothing_to_show(tmp_path: Path, configs: dict[str, object]):
    assert draw({"configs": configs}, tmp_path / "report") == []
    assert not (tmp_path / "report").exists()
