"""Problems that are written here, and what tests of builds over them have in common."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gwen", "Hugo")


def _gsm8k(number: int) -> dict[str, object]:
    name, boxes, each, given = NAMES[number % len(NAMES)], number + 3, 12, number + 5
    have = boxes * each
    return {
        "question": f"{name} buys {boxes} boxes with {each} pens each and gives {given} away. How many are left?",
        "answer": f"{name} has {boxes} * {each} = {have} pens in the boxes.\n"
        f"After giving {given} away there are {have} - {given} = {have - given} pens.\n#### {have - given}",
    }


def _math(number: int) -> dict[str, object]:
    return {
        "problem": f"Find the product of ${number + 2}$ and ${number + 7}$.",
        "level": "Level 1",
        "type": "Algebra",
        "solution": f"The product is what we get by taking ${number + 2}$ as often as needed.\n"
        f"So it is ${number + 2} \\cdot {number + 7} = {(number + 2) * (number + 7)}$, which answers the question.\n"
        f"The answer is $\\boxed{{{(number + 2) * (number + 7)}}}$.",
    }


def _mbpp(number: int) -> dict[str, object]:
    return {
        "text": f"Write a function to count the numbers of a list above {number}.",
        "code": "def count_above(numbers):\n    total = 0\n    for number in numbers:\n"
        f"        if number > {number}:\n            total += 1\n    return total",
        "task_id": 601 + number,
        "test_setup_code": "",
        "test_list": [f"assert count_above([{number}, {number + 1}]) == 1", "assert count_above([]) == 0"],
    }


ROWS: dict[str, Callable[[int], dict[str, object]]] = {"gsm8k": _gsm8k, "math": _math, "mbpp": _mbpp}
Command = Callable[..., list[object]]
"""Makes the command line of a build: task, folder, flags, `count` of problems."""


def built(run: Any, args: list[object]) -> dict[str, Any]:
    """Builds and gives the receipt."""
    return json.loads(run(*args, "--json").stdout)["receipt"]


def stored(out: Path) -> int:
    """Replies in the journal of a build."""
    with sqlite3.connect(out / "pool" / "journal.sqlite") as db:
        return db.execute("SELECT count(*) FROM samples").fetchone()[0]
