"""Work that any pod may do: how far it has come, and whose turn it is."""

from datetime import UTC, datetime

from models.database import Database, sql

ADVANCE_MARK = sql("advance_mark")
LEASE = sql("lease")


async def read(database: Database, name: str) -> int:
    """A mark in Unix milliseconds; 0 when there is none yet."""
    rows = await database.rows("SELECT (extract(epoch FROM at) * 1000)::bigint AS at FROM marks WHERE name = $1", name)
    return rows[0]["at"] if rows else 0


async def advance(database: Database, name: str, at_ms: int) -> None:
    """Moves a mark forward, never back nor past the present."""
    await database.rows(ADVANCE_MARK, name, datetime.fromtimestamp(at_ms / 1000, UTC))


async def lease(database: Database, name: str, holder: str, seconds: float) -> bool:
    """Takes or keeps a lease; False while somebody else has it."""
    return bool(await database.rows(LEASE, name, holder, seconds))


async def release(database: Database, holder: str) -> None:
    """Gives everything that one holds back before its end."""
    await database.rows("DELETE FROM leases WHERE holder = $1", holder)
