"""A page as HTML: one file that asks for nothing else, and in which no text of a data set can become markup or code.

Traces come from models and are treated as hostile. The overview's text is escaped by Jinja; the traces are data in a
JSON block, which `page.js` puts on the page as text only. Should either be forgotten somewhere, the page's own content
security policy still forbids every script and style but ours, every request, and strings that are made into markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from wrongcot_data import __version__

ASSETS = Path(__file__).parent / "assets"

GENERATOR = '<meta name="generator" content="wrongcot">'
"""Stands near the beginning of every page, so that a page of ours can be told from another file."""


def render(overview: Mapping[str, Any], traces: Mapping[str, Any]) -> str:
    """The page. The same values give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (ASSETS / "page.css").read_text("utf-8"), (ASSETS / "page.js").read_text("utf-8")
    return environment.get_template("page.html.jinja").render(
        **overview,
        generator=GENERATOR,
        version=__version__,
        policy=policy(style, script),
        style=style,
        script=script,
        traces=embedded(traces),
    )


def policy(style: str, script: str) -> str:
    """The content security policy of a page with this style and script."""
    rules = {
        "default-src": "'none'",
        "script-src": _hash_of(script),
        "style-src": _hash_of(style),
        "img-src": "data:",  # of the empty icon, without which a browser asks for one
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def embedded(value: Any) -> str:
    r"""A value as JSON that can stand in a `script` element: what could end or open one is written as `\\u003c`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":  # they only occur inside strings, where every character may be written so
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
