"""Results of another thread, awaited in an event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import Future
from typing import TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class Arrivals:
    """Where results arrive for one event loop. Those that are ready together wake it once; by
    `asyncio.wrap_future` each would, and each time the other thread would lose Python's interpreter."""

    _of: WeakKeyDictionary[asyncio.AbstractEventLoop, Arrivals] = WeakKeyDictionary()

    def __init__(self):
        self._ready: deque[asyncio.Future[None]] = deque()
        self._woken = False  # whether the loop is about to look

    @classmethod
    async def result(cls, future: Future[T]) -> T:
        """What the future holds, once it is there. If the waiting is cancelled, so is the future."""
        loop = asyncio.get_running_loop()
        own, arrival = cls._of.setdefault(loop, cls()), loop.create_future()

        def arrive(_: Future[T]) -> None:
            own._ready.append(arrival)
            if not own._woken:
                own._woken = True
                loop.call_soon_threadsafe(own._look)

        future.add_done_callback(arrive)
        try:
            await arrival
        except asyncio.CancelledError:
            future.cancel()
            raise
        return future.result()

    def _look(self) -> None:
        self._woken = False  # before it looks: what comes from now on wakes it again
        while self._ready:
            arrival = self._ready.popleft()
            if not arrival.done():  # else whoever waited has gone
                arrival.set_result(None)
