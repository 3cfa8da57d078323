"""A queue whose next batch fills up while the last one is under way."""

import asyncio
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Gathering(Generic[T]):
    """What waits to be written together; taken by one or more workers, without a timer.

    Unbounded by itself: whoever puts in has at most one item under way.
    """

    def __init__(self, largest_batch: int) -> None:
        self._largest = largest_batch
        self._items: deque[T] = deque()
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Adds an item to the next batch."""
        self._items.append(item)
        self._arrived.set()

    async def take(self) -> list[T]:
        """The next batch, at least one item."""
        while not self._items:
            self._arrived.clear()
            await self._arrived.wait()
        count = min(len(self._items), self._largest)
        return [self._items.popleft() for _ in range(count)]
