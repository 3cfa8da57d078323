"""Players that commands make, and their access tokens."""

from collections.abc import Sequence
from uuid import uuid4

from models import players
from models.database import Database, Row
from models.ids import UserId

BATCH = 2_000
"""Players created in one statement: 10,000 at once came close to its time limit."""


def numbered(count: int) -> list[str]:
    """The same names at every call: player-0001, player-0002, …"""
    return [f"player-{number:04d}" for number in range(1, count + 1)]


async def ensure(database: Database, names: Sequence[str], *, admin: bool = False) -> list[Row]:
    """The accounts of names, made where missing, as `{user_id, role}` in the order of the names."""
    found: list[Row] = []
    for start in range(0, len(names), BATCH):
        batch = names[start : start + BATCH]
        ids = [UserId(str(uuid4())) for _ in batch]
        found += await players.ensure_named(database, batch, ids, admin=admin)
    return found
