"""Reads boards by row number, from either end: from Redis, and from PostgreSQL when Redis cannot say."""

from typing import TypeAlias

from actors.board_reader import BoardReader
from actors.kept import Kept
from models import slices
from models.board import Place
from models.database import Database
from models.ranking import Row, row_of

Rows: TypeAlias = tuple[Row, ...]


class Paging:
    """For clients that count pages; what PostgreSQL answered is kept, and longer while it is away too."""

    def __init__(self, database: Database, reader: BoardReader, *, cache_seconds: float) -> None:
        self._database = database
        self._reader = reader
        self._kept: Kept[tuple[Place, int, int, bool], Rows] = Kept(cache_seconds)

    async def rows(self, place: Place, offset: int, limit: int, *, ascending: bool) -> Rows:
        """Rows after so many others; ascending starts at the last. Raises DatabaseUnavailable when nobody can say."""
        found = await self._reader.ask(place, "slice", offset, offset + limit - 1, "up" if ascending else "down")
        if found is not None:
            return tuple(row_of(member, score) for member, score in zip(found[2::2], found[3::2], strict=True))
        asked = (place, offset, limit, ascending)
        return await self._kept.get(asked, lambda: self._from_database(*asked))

    async def _from_database(self, place: Place, offset: int, limit: int, ascending: bool) -> Rows:
        return tuple(await slices.read(self._database, *place, offset, limit, ascending=ascending))
