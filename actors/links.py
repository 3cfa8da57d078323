"""Connections to Redis that are kept between exchanges."""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

from hiredis import pack_command
from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionFailed
from redis.exceptions import TimeoutError as AnsweredNothing

Command: TypeAlias = tuple[str | int | float | bytes, ...]


class Links:
    """Writes commands and reads their answers, past redis-py's client.

    The client looks each connection over before it is used and makes a task of each send: some turns of the loop, each
    as long as all that is ready, and 60 µs. Here nothing stands between the caller and the socket but redis-py's own
    connection, and one time for all.
    """

    def __init__(self, url: str, count: int, seconds: float) -> None:
        self.count = count
        self.used = 0
        self._seconds = seconds
        self._idle: list[AbstractConnection] = []
        self._is_closed = False
        self._room = asyncio.Semaphore(count)
        self._factory = ConnectionPool.from_url(
            url, socket_timeout=None, socket_connect_timeout=seconds, retry=Retry(NoBackoff(), 0), decode_responses=True
        )

    async def exchange(self, commands: Sequence[Command]) -> list[Any]:
        """The answers, in order. Raises a RedisError where one is an error, or none came in time.

        Commands may be sent twice, where a connection turns out to have been closed while idle.
        """
        try:
            async with asyncio.timeout(self._seconds), self._room:
                self.used += 1
                try:
                    return await self._attempt(commands)
                finally:
                    self.used -= 1
        except TimeoutError:
            await self._drop()  # a server that went away without a word is silent on all of them
            raise AnsweredNothing(f"no answer within {self._seconds:g} s") from None

    async def _attempt(self, commands: Sequence[Command]) -> list[Any]:
        while self._idle:
            try:
                return await self._over(self._idle.pop(), commands)
            except ConnectionFailed:
                continue
        return await self._over(self._factory.make_connection(), commands)  # type: ignore[no-untyped-call]

    async def _over(self, link: AbstractConnection, commands: Sequence[Command]) -> list[Any]:
        """A connection that did not give all answers is gone: the rest would be taken for those of the next."""
        try:
            packed = map(pack_command, commands)  # type: ignore[arg-type]  # its stub knows tuples of one only
            await link.send_packed_command(b"".join(packed))
            answers = [await link.read_response() for _ in commands]
        except BaseException:
            await link.disconnect(nowait=True)
            raise
        if self._is_closed:
            await link.disconnect(nowait=True)
        else:
            self._idle.append(link)
        return answers

    async def close(self) -> None:
        """Closes what is idle, and from now on also what is in use, once it has its answers."""
        self._is_closed = True
        await self._drop()

    async def _drop(self) -> None:
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)
