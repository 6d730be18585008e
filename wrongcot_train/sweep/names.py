"""What students and data sets are called in folders and tables: readable, and the same however the sweep grows.

A name depends on its own reference only, never on the others beside it, so a longer list renames nothing. Two that
would share a name are refused, and a mapping in the file says better ones.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from wrongcot_data.errors import BadInput

BASE = "base"
"""The untrained student, where a data set's name would stand."""

LONGEST = 60
"""Characters of a name: a folder's is made of two of them and a seed."""

_NAME = re.compile(r"[A-Za-z0-9](?!.*--)[\w.-]*", flags=re.ASCII)


def named(key: str, given: Any) -> dict[str, str]:
    """References by name, from a mapping, a list or a single one.

    Raises:
        BadInput: something that is no text, an empty list, a name that cannot be a folder's, or one given twice.
    """
    if isinstance(given, str):
        given = [given]
    if isinstance(given, Mapping):
        pairs = [(str(name), reference) for name, reference in given.items()]
    elif isinstance(given, Sequence) and given:
        pairs = [
            (short(reference), reference) if isinstance(reference, str) else ("", reference) for reference in given
        ]
    else:
        raise BadInput(f"{key} must be a list, or `name: reference` lines")
    found: dict[str, str] = {}
    for name, reference in pairs:
        if not isinstance(reference, str) or not reference:
            raise BadInput(f"{key} must be texts, not {reference!r}")
        check_name(key, name)
        if name.casefold() in (other.casefold() for other in found):  # some disks do not tell A from a
            raise BadInput(
                f"two of {key} would be called {name!r}",
                try_=[f"{key}: {{ONE: {pairs[0][1]}, ANOTHER: {reference}}}    (names of your own)"],
            )
        found[name] = reference
    return found


def check_name(key: str, name: str) -> None:
    """See that a name can be part of a folder's, where `--` parts one name from the next.

    Raises:
        BadInput: it cannot.
    """
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} in {key} cannot name a folder",
            try_=[f"letters, digits, `.`, `_` and single `-`, at most {LONGEST}"],
        )


def short(reference: str) -> str:
    """A name for a reference: its last part, with version and variant. `data/countdown:wrong` is `countdown-wrong`."""
    last = reference.rstrip("/").rsplit("/", 1)[-1]
    name = re.sub(r"[^A-Za-z0-9._]+", "-", last).strip("-._")
    return name[:LONGEST].rstrip("-._") if name else "unnamed"
