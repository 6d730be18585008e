"""Pages of a scripted build with every variant, and a headless Chromium to look at them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wrongcot_data.measure.report import report_of
from wrongcot_data.page import ROWS
from wrongcot_data.page.write import make_page
from wrongcot_data.publish.dataset import MANIFEST

VARIANTS = ("right", "wrong", "reference", "corrupt", "paraphrase")


@pytest.fixture(scope="session")
def every_variant(tmp_path_factory: pytest.TempPathFactory, scripted: Callable[..., dict[str, Any]]) -> Path:
    """A finished data set of 12 problems with every variant, never to be written to."""
    out = tmp_path_factory.mktemp("every") / "countdown"
    scripted(out, "--limit", 12, "--per-problem", 2, *(f"--variant={name}" for name in VARIANTS))
    return out


@pytest.fixture
def copied(tmp_path: Path, every_variant: Path) -> Path:
    """A copy of it to change."""
    return Path(shutil.copytree(every_variant, tmp_path / "copy"))


@pytest.fixture(scope="session")
def page_of() -> Callable[..., str]:
    """The page of a folder as HTML."""

    def make(folder: Path, limit: int = ROWS, seed: int = 0) -> str:
        manifest = json.loads((folder / MANIFEST).read_text())
        return make_page(folder, manifest, report_of(folder, manifest["rows"]), limit, seed).html

    return make


@pytest.fixture
def visit(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens HTML as a file in Chromium; afterwards nothing may have been asked for or complained of."""

    def open_page(html: str, address: str = "", *, width: int = 1280, height: int = 900, scheme: str = "light") -> Any:
        path = tmp_path / "page.html"
        path.write_text(html, encoding="utf-8")
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        colours = [{"name": "prefers-color-scheme", "value": scheme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": colours})
        chromium.get("about:blank")  # so that only another hash loads the page anew too
        chromium.get(f"{path.as_uri()}{address}")
        return chromium

    for log in ("browser", "performance"):
        chromium.get_log(log)
    yield open_page
    assert requests_of(chromium.get_log("performance")) <= {(tmp_path / "page.html").as_uri(), "about:blank", "data:,"}
    assert chromium.get_log("browser") == []
    chromium.get((tmp_path / "page.html").as_uri())
    chromium.execute_script("localStorage.clear()")


def requests_of(log: list[dict[str, Any]]) -> set[str]:
    """The addresses that a performance log says were asked for, without what is behind `#`."""
    events = (json.loads(entry["message"])["message"] for entry in log)
    sent = (event for event in events if event["method"] == "Network.requestWillBeSent")
    return {event["params"]["request"]["url"].partition("#")[0] for event in sent}
