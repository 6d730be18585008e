"""Who is sent the next request: the server with the most free places; requests without a place wait in line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from wrongcot_data.engines.endpoints import Endpoint

Place = tuple[Endpoint, int]
"""A server and the ticket of the request that it is sent."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request in line. `last`: where it was before; None where it was never sent."""

    future: asyncio.Future[Place]
    key: str
    last: Endpoint | None


class Places:
    """The free places of some servers. Belongs to one event loop; whatever frees a place calls `hand_out`."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._line: deque[_Waiting] = deque()

    async def take(self, key: str, last: Endpoint | None, *, soon: bool) -> Place:
        """A place, as soon as there is one.

        Args:
            key: of the request.
            last: where the request was before: it goes elsewhere if it can.
            soon: whether such a one goes to the front of the line; else to its end, as what is refused again and again
                would keep all others from a server that takes one at a time.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        if not self._line and (endpoint := self._best(last, now)):
            return endpoint, endpoint.send(now)
        future: asyncio.Future[Place] = loop.create_future()
        if last and soon:
            self._line.appendleft(_Waiting(future, key, last))
        else:
            self._line.append(_Waiting(future, key, last))
        return await future

    def withdraw(self) -> list[str]:
        """Cancel those in line that never had a place; the keys of their requests."""
        never = [one for one in self._line if not one.last and one.future.cancel()]
        self._line = deque(one for one in self._line if not one.future.cancelled())
        return [one.key for one in never]

    def hand_out(self) -> None:
        """Give the places that are free to those that wait."""
        now = asyncio.get_running_loop().time()
        while self._line:
            first = self._line[0]
            endpoint = None if first.future.done() else self._best(first.last, now)
            if endpoint:
                first.future.set_result((endpoint, endpoint.send(now)))
            elif not first.future.done():
                return
            self._line.popleft()

    def _best(self, last: Endpoint | None, now: float) -> Endpoint | None:
        best, most = None, (False, 0)
        for endpoint in self._endpoints:
            free = endpoint.free(now)
            if free > 0 and (endpoint is not last, free) > most:
                best, most = endpoint, (endpoint is not last, free)
        return best
