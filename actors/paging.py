"""Reads boards by row number, from either end: from Redis, and from PostgreSQL when Redis cannot say."""

import asyncio
from typing import TypeAlias

from actors.epochs import Epochs
from actors.keys import keys_of
from actors.ordering import AWAY, Ordering
from actors.reading import CACHE_SECONDS, CACHED_PAGES
from models import slices
from models.board import Place
from models.database import Database
from models.errors import DatabaseUnavailable
from models.ranking import Row, row_of

Rows: TypeAlias = tuple[Row, ...]


class Paging:
    """For clients that count pages; what PostgreSQL answered is kept for a second, and longer while it is away too."""

    def __init__(self, database: Database, ordering: Ordering, epochs: Epochs) -> None:
        self._database = database
        self._ordering = ordering
        self._epochs = epochs
        self._cache: dict[tuple[Place, int, int, bool], tuple[float, Rows]] = {}
        self._time = asyncio.get_running_loop().time

    async def rows(self, place: Place, offset: int, limit: int, *, ascending: bool) -> Rows:
        """Rows after so many others; ascending starts at the last. Raises DatabaseUnavailable when nobody can say."""
        epoch = self._epochs.get(place)
        if epoch is not None and not self._ordering.away:
            numbers = [offset, offset + limit - 1, "up" if ascending else "down"]
            try:
                (found,) = await self._ordering.run([("slice", keys_of(place, epoch.name).reading(), numbers)])
            except AWAY as error:
                self._ordering.lost(error)
            else:
                if found[0] == "ok" and found[1] == epoch.name:
                    return tuple(row_of(member, score) for member, score in zip(found[2::2], found[3::2], strict=True))
                self._epochs.doubt(place)
        return await self._from_database(place, offset, limit, ascending)

    async def _from_database(self, place: Place, offset: int, limit: int, ascending: bool) -> Rows:
        key = (place, offset, limit, ascending)
        held = self._cache.get(key)
        if held is not None and self._time() - held[0] < CACHE_SECONDS:
            return held[1]
        try:
            rows = tuple(await slices.read(self._database, *place, offset, limit, ascending=ascending))
        except DatabaseUnavailable:
            if held is None:
                raise
            return held[1]
        if len(self._cache) >= CACHED_PAGES:
            self._cache.clear()
        self._cache[key] = (self._time(), rows)
        return rows
