"""Connections of a pool that are kept between statements."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from asyncpg import InterfaceError
from tortoise.backends.base.client import BaseDBAsyncClient, ConnectionWrapper, PoolConnectionWrapper

KEPT = 2
"""As many as there are commits in flight, and about as many as ask at once where a pod has nothing to do."""


class Link(NamedTuple):
    """A connection, and what gives it back."""

    connection: Any
    holder: ConnectionWrapper[Any] | PoolConnectionWrapper[Any]

    @property
    def closed(self) -> bool:
        """Whether it has ended; the pool may have noticed, and have it back."""
        try:
            return bool(self.connection.is_closed())
        except InterfaceError:
            return True

    async def give_back(self) -> None:
        """Returns it to the pool, if it is not there."""
        await self.holder.__aexit__(None, None, None)


class Links:
    """At most `KEPT` connections of a client's pool, used again at once; what is wanted beyond comes from the pool.

    asyncpg's pool takes each connection back in a task, and nobody has the rows until that is done: three turns of the
    loop, each as long as all that is ready, and 60 µs. Nothing is kept while a statement waits for the pool, and at
    least one connection goes through it as ever, so that whoever else waits there is served.
    """

    def __init__(self, client: BaseDBAsyncClient, connections: int) -> None:
        self._client = client
        self._most = min(KEPT, connections - 1)
        self._idle: list[Link] = []
        self._waiting = 0

    def __len__(self) -> int:
        """Connections that are kept and not in use."""
        return len(self._idle)

    async def rows(self, statement: str, values: Sequence[object]) -> list[dict[str, Any]]:
        """Rows of a statement; one that failed, or was cancelled, is cleared up by the pool."""
        link = await self._take()
        try:
            found = await link.connection.fetch(statement, *values)
        except BaseException:
            await link.give_back()
            raise
        if len(self._idle) < self._most and not self._waiting:
            self._idle.append(link)
        else:
            await link.give_back()
        return [dict(row) for row in found]

    async def _take(self) -> Link:
        while self._idle:
            link = self._idle.pop()
            if not link.closed:
                return link
            await link.give_back()
        holder = self._client.acquire_connection()
        self._waiting += 1
        try:
            return Link(await holder.__aenter__(), holder)
        finally:
            self._waiting -= 1

    async def close(self) -> None:
        """Gives back what is kept, and from now on also what is in use, once it is free: the pool waits for all."""
        self._most = 0
        while self._idle:
            await self._idle.pop().give_back()
