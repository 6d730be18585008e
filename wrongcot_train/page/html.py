"""The page of a sweep as HTML: one file without a script, that asks for nothing else.

Names come from paths, errors from whatever failed, so all text is hostile: Jinja escapes it, and the page's own
content security policy forbids every script, every style but ours and every request.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wrongcot_data import __version__
from wrongcot_data.page.html import ASSETS as BASE_ASSETS
from wrongcot_data.page.html import GENERATOR, policy
from wrongcot_train.texts import visible

ASSETS = Path(__file__).parent / "assets"


def render(page: Mapping[str, Any]) -> str:
    """The page. The same values give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    style = (BASE_ASSETS / "page.css").read_text("utf-8") + (ASSETS / "sweep.css").read_text("utf-8")
    return environment.get_template("sweep.html.jinja").render(
        **page, generator=GENERATOR, version=__version__, policy=policy(style, ""), style=style
    )
