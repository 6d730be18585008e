"""The page as HTML: data that cannot break out of it, and a policy that fits what is in it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wrongcot_data.page.html import ASSETS, embedded

PLAIN = st.recursive(st.text() | st.integers(), lambda some: st.lists(some) | st.dictionaries(st.text(), some))


@pytest.fixture(scope="module")
def html(every_variant: Path, page_of: Callable[..., str]) -> str:
    return page_of(every_variant)


@given(PLAIN)
def test_embedded_data_is_what_it_was_and_holds_nothing_that_ends_or_opens_an_element(value: object):
    text = embedded(value)
    assert json.loads(text) == value
    assert not re.search("[<>&\u2028\u2029]", text)


@pytest.mark.parametrize("text", ["</script>", "<!--<script>", "]]>", "&lt;", "\u2028", "\x00", "\r\n"])
def test_no_known_way_out_of_a_script_element_is_open(text: str):
    assert text not in embedded({"trace": text})
    assert json.loads(embedded({"trace": text})) == {"trace": text}


def test_the_policy_allows_the_one_script_and_the_one_style_that_are_there_and_no_request(html: str):
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)
    rules = dict(rule.split(" ", 1) for rule in policy.replace("&#39;", "'").split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    for name, element in (("script-src", "script"), ("style-src", "style")):
        (text,) = re.findall(f"<{element}>(.*?)</{element}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert "unsafe" not in policy
    assert html.index("Content-Security-Policy") < html.index("<style>")


def test_the_page_names_nothing_outside_of_itself(html: str):
    assert not re.findall(
        r"https?://|//[a-z]+\.[a-z]", re.sub(r'(?s)<script type="application/json".*?</script>', "", html)
    )
    sources = re.findall(r"""(?:src|href|action|data|poster)\s*=\s*["']?([^"'\s>]+)""", html.partition('id="data"')[0])
    assert all(source == "data:," or source.startswith("#") for source in sources)
    assert "url(" not in html.partition('id="data"')[0]
    assert "@import" not in html


def test_the_script_makes_no_markup_of_text_and_runs_none():
    script = (ASSETS / "page.js").read_text()
    for sink in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "import(",
    ):
        assert sink not in script


def test_the_script_and_the_style_cannot_end_their_own_elements():
    assert "</script" not in (ASSETS / "page.js").read_text().lower()
    assert "</style" not in (ASSETS / "page.css").read_text().lower()


def test_every_id_is_there_once_and_every_reference_to_one_leads_somewhere(html: str):
    markup = html.partition('id="data"')[0]
    names = re.findall(r'\sid="([^"]+)"', markup)
    assert len(names) == len(set(names))
    pointed = re.findall(r'(?:aria-controls|aria-labelledby)="([^"]+)"', markup)
    used = re.findall(r'byId\("([^"]+)"\)', (ASSETS / "page.js").read_text())
    assert {*pointed, *used} <= {*names, "data"}
