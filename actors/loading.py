"""A board's rows on their way from PostgreSQL into a new epoch in Redis."""

import asyncio

from redis.asyncio.lock import Lock

from actors.clock import Clock
from actors.keys import TTL_MS, keys_of
from actors.ordering import Ordering, ScriptCall
from models.board import Place

SLICE_BYTES = 48 * 1024
"""Rows loaded by one script call, about 650: 3 ms of Redis, in which it answers nobody else."""
RENEW_SECONDS = 2.0
"""How often a load says that it goes on."""


class Loading:
    """Takes lines as they come and sends them in slices; while Redis takes one, PostgreSQL makes the next.

    The lines stay as they are, so that a row costs this process nothing. Raises ConnectionError when Redis lost what
    it had, and as `ordering.AWAY` says; the load is begun anew then, in another epoch.
    """

    def __init__(self, ordering: Ordering, clock: Clock, lock: Lock, place: Place, epoch: str, size: int) -> None:
        self._ordering = ordering
        self._clock = clock
        self._lock = lock
        self._keys = keys_of(place, epoch).all()
        self._size = size
        self._rest = b""
        self._time = asyncio.get_running_loop().time
        self._renewed = self._time()

    async def take(self, lines: bytes) -> None:
        """Sends what makes a slice; the rest waits for more."""
        lines = self._rest + lines
        start = 0
        while len(lines) - start > SLICE_BYTES:
            end = lines.rindex(b"\n", start, start + SLICE_BYTES) + 1
            await self._send(lines[start:end])
            start = end
        self._rest = lines[start:]

    async def finish(self) -> None:
        """Sends what is left."""
        if self._rest:
            await self._send(self._rest)

    async def _send(self, lines: bytes) -> None:
        arguments = [self._size, self._clock.now_ms(), TTL_MS, lines]
        call: ScriptCall = ("load", self._keys, arguments)
        (answer,) = await self._ordering.run([call])
        if answer[0] != "ok":
            raise ConnectionError("Redis lost a board while it was rebuilt")
        if self._time() - self._renewed > RENEW_SECONDS:
            self._renewed = self._time()
            await self._lock.reacquire()
