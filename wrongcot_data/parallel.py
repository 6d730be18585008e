"""A function over many items in several threads, results in the order of the items.

Graders of mathematics and of code wait for processes of their own, so threads are what puts all cores to work.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

N_THREADS = len(os.sched_getaffinity(0))

CHUNK = 16
"""Items that a thread takes at once: what handing them over costs is shared among them."""


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], threads: ThreadPoolExecutor | None = None
) -> Iterator[Result]:
    """`map(function, items)` in several threads; only a few items are ahead of the results.

    Args:
        threads: whose they are; as many as there are cores, made for this call, unless given.

    Raises:
        Exception: whatever the function raised first, in the order of the items.
    """
    source = iter(items)

    def work(chunk: Sequence[Item]) -> list[Result]:
        return [function(item) for item in chunk]

    with ThreadPoolExecutor(N_THREADS) if threads is None else nullcontext(threads) as pool:
        ahead: deque[Future[list[Result]]] = deque()
        try:
            while chunk := list(islice(source, CHUNK)):
                ahead.append(pool.submit(work, chunk))
                if len(ahead) > 2 * N_THREADS:
                    yield from ahead.popleft().result()
            while ahead:
                yield from ahead.popleft().result()
        finally:
            for waiting in ahead:
                waiting.cancel()
