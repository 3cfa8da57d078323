"""Players whose identity is another issuer's: found, or made at their first use."""

from dataclasses import dataclass
from uuid import uuid4

from models.database import Database, sql
from models.errors import Contended
from models.ids import UserId

OUTSIDER = sql("outsider")
IDENTITY = "SELECT issuer, subject FROM accounts WHERE user_id = $1 AND issuer IS NOT NULL"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Outsider:
    """The player that stands for an issuer's subject; the role is the account's own."""

    user_id: UserId
    role: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an outside issuer says that a player is."""

    issuer: str
    subject: str


async def identity_of(database: Database, user_id: UserId) -> Identity | None:
    """A player's outside identity; None for an account of our own."""
    rows = await database.rows(IDENTITY, user_id)
    return Identity(rows[0]["issuer"], rows[0]["subject"]) if rows else None


async def outsider(database: Database, issuer: str, subject: str) -> Outsider:
    """The player of (issuer, subject); whatever the subject looks like, its id is a new one of ours.

    Raises Contended when others make the same player again and again, and as `Database.rows`.
    """
    for _ in range(TRIES):
        new = uuid4()
        rows = await database.rows(OUTSIDER, issuer, subject, str(new), f"u-{new.hex[:20]}")
        if rows:
            return Outsider(UserId(rows[0]["user_id"]), rows[0]["role"])
    raise Contended("this player is being made right now")
