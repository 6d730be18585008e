"""What engines share that serve each request by a coroutine."""

from __future__ import annotations

import asyncio
import time

import pytest

from wrongcot_data.engines.asynchronous import AsyncEngine
from wrongcot_data.engines.base import Completion, Request
from wrongcot_data.errors import Unavailable
from wrongcot_data.records import Prompt


class Failing(AsyncEngine):
    """Raises for the request `bad`; all others get a reply. None is answered before so many are begun."""

    def __init__(self, together: int) -> None:
        super().__init__()
        self.begun, self.together = 0, together
        self.all_begun = asyncio.Event()

    async def _reply(self, request: Request) -> Completion:
        self.begun += 1
        if self.begun == self.together:
            self.all_begun.set()
        await self.all_begun.wait()
        if request.key == "bad":
            raise Unavailable("it broke")
        return Completion(request.key, "paid for", "stop", 1, 1)


def test_every_reply_that_finished_is_handed_over_before_an_error_is_raised():
    engine = Failing(6)  # an error before the last were submitted would keep these from being begun
    for key in ("a", "bad", "b", "c", "bad", "d"):
        engine.submit(Request(key, "p", Prompt("t", text="x"), 1))
    deadline = time.monotonic() + 30
    while engine._finished.qsize() < 5:  # four replies and the mark of an error
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert sorted(one.key for one in engine.wait()) == ["a", "b", "c", "d"]
    for _ in range(2):
        with pytest.raises(Unavailable, match="it broke"):
            engine.wait()
    engine.submit(Request("late", "p", Prompt("t", text="x"), 1))  # nothing is begun any more
    with pytest.raises(Unavailable, match="it broke"):
        engine.wait()
    engine.close()
