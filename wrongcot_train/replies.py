"""The replies of an eval on disk: what was written stays written, however the program ended.

One JSON line a reply, after a first line that says which eval this is. Grades are not here: they follow from the reply
and are computed when the eval ends, so that a better grader needs no new replies.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from wrongcot_data.errors import BadInput
from wrongcot_data.records import FinishReason

Key = tuple[str, int]
"""A problem's id and the number of the sample, from 0: which reply it is."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One of a student's replies to a problem.

    Attributes:
        sample: which of them, from 0.
        error: why there is none, where `finish_reason` is `error`.
        engine: name and version of what ran the student.
    """

    problem_id: str
    sample: int
    completion: str
    finish_reason: FinishReason
    n_prompt_tokens: int
    n_tokens: int
    error: str
    engine: str


def read_replies(path: Path, identity: Mapping[str, Any]) -> dict[Key, Reply]:
    """The replies that this very eval has so far; none where the file is not there.

    A line that a crash tore is left out, so its item is asked again; so is a reply that was an error. `identity` is
    everything that decides a reply but the problem and the sample.

    Raises:
        BadInput: the file belongs to an eval that differs; the message says in what.
    """
    if not path.is_file():
        return {}
    first, *rest = _objects(path) or [{}]
    header = first.get("eval")
    if header is None:
        if rest:
            raise BadInput(f"{path} holds no eval of ours", try_=["--out ANOTHER"])
        return {}  # the first line itself was torn
    differing = [name for name in identity if header.get(name) != identity[name]]
    if differing:
        told = ", ".join(f"{name} {header.get(name)!r}, not {identity[name]!r}" for name in differing)
        raise BadInput(
            f"{path.parent} holds another eval: {told}",
            try_=["--out ANOTHER", f"rm -r {path.parent}    (if it is not needed)"],
        )
    lines = [{"sample": 0, **line} for line in rest]  # evals of before there were several have no number
    replies = [Reply(**line) for line in lines if line.keys() == Reply.__dataclass_fields__.keys()]
    return {(reply.problem_id, reply.sample): reply for reply in replies if reply.finish_reason != "error"}


def _objects(path: Path) -> list[dict[str, Any]]:
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


@contextmanager
def reply_log(path: Path, identity: Mapping[str, Any], kept: Iterable[Reply]) -> Iterator[ReplyLog]:
    """Open the file to add replies. It is first rewritten with the replies that are kept, without any torn line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as handle:
        log = ReplyLog(handle)
        handle.write(json.dumps({"eval": dict(identity)}) + "\n")
        log.add(kept)
        fresh.replace(path)
        yield log


class ReplyLog:
    """Adds replies to the file."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle

    def add(self, replies: Iterable[Reply]) -> None:
        """Returns when the replies are on the disk."""
        for reply in replies:
            self._handle.write(json.dumps(asdict(reply)) + "\n")
        self._handle.flush()
        os.fsync(self._handle.fileno())
