"""Work that any pod may do: how far it has come, and whose turn it is."""

from datetime import UTC, datetime

from models.database import Database


async def read(database: Database, name: str) -> int:
    """A mark in Unix milliseconds; 0 when there is none yet."""
    rows = await database.rows("SELECT (extract(epoch FROM at) * 1000)::bigint AS at FROM marks WHERE name = $1", name)
    return rows[0]["at"] if rows else 0


async def advance(database: Database, name: str, at_ms: int) -> None:
    """Moves a mark forward, never back."""
    statement = """
        INSERT INTO marks (name, at) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET at = greatest(marks.at, excluded.at)
    """
    await database.rows(statement, name, datetime.fromtimestamp(at_ms / 1000, UTC))


async def lease(database: Database, name: str, holder: str, seconds: float) -> bool:
    """Takes or keeps a lease; False while somebody else has it."""
    statement = """
        INSERT INTO leases (name, holder, until) VALUES ($1, $2, now() + $3 * interval '1 second')
        ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE leases.until < now() OR leases.holder = excluded.holder
        RETURNING name
    """
    return bool(await database.rows(statement, name, holder, seconds))


async def release(database: Database, name: str, holder: str) -> None:
    """Gives a lease back before its end."""
    await database.rows("DELETE FROM leases WHERE name = $1 AND holder = $2", name, holder)
