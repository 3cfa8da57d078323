"""Keys of servers that may give awards; only digests of their secrets are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from models.database import Database, Row, sql
from models.ids import ActionId, UserId

PAGE, ONE, BY_SECRET = sql("api_keys"), sql("api_key"), sql("api_key_by_secret")
CREATE, CHANGE, REVOKE = sql("create_api_key"), sql("change_api_key"), sql("revoke_api_key")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key without its secret; times are Unix milliseconds.

    `client_id` names the server that holds it, whichever of its keys it uses.
    """

    key_id: str
    client_id: str
    title: str
    actions: tuple[ActionId, ...]
    created_at: int
    revoked_at: int | None


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: one hash is enough for 256 random bits."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def create(database: Database, key: ApiKey, secret: str, created_by: UserId) -> ApiKey:
    """Keeps a new key; the same with its time."""
    (row,) = await database.rows(
        CREATE, key.key_id, key.client_id, key.title, digest_of(secret), key.actions, created_by
    )
    return ApiKey(key.key_id, key.client_id, key.title, key.actions, row["created_at"], None)


async def by_secret(database: Database, secret: str) -> ApiKey | None:
    """The key with a secret, or None; a revoked one is none from its revocation on, on every pod."""
    return _first(await database.rows(BY_SECRET, digest_of(secret)))


async def by_id(database: Database, key_id: str) -> ApiKey | None:
    """The key of an id, or None."""
    return _first(await database.rows(ONE, key_id))


async def page(database: Database, behind: str | None, limit: int) -> list[ApiKey]:
    """Keys, newest first, revoked ones too."""
    return [_key(row) for row in await database.rows(PAGE, behind, limit)]


async def change(
    database: Database, key_id: str, title: str | None, actions: Sequence[ActionId] | None
) -> ApiKey | None:
    """The changed key, or None when there is none; None for a value leaves it."""
    return _first(await database.rows(CHANGE, key_id, title, actions))


async def revoke(database: Database, key_id: str) -> bool:
    """Revokes a key; False when there is none."""
    return bool(await database.rows(REVOKE, key_id))


def _first(rows: Sequence[Row]) -> ApiKey | None:
    return _key(rows[0]) if rows else None


def _key(row: Row) -> ApiKey:
    return ApiKey(**{**row, "actions": tuple(row["actions"])})
