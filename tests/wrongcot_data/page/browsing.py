"""What the browser tests do with a page, in words."""

from __future__ import annotations

from typing import Any

IN_SIGHT = """
const [outer, inner] = [...arguments].map((one) => one.getBoundingClientRect());
return inner.top >= outer.top - 2 && inner.bottom <= outer.bottom + 2;
"""

LINES = "return [...document.querySelectorAll('#list .option b')].map((one) => one.textContent)"

TABBED = "const one = document.activeElement; return [one.id || one.tagName, getComputedStyle(one).outlineStyle]"


def keys(browser: Any, text: str) -> None:
    """Press keys, wherever the focus is."""
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys(text).perform()


def by_id(browser: Any, name: str) -> Any:
    return browser.find_element("id", name)


def all_of(browser: Any, selector: str) -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", selector)
    return found


def choose(browser: Any, name: str, value: str) -> None:
    """Choose a value of a select."""
    from selenium.webdriver.support.ui import Select

    Select(by_id(browser, name)).select_by_value(value)


def listed(browser: Any) -> list[str]:
    """The variants in the list of traces, line by line."""
    found: list[str] = browser.execute_script(LINES)
    return found


def state(browser: Any) -> dict[str, str]:
    """What the address says."""
    found: dict[str, str] = browser.execute_script(
        "return Object.fromEntries(new URLSearchParams(location.hash.slice(1)))"
    )
    return found


def in_sight(browser: Any, outer: Any, inner: Any) -> bool:
    return bool(browser.execute_script(IN_SIGHT, outer, inner))


def cards(browser: Any) -> list[str]:
    """The headings of the traces that are shown, without their grades."""
    return [card.text.splitlines()[0] for card in all_of(browser, "#cards h3")]


def background(browser: Any) -> str:
    return str(browser.execute_script("return getComputedStyle(document.body).backgroundColor"))


def scrolls_sideways(browser: Any) -> bool:
    """Whether the page is wider than the window, its scrollbar not counted."""
    page = "document.documentElement"
    return bool(browser.execute_script(f"return {page}.scrollWidth > {page}.clientWidth"))
