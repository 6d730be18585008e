"""The page of a sweep: what is on it, that no name can break out of it, and how it looks in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from tests.wrongcot_data.page.browsing import contrasts, scrolls_sideways
from tests.wrongcot_data.page.conftest import requests_of
from tests.wrongcot_train.cells import curve_of, fail, fill, spec_of
from wrongcot_data.errors import BadInput
from wrongcot_train.sweep.cells import cells_of
from wrongcot_train.sweep.chain import Sweep
from wrongcot_train.sweep.results import read_cell
from wrongcot_train.sweep.write import write_report
from wrongcot_train.texts import visible

CURVE = curve_of({0: 1, 2: 5, 3: 9})

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'--></style></title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\x1b[2J\x1b[31m\x00\u202e",
]


def page_of(sweep: Sweep) -> str:
    cells = cells_of(sweep.spec)
    write_report(sweep.spec, sweep.out, [read_cell(sweep, cell) for cell in cells], cells)
    return (sweep.out / "report.html").read_text()


@pytest.fixture
def filled(tmp_path: Path) -> Sweep:
    sweep = Sweep(spec_of(), tmp_path / "out")
    for number, cell in enumerate(cells_of(sweep.spec)):
        marks = "+" * (3 + 2 * number) + "-" * (15 - 2 * number) + ".."
        fill(sweep, cell, marks, losses=[3.0 / (1 + n) for n in range(400)], curve=CURVE)
    return sweep


class Reader(HTMLParser):
    """The elements of a page, and what it says."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_page_tells_scores_differences_curves_and_cost(filled: Sweep) -> None:
    html = page_of(filled)
    text = " ".join(" ".join(Reader(html).text).split())
    assert "5 of 5 cells are done." in text
    assert "small, countdown: differences of strict scores in points, 20 items" in text
    assert re.search(r"wrong − reference \+\d+\.\d \[", text)
    assert "over runs" in text
    assert "small: strict score on countdown/validation (32 items) while training" in text
    assert "small: loss of the trained tokens" in text
    assert html.count("<polyline") == 8  # a curve and the losses of each trained student
    for cell in cells_of(filled.spec):
        assert text.count(cell.name) >= 2
    assert "org/set@v1.2.0" in text
    assert "c" * 40 in text


def test_what_failed_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    sweep = Sweep(spec_of(), tmp_path / "out")
    fail(sweep, cells_of(sweep.spec)[1], "the loss is nan at step 3")
    text = " ".join("".join(Reader(page_of(sweep)).text).split())
    assert "What failed small--reference--seed1: student the loss is nan at step 3 step 1 the loss is nan" in text
    assert "small--reference--seed1/student.log" in text


def test_same_cells_give_the_same_bytes(filled: Sweep) -> None:
    assert page_of(filled) == page_of(filled)


def test_nothing_done_yet_is_a_page_too(tmp_path: Path) -> None:
    text = " ".join(Reader(page_of(Sweep(spec_of(), tmp_path / "out"))).text)
    assert "0 of 5 cells are done." in text
    assert "nothing to compare with" in text
    assert "Learning curves" not in text


def test_a_page_of_somebody_else_is_left_alone(filled: Sweep) -> None:
    (filled.out / "report.html").write_text("<p>mine</p>")
    with pytest.raises(BadInput, match="is no page of ours"):
        page_of(filled)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_becomes_markup(attack: str, tmp_path: Path) -> None:
    spec = spec_of(data={"reference": f"/sets/{attack}:reference", "wrong": "org/set:wrong"}, sft={"output": attack})
    sweep = Sweep(spec, tmp_path / "out")
    base, *trained, last = cells_of(spec)
    fill(sweep, base, "+-" * 10)
    for cell in trained:
        curve = [{**point, "task": attack} for point in CURVE]
        versions = {attack: attack}
        fill(sweep, cell, "+-" * 10, dataset=attack, dataset_commit=attack, curve=curve, versions=versions)
    fail(sweep, last, attack)
    score = sweep.folder(base).path / "eval-countdown" / "score.json"
    score.write_text(json.dumps(json.loads(score.read_text()) | {"engine": attack, "prompt_template": attack}))
    told = sweep.folder(base).note()["eval-countdown"]
    sweep.folder(base).keep(base, "eval-countdown", {**told, "made": sweep.folder(base).made("eval-countdown")})
    html = page_of(sweep)
    read = Reader(html)
    assert not {"script", "img", "iframe", "object", "a href"} & set(read.tags)
    assert not [name for name, _ in read.attributes if name.startswith("on") or name in ("src", "style")]
    assert read.tags.count("style") == read.tags.count("title") - html.count("<title>", html.index("<body>")) == 1
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "\u202e" not in html
    shown = "".join(read.text)
    assert shown.count(visible(attack)) >= 4


def test_page_allows_no_script_and_names_nothing_outside(filled: Sweep) -> None:
    html = page_of(filled)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    assert "default-src &#39;none&#39;" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"https?://|url\(|@import", html)
    assert "<script" not in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_page_in_a_browser_fits_can_be_read_and_asks_for_nothing(
    width: int, scheme: str, filled: Sweep, chromium: Any
) -> None:
    page_of(filled)
    path: Callable[[], str] = (filled.out / "report.html").as_uri
    screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    colours = [{"name": "prefers-color-scheme", "value": scheme}]
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": colours})
    for log in ("browser", "performance"):
        chromium.get_log(log)
    chromium.get(path())
    assert not scrolls_sideways(chromium)
    assert min(contrasts(chromium).values()) >= 4.5
    (line, *_) = chromium.find_elements("css selector", "polyline")
    assert line.size["width"] > width / 3
    assert chromium.execute_script("return getComputedStyle(arguments[0]).stroke", line) != "none"
    assert chromium.get_log("browser") == []
    assert requests_of(chromium.get_log("performance")) <= {path(), "data:,"}
