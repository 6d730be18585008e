"""From a data set in a folder to a page in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wrongcot_data.errors import BadInput
from wrongcot_data.page.choice import choose, gather, survey
from wrongcot_data.page.html import GENERATOR, render
from wrongcot_data.page.model import overview, traces
from wrongcot_data.page.reading import browsable, entries, rows_at

HEAD_BYTES = 2_000
"""In which a page of ours has its generator."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page and what is on it.

    Attributes:
        rows: that the data set has to look at; `shown` of them are here.
    """

    html: str
    rows: int
    shown: int
    problems: int


def make_page(
    folder: Path, manifest: Mapping[str, Any], report: Mapping[str, Any], limit: int, seed: int, name: str = ""
) -> Page:
    """The page of a data set. The same files, limit and seed give the same bytes.

    Args:
        report: as `measure.report.report_of` makes it from the rows; the page is of the configs in it.
        limit: rows to show at most; more only where there are more kinds of rows than that.
        name: of the version that it is; empty where it is none.

    Raises:
        OSError, ArrowException: a file of a config cannot be read.
        LookupError, ValueError, TypeError: a row is none that could have been built.
    """
    configs = browsable(folder, report["configs"])
    found = survey(entries(folder, configs), limit, seed)
    wholes = gather(entries(folder, configs), found.problems(), seed)
    chosen = choose(found, wholes, limit, seed)
    rows = {}
    for config in configs:
        numbers = [entry.number for entry in chosen if entry.config == config]
        rows.update({(config, number): row for number, row in rows_at(folder, config, numbers).items()})
    about = overview(manifest, report, found, chosen, name)
    html = render(about, traces(chosen, rows, wholes))
    return Page(html, about["rows"], about["shown"], about["problems"])


def save_page(path: Path, html: str) -> int:
    """Write a page, over an older one but over nothing else. Returns its bytes.

    Raises:
        BadInput: there is a file that is no page of ours.
    """
    if path.is_dir() or (path.exists() and GENERATOR.encode() not in _head(path)):
        raise BadInput(f"{path} is there and is no page of ours", try_=["--html OTHER-PATH.html"])
    data = html.encode("utf-8", "replace")  # a manifest can hold half of a character, which has no bytes
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return len(data)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
