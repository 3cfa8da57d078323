"""Reads boards: from Redis, and from PostgreSQL when Redis cannot say."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.board_reader import BoardReader
from actors.clock import Clock
from actors.kept import Kept
from models import standings
from models.board import Place
from models.database import Database
from models.ids import UserId
from models.ranking import Row, member_of, row_of
from models.standings import Place as UserPlace

TOP = 10
"""The rows that `pointsToTop10` is about."""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in rank order with the first one's rank, and the state they are from.

    `degraded` says that they are from PostgreSQL, with no version; `as_of` is Unix milliseconds.
    """

    epoch: str
    version: int
    as_of: int
    degraded: bool
    total: int
    first_rank: int
    rows: tuple[Row, ...]


class Reading:
    """Answers reads of boards; pages that PostgreSQL answered are kept, and longer while it is away too."""

    def __init__(self, database: Database, reader: BoardReader, clock: Clock, *, cache_seconds: float) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock
        self._kept: Kept[tuple[Place, int, Row | None], Page] = Kept(cache_seconds)

    async def top(self, place: Place, limit: int, after: Row | None = None) -> Page:
        """A page of a place behind a row; raises DatabaseUnavailable when nobody can say."""
        cursor = ("", "") if after is None else (str(after.score), member_of(after.user_id, after.reached_at))
        found = await self._reader.ask(place, "page", limit, *cursor)
        if found is not None:
            return _page(found)
        return await self._kept.get((place, limit, after), lambda: self._from_database(place, limit, after))

    async def _from_database(self, place: Place, limit: int, after: Row | None) -> Page:
        rows = await standings.page(self._database, *place, limit, after)
        total = await standings.count(self._database, *place)
        first = await standings.rank_of(self._database, *place, rows[0]) if after and rows else 1
        return Page("", 0, self._clock.now_ms(), True, total, first, tuple(rows))

    async def around(self, place: Place, user_id: UserId, radius: int) -> Page | None:
        """The rows around a player, None when not there; raises DatabaseUnavailable when nobody can say."""
        found = await self._reader.ask(place, "around", user_id, radius)
        if found is not None:
            return None if found[0] == "absent" else _page(found)
        rows = await standings.around(self._database, *place, user_id, radius)
        if rows is None:
            return None
        total = await standings.count(self._database, *place)
        return Page("", 0, self._clock.now_ms(), True, total, rows[0], tuple(rows[1]))

    async def place(self, place: Place, user_id: UserId) -> UserPlace | None:
        """A player's place, None when not there; raises DatabaseUnavailable when nobody can say."""
        found = await self._reader.ask(place, "place", user_id, TOP)
        if found is not None:
            return None if found[0] == "absent" else _place(found)
        return await standings.place(self._database, *place, user_id, TOP)


def _page(found: Sequence[str]) -> Page:
    rows = tuple(row_of(member, score) for member, score in zip(found[7::2], found[8::2], strict=True))
    return Page(found[1], int(found[2]), int(found[3]), False, int(found[4]), int(found[6]) + 1, rows)


def _place(found: Sequence[str]) -> UserPlace:
    row = row_of(found[2], found[3])
    above = int(float(found[6])) if found[6] else None
    edge = int(float(found[7])) if found[7] else None
    return UserPlace(row, int(found[4]), int(found[5]), above, edge)
