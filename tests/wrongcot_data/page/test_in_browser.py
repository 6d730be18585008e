"""The page in a real browser: what a reader can do with it. The fixture `visit` sees that it asks for nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.wrongcot_data.page.browsing import (
    TABBED,
    all_of,
    background,
    by_id,
    cards,
    choose,
    contrasts,
    copied_text,
    in_sight,
    keys,
    listed,
    scrolls_sideways,
    state,
)

DARK, LIGHT = "rgb(20, 23, 26)", "rgb(255, 255, 255)"


@pytest.fixture(scope="module")
def html(every_variant: Path, page_of: Callable[..., str]) -> str:
    return page_of(every_variant)


def test_the_overview_comes_first_and_its_counts_lead_to_the_traces(html: str, visit):
    browser = visit(html)
    assert by_id(browser, "overview").is_displayed()
    assert not by_id(browser, "traces").is_displayed()
    (link,) = all_of(browser, "#kinds a[href*='variant=samples'][href*='grade=truncated']")
    count = int(link.text)
    link.click()
    assert by_id(browser, "traces").is_displayed()
    assert listed(browser) == ["samples"] * count
    browser.back()
    assert by_id(browser, "overview").is_displayed()


def test_filters_narrow_the_list_to_what_they_say(html: str, visit):
    browser = visit(html, "#view=traces")
    everything = listed(browser)
    assert by_id(browser, "count").text == f"{len(everything)} of {len(everything)} traces"
    choose(browser, "variant", "corrupt")
    choose(browser, "level", "75")
    assert set(listed(browser)) == {"corrupt 75 %"}
    by_id(browser, "clear").click()
    assert listed(browser) == everything
    choose(browser, "variant", "wrong")
    choose(browser, "grade", "wrong")
    assert set(listed(browser)) == {"wrong"}


def test_a_choice_that_would_leave_nothing_cannot_be_made(html: str, visit):
    browser = visit(html, "#view=traces&variant=reference")
    grades = {option.get_attribute("value") for option in all_of(browser, "#grade option") if option.is_enabled()}
    assert grades == {"", "correct"}


def test_search_finds_words_whatever_their_case_and_says_where_there_are_none(html: str, visit):
    browser = visit(html, "#view=traces&variant=wrong")
    words = all_of(browser, ".text .words")[0].text.splitlines()[0]
    keys(browser, "/")
    keys(browser, words.upper())
    assert listed(browser)
    assert words in by_id(browser, "cards").text
    keys(browser, " and no trace says this")
    assert listed(browser) == []
    assert "No trace here is like that." in by_id(browser, "list").text
    assert not by_id(browser, "detail").is_displayed()


def test_keys_go_from_trace_to_trace_and_from_problem_to_problem(html: str, visit):
    browser = visit(html, "#view=traces")
    first, problem = state(browser)["trace"], by_id(browser, "problem-name").text
    keys(browser, "j")
    assert state(browser)["trace"] != first
    keys(browser, "kk")  # there is none before the first
    assert state(browser)["trace"] == first
    keys(browser, "n")
    assert by_id(browser, "problem-name").text != problem
    keys(browser, "p")
    assert (by_id(browser, "problem-name").text, state(browser)["trace"]) == (problem, first)


def test_arrows_move_in_the_list_and_the_chosen_line_stays_in_sight(html: str, visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(html, "#view=traces")
    box = by_id(browser, "list")
    for pressed in (Keys.END, Keys.PAGE_UP, Keys.ARROW_UP, Keys.ARROW_DOWN, Keys.HOME):
        box.send_keys(pressed)
        line = by_id(browser, box.get_attribute("aria-activedescendant"))
        assert line.get_attribute("aria-selected") == "true"
        assert in_sight(browser, box, line)
    assert line.get_attribute("id") == "option-0"
    assert len(all_of(browser, "[aria-selected='true']")) == 1


def test_keys_are_letters_where_one_types(html: str, visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(html, "#view=traces")
    first = state(browser)["trace"]
    keys(browser, "/")
    keys(browser, "jot?")
    assert (by_id(browser, "q").get_attribute("value"), background(browser)) == ("jot?", LIGHT)
    assert not by_id(browser, "help").is_displayed()
    by_id(browser, "clear").click()
    keys(browser, "/")
    keys(browser, Keys.ESCAPE)
    keys(browser, "j")
    assert state(browser)["trace"] != first


def test_help_opens_with_a_key_and_closes_with_another(html: str, visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(html)
    keys(browser, "?")
    assert by_id(browser, "help").is_displayed()
    keys(browser, "o")  # is for the page below it
    assert state(browser) == {}
    keys(browser, Keys.ESCAPE)
    assert not by_id(browser, "help").is_displayed()
    by_id(browser, "help-open").click()
    by_id(browser, "help-close").click()
    assert not by_id(browser, "help").is_displayed()


def test_every_control_is_reached_by_tab_with_its_focus_in_sight(html: str, visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(html, "#view=traces")
    reached = {}
    for _ in range(30):
        keys(browser, Keys.TAB)
        name, outline = browser.execute_script(TABBED)
        reached[name] = outline
    controls = {one.get_attribute("id") for one in all_of(browser, "button, select, input") if one.is_displayed()}
    assert (controls - {"clear"}) | {"skip", "list"} <= set(reached)  # there is nothing to clear yet
    assert {outline for name, outline in reached.items() if name != "BODY"} == {"solid"}


def test_every_control_has_a_name_for_those_who_hear_the_page(html: str, visit):
    browser = visit(html, "#view=traces")
    for control in all_of(browser, "button, select, input, #list, #detail"):
        if control.is_displayed():
            assert control.accessible_name


@pytest.mark.parametrize(
    ("filters", "beside"),
    [
        ("variant=wrong", "right"),
        ("variant=right", "wrong"),
        ("variant=reference", "paraphrase"),
        ("variant=corrupt&level=75", "corrupt 0 %"),
        ("variant=corrupt&level=0", "corrupt 100 %"),
    ],
)
def test_the_counterpart_of_a_trace_stands_beside_it(html: str, visit, filters: str, beside: str):
    browser = visit(html, f"#view=traces&{filters}")
    assert len(cards(browser)) == 1
    keys(browser, "b")
    this, other = cards(browser)
    assert other.startswith(beside)
    one, two = (card.rect for card in all_of(browser, ".card"))
    assert one["y"] == two["y"]
    assert one["x"] < two["x"]
    keys(browser, "b")
    assert cards(browser) == [this]


def test_any_other_trace_of_the_problem_can_stand_beside_it(html: str, visit):
    from selenium.webdriver.common.keys import Keys

    browser = visit(html, "#view=traces&variant=wrong")
    others = [option.get_attribute("value") for option in all_of(browser, "#beside option")]
    (pick,) = [value for value in others if value.startswith("corrupt-50/")]
    choose(browser, "beside", pick)
    assert cards(browser)[1].startswith("corrupt 50 %")
    keys(browser, Keys.ESCAPE)
    keys(browser, "n")  # where that trace is none of the problem's
    assert state(browser)["beside"] == "auto"


def test_a_linked_view_is_what_the_one_who_linked_it_saw(html: str, visit):
    browser = visit(html, "#view=traces")
    choose(browser, "variant", "corrupt")
    choose(browser, "level", "50")
    keys(browser, "jjb")
    seen, address = by_id(browser, "traces").text, browser.execute_script("return location.hash")
    browser = visit(html, address)
    assert by_id(browser, "traces").text == seen


def test_an_address_that_names_what_is_not_here_shows_what_is(html: str, visit):
    browser = visit(html, "#view=traces&variant=nothing&level=31&trace=nowhere/7&beside=nowhere/8&more=1")
    assert len(listed(browser)) == int(by_id(browser, "count").text.split()[2])
    assert by_id(browser, "detail").is_displayed()


def test_verdicts_are_told_by_marks_and_words_and_not_by_colour_alone(html: str, visit):
    browser = visit(html, "#view=traces&variant=corrupt&level=75")
    for verdict, mark in (("valid", "✓"), ("invalid", "✗"), ("unchecked", "·")):
        step = all_of(browser, f".text .step.{verdict}")[0]
        assert step.text.startswith(mark)
        assert step.get_attribute("textContent").startswith(f"{mark}{verdict} step: ")
    assert "[false equation: " in by_id(browser, "cards").text
    assert "by " in all_of(browser, ".fault")[0].text


def test_the_page_is_as_dark_as_the_reader_has_it_until_told_otherwise(html: str, visit):
    browser = visit(html, scheme="dark")
    assert background(browser) == DARK
    keys(browser, "t")
    assert background(browser) == LIGHT
    assert by_id(browser, "theme").get_attribute("aria-pressed") == "false"
    browser = visit(html, scheme="dark")  # it remembers
    assert background(browser) == LIGHT
    by_id(browser, "theme").click()
    assert background(browser) == DARK


@pytest.mark.parametrize("address", ["", "#view=traces&variant=wrong&beside=auto"])
def test_a_phone_shows_it_without_scrolling_sideways(html: str, visit, address: str):
    browser = visit(html, address, width=360, height=740)
    assert not scrolls_sideways(browser)
    if address:
        one, two = (card.rect for card in all_of(browser, ".card"))
        assert one["y"] < two["y"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "address", ["", "#view=traces&variant=corrupt&level=75&beside=auto", "#view=traces&variant=samples"]
)
def test_all_words_stand_out_from_what_is_behind_them(html: str, visit, scheme: str, address: str):
    found = contrasts(visit(html, address, scheme=scheme))
    assert len(found) > 15
    assert {name: ratio for name, ratio in found.items() if ratio < 4.5} == {}


def test_who_copies_a_trace_gets_the_trace_and_none_of_the_marks(html: str, visit):
    copied, steps = copied_text(visit(html, "#view=traces&variant=corrupt&level=75"))
    assert steps
    assert all(step in copied for step in steps)
    assert not set("✓✗·[") & set(copied)
