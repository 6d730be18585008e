"""One server as the engine sees it: how much it is sent at once, when it is left alone, whether it is there.

Pure: time is handed in, nothing is sent from here.

* How much: additive increase, multiplicative decrease (Chiu and Jain 1989, "Analysis of the increase and decrease
  algorithms for congestion avoidance"), with TCP's slow start until the first trouble and at most one decrease a round
  trip (RFC 6582: what was sent before the last decrease says nothing new).
* How long to wait: exponential backoff with full jitter (Brooker 2015, "Exponential Backoff And Jitter", AWS
  Architecture Blog), or what the server asks for by `Retry-After`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random

LONGEST_BACKOFF_S = 30.0
LONGEST_RETRY_AFTER_S = 120.0

STEPS_TO_FULL = 32
"""Round trips from one request at a time back to the most; curator, which took tiny steps, stayed near one."""


def backoff(number: int, base_s: float, rng: Random) -> float:
    """Seconds to wait before try `number` (1, 2, ...) of something that failed: full jitter, so that nobody marches."""
    return rng.uniform(0, min(LONGEST_BACKOFF_S, base_s * 2.0 ** min(number, 30)))


def retry_after(value: str | None, date: str | None, now: datetime) -> float:
    """Seconds that a server asks to be left alone, between 0 and two minutes; 0 where it says nothing readable.

    Args:
        value: its `Retry-After`: seconds, or a date.
        date: its own `Date`, which a date is counted from: a server whose clock differs from ours means its own.
        now: our clock, for servers that send no `Date`.
    """
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        until = _date(value)
        seconds = (until - (_date(date) or now)).total_seconds() if until else 0.0
    if math.isnan(seconds):
        return 0.0
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S)


def _date(text: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Limit:
    """How many requests a server may have at once, between 1 and `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._step = max(1.0, most / STEPS_TO_FULL)
        self._first = max(1.0, most / 4)
        self._decreased_at = -1
        self.restart()

    @property
    def value(self) -> int:
        """Requests at once."""
        return int(self._value)

    def restart(self) -> None:
        """Begin anew with a quarter of the most, for a server that is new or came back."""
        self._value = self._first
        self._slow_start = True

    def replied(self, in_flight: int) -> None:
        """A request was served well while that many were under way."""
        if in_flight * 2 < self._value:
            return  # so little asks nothing of the server and proves nothing
        # a reply each: slow start doubles in a round trip, after that a round trip adds one step
        gain = 1.0 if self._slow_start else self._step / self._value
        self._value = min(float(self._most), self._value + gain)

    def overloaded(self, ticket: int, last_ticket: int) -> bool:
        """The server refused the request with that ticket, or let it run into the timeout.

        Args:
            last_ticket: of the request that was sent last.

        Returns:
            Whether this is news: false for what was sent before the last decrease.
        """
        if ticket <= self._decreased_at:
            return False
        self._decreased_at = last_ticket
        self._slow_start = False
        self._value = max(1.0, self._value / 2)
        return True


@dataclass(slots=True, eq=False)
class Endpoint:
    """One server: its address, what it is, and how it is doing.

    Attributes:
        url: up to and with `/v1`, without a slash at its end.
        vllm: whether it speaks vLLM's dialect; `version` then says which.
        model: the name it serves the teacher by.
        seeds: whether it takes seeds; false once it refused one.
        renamed: whether it wants `max_completion_tokens` for `max_tokens`, as OpenAI's newer models do.
        known: whether it was asked what it is and has.
        down: whether it is away: nothing is sent until it answers again.
        out: whether it serves nothing before somebody mends it: nothing is sent any more.
        served: whether it ever gave a reply.
        misfits: requests that it refused as wrong since its last reply.
        trouble: what was wrong with it since its last reply, in words.
        in_flight: when each request under way was sent, by ticket, oldest first.
        last_answer: when it last answered a request, other than by having too much to do.
        seen: when it last showed that it is there.
        paused_until: when it may be sent something again; `wished_until`: when it asked for that itself.
    """

    url: str
    limit: Limit
    vllm: bool = False
    version: str = ""
    model: str = ""
    seeds: bool = True
    renamed: bool = False
    known: bool = False
    down: bool = False
    out: bool = False
    served: bool = False
    misfits: int = 0
    trouble: str = ""
    in_flight: dict[int, float] = field(default_factory=dict)
    last_answer: float = float("-inf")
    seen: float = float("-inf")
    paused_until: float = float("-inf")
    wished_until: float = float("-inf")
    _last_ticket: int = 0
    _refusals: int = 0

    def free(self, now: float) -> int:
        """How many more requests it may be sent."""
        if self.down or self.out or now < self.paused_until:
            return 0
        return self.limit.value - len(self.in_flight)

    def send(self, now: float) -> int:
        """Note that a request goes out; returns its ticket."""
        self._last_ticket += 1
        self.in_flight[self._last_ticket] = now
        return self._last_ticket

    def done(self, ticket: int) -> None:
        """Note that a request is no longer under way."""
        self.in_flight.pop(ticket, None)

    def answered(self, now: float) -> None:
        """It answered: well or ill, but it is there."""
        self.last_answer = self.seen = now

    def replied(self, now: float) -> None:
        """It served a request well."""
        self.answered(now)
        self.served = True
        self.misfits = 0
        self.trouble = ""
        self._refusals = 0
        self.limit.replied(len(self.in_flight))

    def refused(self, ticket: int, now: float, asked_s: float, wait: Callable[[int], float]) -> None:
        """It has too much to do: send less, and nothing for a while.

        Args:
            asked_s: how long it asks to be left alone, at least.
            wait: seconds for the first, second, ... time without a reply in between.
        """
        if self.limit.overloaded(ticket, self._last_ticket):
            self._refusals += 1
            self.paused_until = max(self.paused_until, now + wait(self._refusals))
        self.seen = now
        if asked_s:
            self.wished_until = max(self.wished_until, now + asked_s)
            self.paused_until = max(self.paused_until, self.wished_until)

    def timed_out(self, ticket: int) -> None:
        """It did not answer a request in time, though it answers others: send less."""
        self.limit.overloaded(ticket, self._last_ticket)

    def answered_since(self, sent: float) -> bool:
        """Whether it has answered anything since then: what fails at a server that serves others is the request's."""
        return self.last_answer > sent

    def holds(self, now: float, seconds: float) -> bool:
        """Whether it is there, for all we know, and a request has been under way for longer than that."""
        sent = next(iter(self.in_flight.values()), now)
        return not self.down and now - sent > seconds

    def idle(self, now: float) -> bool:
        """Whether it is well and was asked for nothing that it still owes."""
        return not self.in_flight and self.free(now) > 0 and not self.trouble

    def came_back(self, *, rested: bool) -> None:
        """It is there again. After a rest it is not flooded at once; it may have begun anew."""
        self.down = False
        if rested:
            self.trouble = ""
            self.paused_until = float("-inf")
            self._refusals = 0
            self.limit.restart()
