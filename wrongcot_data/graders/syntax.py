"""Syntax trees of untrusted text, one at a time: CPython 3.11 counts the depth of all threads together when it builds
them, and then raises SystemError, or RecursionError for a text that is not deep.
"""

from __future__ import annotations

import ast
import threading
import warnings
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_one_at_a_time = threading.Lock()
_TRIALS = 3
"""Others in this process may parse without asking; what they disturb is tried again."""


def syntax_tree(source: str) -> ast.Module:
    """The syntax tree of a Python source; nothing is executed, no warning is given.

    Raises:
        SyntaxError, ValueError: it is no Python.
        RecursionError, MemoryError: it is nested too deep.
    """
    return _parsed(lambda: ast.parse(source))


def expression_tree(source: str) -> ast.expr:
    """The same of one expression."""
    return _parsed(lambda: ast.parse(source, mode="eval")).body


def _parsed(parse: Callable[[], T]) -> T:
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes such as "\d", which say nothing about the text
        for _ in range(_TRIALS):
            try:
                return parse()
            except SystemError:
                continue
    raise RecursionError
