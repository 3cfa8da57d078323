"""Answers of PostgreSQL, kept for a while and asked for once, however many want them."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from models.errors import DatabaseUnavailable

MOST = 1_000
"""Answers kept; at so many all are forgotten."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """Keeps an answer for `seconds`, and longer while PostgreSQL cannot give a newer one.

    Failure policy: who asks when nothing is kept hears what PostgreSQL said, with all who asked meanwhile. Whoever asks
    for others may go away: the next of them asks anew.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._answers: dict[K, tuple[float, V]] = {}
        self._under_way: dict[K, asyncio.Future[V]] = {}
        self._time = asyncio.get_running_loop().time

    async def get(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        """The answer, kept or new; raises DatabaseUnavailable."""
        while True:
            held = self._answers.get(key)
            if held is not None and self._time() - held[0] < self._seconds:
                return held[1]
            other = self._under_way.get(key)
            if other is None:
                return await self._ask(key, ask)
            await asyncio.wait([other])
            if not other.cancelled():
                return other.result()

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        told = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._newest(key, ask)
            told.set_result(answer)
            return answer
        except DatabaseUnavailable as error:
            told.set_exception(error)
            told.exception()  # marks it as seen: maybe nobody else waits
            raise
        finally:
            told.cancel()
            del self._under_way[key]

    async def _newest(self, key: K, ask: Callable[[], Awaitable[V]]) -> V:
        try:
            answer = await ask()
        except DatabaseUnavailable:
            if key not in self._answers:
                raise
            return self._answers[key][1]
        if len(self._answers) >= MOST:
            self._answers.clear()
        self._answers[key] = (self._time(), answer)
        return answer
