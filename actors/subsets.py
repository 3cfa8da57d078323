"""Reads some players of a board: their rows and ranks, from one state."""

from collections.abc import Sequence
from dataclasses import dataclass

from actors.board_reader import BoardReader
from actors.clock import Clock
from models import standings, subsets
from models.board import Place
from models.database import Database
from models.ids import UserId
from models.ranking import Row, row_of, sort_key

VALUES_EACH = 4


@dataclass(frozen=True, slots=True)
class Subset:
    """Rows with their ranks on the board, best first, and the state they are from.

    `degraded` says that they are from PostgreSQL, with no version; `as_of` is Unix milliseconds.
    """

    epoch: str
    version: int
    as_of: int
    degraded: bool
    total: int
    rows: tuple[tuple[Row, int], ...]


class Subsets:
    """Answers for many players in one call of Redis, and from PostgreSQL when Redis cannot say."""

    def __init__(self, database: Database, reader: BoardReader, clock: Clock) -> None:
        self._database = database
        self._reader = reader
        self._clock = clock

    async def read(self, place: Place, user_ids: Sequence[UserId]) -> Subset:
        """The rows of those who are on the board; raises DatabaseUnavailable when nobody can say."""
        found = await self._reader.ask(place, "subset", *user_ids)
        if found is not None:
            return self._subset(found)
        ranked = await subsets.ranked(self._database, *place, user_ids)
        total = ranked.total or await standings.count(self._database, *place)
        return Subset("", 0, self._clock.now_ms(), True, total, _best_first(ranked.rows))

    def _subset(self, found: Sequence[str]) -> Subset:
        values = found[VALUES_EACH:]
        rows = [(row_of(values[n + 1], values[n + 2]), int(values[n + 3])) for n in range(0, len(values), VALUES_EACH)]
        return Subset(found[1], int(found[2]), self._clock.now_ms(), False, int(found[3]), _best_first(rows))


def _best_first(rows: Sequence[tuple[Row, int]]) -> tuple[tuple[Row, int], ...]:
    return tuple(sorted(rows, key=lambda ranked: sort_key(ranked[0]), reverse=True))
