"""What goes wrong on order, and when.

hub.fail("commit", Refuse(412))                                # the first commit
hub.fail("upload", Cut("upload", at=1000), nth=2)              # the second upload, after 1000 bytes
hub.fail("POST */preupload/*", Refuse(429, retry_after=3), times=2)
order = hub.fail("info", Slow(0.5), times=ALWAYS)
assert order.met                                               # it did come to that
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

ALWAYS = -1


@dataclass(frozen=True)
class Refuse:
    """Another answer than the one that was due."""

    status: int
    message: str = ""
    code: str = ""  # X-Error-Code, such as RepoNotFound
    retry_after: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None  # instead of the Hub's JSON, such as the page of a proxy
    acted: bool = False  # what was asked is done all the same, as behind a gateway that gave up waiting


@dataclass(frozen=True)
class Cut:
    """The connection ends.

    `before`: the request was read, and nothing was done. `after`: it was done, and no answer comes. `upload`: after
    `at` bytes of the request's body, by a reset. `download`: after `at` bytes of the answer's body.
    """

    when: Literal["before", "after", "upload", "download"]
    at: int = 0


@dataclass(frozen=True)
class Slow:
    """The answer is right, and late."""

    seconds: float


@dataclass(frozen=True)
class Meanwhile:
    """Something else happens just before: another commit, a tag, the end of the repository."""

    happens: Callable[[], object]


Fault = Refuse | Cut | Slow | Meanwhile


@dataclass
class Order:
    """A fault for the nth request of a kind and as many after it as `times` says.

    `what` is a stage (the name of an endpoint in the table of this package), or a method and a pattern of the path:
    `POST */commit/*`.
    """

    what: str
    fault: Fault
    nth: int = 1
    times: int = 1
    seen: int = 0
    met: int = 0

    def meets(self, stage: str, method: str, path: str) -> bool:
        """Whether a request gets this fault; it counts the requests."""
        wanted, found, pattern = self.what.partition(" ")
        if not (method == wanted and fnmatchcase(path, pattern) if found else stage == self.what):
            return False
        self.seen += 1
        if self.seen < self.nth or (self.times != ALWAYS and self.seen >= self.nth + self.times):
            return False
        self.met += 1
        return True
