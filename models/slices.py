"""Boards by row number, as PostgreSQL has them."""

from models.database import Database, sql
from models.ids import UserId
from models.ranking import Row

DOWN = sql("standings_slice")
UP = sql("standings_slice_up")


async def read(
    database: Database, board_key: str, period: str, offset: int, limit: int, *, ascending: bool
) -> list[Row]:
    """Rows after so many others, from the best down or from the last up; raises DatabaseUnavailable."""
    rows = await database.rows(UP if ascending else DOWN, board_key, period, offset, limit)
    return [Row(UserId(row["user_id"]), row["score"], row["reached_at"]) for row in rows]
