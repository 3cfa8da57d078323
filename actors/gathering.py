"""A queue whose next batch fills up while the last one is under way."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Gathering(Generic[T]):
    """What waits to be written together; taken by one or more workers as soon as one is free.

    A batch beside another that is not done may want more than one item: what a batch costs by itself is then shared by
    many. That other one is waited for no longer than `patience` seconds, as it may hang. Unbounded by itself: whoever
    puts in has at most one item under way.
    """

    def __init__(self, largest_batch: int, *, beside: int = 1, patience: float = 0.0) -> None:
        self._largest = largest_batch
        self._beside = beside
        self._patience = patience
        self._items: deque[T] = deque()
        self._least = 1
        self._under_way = 0
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Adds an item to the next batch."""
        self._items.append(item)
        if len(self._items) >= self._least:
            self._ready.set()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[list[T]]:
        """The next batch, at least one item; it is under way until the block ends."""
        while len(self._items) < self._least:
            self._ready.clear()
            await self._ready.wait()
        self._under_way += 1
        if self._beside > 1:
            self._least = self._beside
            self._patient(self._loop.call_later(self._patience, self._any))
        count = min(len(self._items), self._largest)
        try:
            yield [self._items.popleft() for _ in range(count)]
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._any()

    def _any(self) -> None:
        """From now on any item makes a batch."""
        self._patient(None)
        self._least = 1
        if self._items:
            self._ready.set()

    def _patient(self, timer: asyncio.TimerHandle | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = timer
