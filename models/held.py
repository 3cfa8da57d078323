"""Tickets kept for clients that can only send an id."""

from dataclasses import dataclass

from models.database import Database, sql
from models.ids import TicketId

HOLD = sql("hold")
KNOWN = sql("known_id")


@dataclass(frozen=True, slots=True)
class Known:
    """What a UUID is here: the id of a held ticket (its signed text), of a redemption, of both or of nothing."""

    ticket: str | None
    recorded: bool


HELD_BY = sql("held_by")


async def hold(database: Database, ticket_id: TicketId, user_id: str, text: str, expires_at: int) -> None:
    """Keeps a signed ticket; raises DatabaseUnavailable, and DataRejected for an unknown player."""
    await database.rows(HOLD, ticket_id, user_id, text, expires_at)


async def find(database: Database, ticket_id: TicketId) -> str | None:
    """The signed ticket of an id, or None."""
    rows = await database.rows("SELECT ticket FROM held_tickets WHERE ticket_id = $1", ticket_id)
    return rows[0]["ticket"] if rows else None


async def known(database: Database, uuid: str) -> Known:
    """What is known under an id that a client sent; raises DatabaseUnavailable."""
    (row,) = await database.rows(KNOWN, uuid)
    return Known(row["ticket"], row["recorded"])


async def of_player(database: Database, user_id: str) -> list[tuple[TicketId, int]]:
    """The tickets kept for a player, and until when in Unix milliseconds."""
    return [(TicketId(row["ticket_id"]), row["expires_at"]) for row in await database.rows(HELD_BY, user_id)]
