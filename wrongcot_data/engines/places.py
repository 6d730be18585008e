"""Who is sent the next request: the server with the most free places; requests without a place wait in line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

from wrongcot_data.engines.endpoints import Endpoint

Place = tuple[Endpoint, int]
"""A server and the ticket of the request that it is sent."""


class Places:
    """The free places of some servers. Belongs to one event loop; whatever frees a place calls `hand_out`."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._line: deque[tuple[asyncio.Future[Place], Endpoint | None]] = deque()

    async def take(self, last: Endpoint | None) -> Place:
        """A place, as soon as there is one.

        Args:
            last: where the request was before: it goes elsewhere if it can, else to the front of the line.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._line and (endpoint := self._best(last, now)):
            return endpoint, endpoint.send(now)
        future: asyncio.Future[Place] = loop.create_future()
        if last:
            self._line.appendleft((future, last))
        else:
            self._line.append((future, None))
        return await future

    def hand_out(self) -> None:
        """Give the places that are free to those that wait."""
        now = asyncio.get_running_loop().time()
        while self._line:
            future, last = self._line[0]
            endpoint = None if future.done() else self._best(last, now)
            if endpoint:
                future.set_result((endpoint, endpoint.send(now)))
            elif not future.done():
                return
            self._line.popleft()

    def _best(self, last: Endpoint | None, now: float) -> Endpoint | None:
        best, most = None, (False, 0)
        for endpoint in self._endpoints:
            free = endpoint.free(now)
            if free > 0 and (endpoint is not last, free) > most:
                best, most = endpoint, (endpoint is not last, free)
        return best
