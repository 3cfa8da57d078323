"""Tickets kept for clients that can only send an id."""

from models.database import Database, sql
from models.ids import TicketId

HOLD = sql("hold")
HELD_BY = sql("held_by")


async def hold(database: Database, ticket_id: TicketId, user_id: str, text: str, expires_at: int) -> None:
    """Keeps a signed ticket; raises DatabaseUnavailable, and DataRejected for an unknown player."""
    await database.rows(HOLD, ticket_id, user_id, text, expires_at)


async def find(database: Database, ticket_id: TicketId) -> str | None:
    """The signed ticket of an id, or None."""
    rows = await database.rows("SELECT ticket FROM held_tickets WHERE ticket_id = $1", ticket_id)
    return rows[0]["ticket"] if rows else None


async def of_player(database: Database, user_id: str) -> list[tuple[TicketId, int]]:
    """The tickets kept for a player, and until when in Unix milliseconds."""
    return [(TicketId(row["ticket_id"]), row["expires_at"]) for row in await database.rows(HELD_BY, user_id)]
