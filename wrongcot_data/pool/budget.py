"""When a build stops asking although something is missing: it was interrupted, or a budget is used up."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from wrongcot_data.records import Sample

Stopped = Literal["stopped early", "time used up", "token budget used up"]


class Budget:
    """What a build may spend; what is in flight when it stops is still finished and stored.

    Args:
        interrupted: whether the user asked it to stop.
        minutes: from now on, by a clock that nobody can set; None for no limit.
        tokens: written by the teacher for this build: in this call, and in earlier ones for what this build calls for;
            None for no limit. It is kept strictly: a reply is asked only if all replies in flight may still become as
            long as they can.
        reply_tokens: the longest that a reply can be.
    """

    def __init__(
        self, interrupted: Callable[[], bool], *, minutes: float | None, tokens: int | None, reply_tokens: int
    ) -> None:
        self._interrupted = interrupted
        self._deadline = time.monotonic() + minutes * 60 if minutes is not None else None
        self._tokens = tokens
        self._reply_tokens = reply_tokens

    def after(self, n_tokens: int) -> Budget:
        """What is left for a later stage of the same build, until the same moment.

        Args:
            n_tokens: written in the stages before it.
        """
        left = None if self._tokens is None else max(0, self._tokens - n_tokens)
        later = Budget(self._interrupted, minutes=None, tokens=left, reply_tokens=self._reply_tokens)
        later._deadline = self._deadline
        return later

    def stopped(self) -> Stopped | None:
        """Why nothing more may be asked, whatever is in flight; None while something may."""
        if self._interrupted():
            return "stopped early"
        if self._deadline is not None and time.monotonic() >= self._deadline:
            return "time used up"
        return None

    def cost(self, sample: Sample) -> int:
        """Tokens that a sample is charged: what was counted, or as many as there can be where a server counts none."""
        return sample.n_tokens or (self._reply_tokens if sample.completion else 0)

    def places(self, n_tokens: int, in_flight: int, free: int) -> int:
        """How many replies may be asked now.

        Args:
            n_tokens: written so far.
            free: places that the engine has.
        """
        if self.stopped():
            return 0
        if self._tokens is None:
            return free
        return max(0, min(free, (self._tokens - n_tokens) // self._reply_tokens - in_flight))
