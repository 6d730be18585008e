"""What the user did or has that cannot work: said in one line, with the next step to type.

Anything else that is raised is a bug and ends the program with a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class WrongcotError(Exception):
    """A fault with a cause that the user can mend.

    Attributes:
        message: what is wrong, one line, no full stop.
        try_: things to type or do next, most likely first.
        exit_code: what the program exits with: 2 bad input or use, 3 something is missing on this machine,
            1 the thing that was checked does not hold.
    """

    exit_code = 2

    def __init__(self, message: str, *, try_: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.try_ = tuple(try_)


class BadInput(WrongcotError):
    """An argument, a file or a row that does not say what it must."""


class Unavailable(WrongcotError):
    """A package, a device, a model or room on the disk that this machine lacks."""

    exit_code = 3


class CheckFailed(WrongcotError):
    """Stored data that is not what it says it is."""

    exit_code = 1


NEAR = 0.65
"""Likeness from which a known name is offered for an unknown one: 0.5 offers `data_parallel_size` for `batch_size`."""

MOST_LISTED = 12


def unknown(kind: str, name: str, known: Iterable[str], within: str = "") -> BadInput:
    """The error for a name that is not known, with the nearest one that is; where none is near, with those there are.

    Args:
        within: what stands before all of these names, such as `sampling.`; it makes none of them more alike.
    """
    names = sorted(known)
    near = nearest(name, names)
    listed = [*names[:MOST_LISTED], "..."] if len(names) > MOST_LISTED else names
    hint = f"did you mean {within}{near}?" if near else f"known: {', '.join(listed) or 'none'}"
    return BadInput(f"unknown {kind} {within + name!r}: {hint}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is most like this one; empty where none is like it."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=NEAR)
    return near[0] if near else ""


def missing_extra(package: str, extra: str) -> Unavailable:
    """The error for an optional package that is not installed."""
    return Unavailable(
        f"{package} is not installed; it comes with the extra {extra!r}",
        try_=[f"pip install 'wrongcot[{extra}]'"],
    )
