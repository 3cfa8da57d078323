"""Some players of a board as PostgreSQL has it."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.database import Database, sql
from models.ids import UserId
from models.ranking import Row

SUBSET = sql("standings_subset")


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows with their ranks, and how many are on the board; 0 when none of the rows asked for is."""

    total: int
    rows: list[tuple[Row, int]]


async def ranked(database: Database, board_key: str, period: str, user_ids: Sequence[UserId]) -> Ranked:
    """The rows of those who are on the board; reads the whole board once, however many are asked for."""
    rows = await database.rows(SUBSET, board_key, period, user_ids)
    found = [(Row(UserId(row["user_id"]), row["score"], row["reached_at"]), row["rank"]) for row in rows]
    return Ranked(rows[0]["total"] if rows else 0, found)
