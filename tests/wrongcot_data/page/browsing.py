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


CONTRAST = """
const parts = (colour) => colour.match(/[0-9.]+/g).map(Number);
const linear = (value) => (value <= 10.31475 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
function behind(element) {
  for (let one = element; one; one = one.parentElement) {
    const [r, g, b, a = 1] = parts(getComputedStyle(one).backgroundColor);
    if (a > 0) return [r, g, b];
  }
}
const ratio = (one) => {
  const [more, less] = [light(parts(getComputedStyle(one).color)), light(behind(one))].sort((a, b) => b - a);
  return (more + 0.05) / (less + 0.05);
};
const words = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
const seen = (one) => words(one) && one.checkVisibility() && !one.closest("svg, option");
const all = [...document.querySelectorAll("body *")].filter(seen);
return all.map((one) => [`${one.tagName} ${one.id} ${one.className}`, ratio(one)]);
"""


def contrasts(browser: Any) -> dict[str, float]:
    """How much the words of each element that is seen stand out, as WCAG reckons it: from 1 to 21."""
    found: list[tuple[str, float]] = browser.execute_script(CONTRAST)
    return {name: min(ratio for other, ratio in found if other == name) for name, _ in found}


COPIED = """
const text = document.querySelector(".text");
getSelection().selectAllChildren(text);
return [getSelection().toString(), [...text.querySelectorAll(".words")].map((one) => one.textContent)];
"""


def copied_text(browser: Any) -> tuple[str, list[str]]:
    """What one gets who selects and copies the first trace that is shown, and the words of its steps."""
    text, steps = browser.execute_script(COPIED)
    return text, steps
