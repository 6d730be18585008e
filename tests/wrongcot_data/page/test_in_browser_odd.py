"""Pages of odd and hostile data in a real browser: traces stay text, and the page stays whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.forgery import change_rows
from tests.wrongcot_data.page.browsing import all_of, by_id, keys, listed, scrolls_sideways
from wrongcot_data.page.traces import MOST_CHARACTERS

ATTACK = (
    "</script></style></title><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>"
    "\u2028\u2029<!--<script>&lt;b&gt;{{ 7 * 7 }}</p>\"'`\\u003c"
)


def told(text: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    """Gives a row this text, without steps unless they are among the changes."""

    def change(row: dict[str, Any]) -> None:
        row.update(completion=[{"role": "assistant", "content": text}], steps=[])
        row.update(changes)

    return change


@pytest.fixture
def visit_changed(copied: Path, page_of: Callable[..., str], visit: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page of a data set all of whose wrong traces were changed, at the wrong traces."""

    def open_page(change: Callable[[dict[str, Any]], None], **look: Any) -> Any:
        change_rows(copied, "wrong", lambda rows: [change(row) for row in rows])
        return visit(page_of(copied), "#view=traces&variant=wrong", **look)

    return open_page


def shown_text(browser: Any) -> str:
    return str(browser.execute_script("return document.querySelector('.text').textContent"))


def test_a_hostile_trace_is_text_and_nothing_else(copied: Path, page_of, visit):
    step = {"start": 0, "end": 9, "text": "", "verdict": ATTACK, "kind": ATTACK, "operator": ATTACK}
    columns = ("answer", "reference_answer", "reason", "teacher", "engine", "sampling", "parent_id", "problem_id")
    change = told(ATTACK, steps=[step], prompt=[{"role": "user", "content": ATTACK}], **dict.fromkeys(columns, ATTACK))
    change_rows(copied, "wrong", lambda rows: [change(row) for row in rows])
    html = page_of(copied)
    assert ATTACK not in html
    browser = visit(html, "#view=traces&variant=wrong")
    for place in ("cards", "prompt", "problem-name", "list"):
        assert ATTACK[:40] in browser.execute_script("return document.getElementById(arguments[0]).textContent", place)
    keys(browser, "bo")
    assert ATTACK[:40] in by_id(browser, "overview").text
    assert browser.execute_script("return window.hacked === undefined")
    assert all_of(browser, "img") == []
    assert len(all_of(browser, "script")) == 2
    assert len(all_of(browser, "style")) == 1


def test_markup_is_refused_by_the_browser_should_the_page_ever_ask_for_it(every_variant: Path, page_of, visit):
    browser = visit(page_of(every_variant))
    tried = "try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch (error) { return error.name }"
    assert browser.execute_script(tried) == "TypeError"
    refused = browser.get_log("browser")  # it says so, which the fixture would take for a fault
    assert all("TrustedHTML" in entry["message"] for entry in refused)


def test_text_from_right_to_left_and_beyond_the_first_plane_is_whole_and_in_its_steps(visit_changed):
    text = "🧮𝟚 الحل: ٣ + ٤ = ٧\nשלום \u202eabc 👩‍🔬 = 12"
    steps = [
        {"start": 0, "end": 2, "text": "", "verdict": "valid", "kind": "", "operator": ""},
        {"start": 20, "end": len(text), "text": "", "verdict": "invalid", "kind": "false equation", "operator": ""},
    ]
    browser = visit_changed(told(text, steps=steps), width=360)
    words = [one.get_attribute("textContent") for one in all_of(browser, ".text .step .words")]
    assert words == [text[:2], text[20:]]
    assert not scrolls_sideways(browser)


def test_a_trace_without_steps_says_so(visit_changed):
    browser = visit_changed(told("just words"))
    assert shown_text(browser) == "just words"
    assert "Not cut into steps." in by_id(browser, "cards").text


def test_an_empty_trace_is_one_too(visit_changed):
    browser = visit_changed(told("", answer=""))
    assert shown_text(browser) == ""
    assert by_id(browser, "detail").is_displayed()


@pytest.mark.parametrize("text", ["a" * 300_000, "word " * 60_000, "\n" * 100_000 + "end"])
def test_a_very_long_trace_is_cut_and_says_how_much_is_missing(visit_changed, text: str):
    browser = visit_changed(told(text), width=390)
    assert shown_text(browser) == text[:MOST_CHARACTERS]
    assert f"{len(text) - MOST_CHARACTERS:,} more characters" in by_id(browser, "cards").text
    assert not scrolls_sideways(browser)


def test_a_data_set_without_rows_is_a_page_that_says_so(tmp_path: Path, scripted, page_of, visit):
    scripted(tmp_path / "d", "--limit", 2, "--variant", "wrong", "--max-minutes", 1e-9)
    browser = visit(page_of(tmp_path / "d"))
    assert "Showing 0 of 0 rows" in by_id(browser, "overview").text
    assert "This data set has no rows." in by_id(browser, "overview").text
    keys(browser, "ojknpb")
    assert listed(browser) == []
    assert not by_id(browser, "detail").is_displayed()
