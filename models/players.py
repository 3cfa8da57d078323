"""Players and their accounts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from models.database import HARD_TIMEOUT_SECONDS, Database, Row, sql
from models.errors import typed
from models.ids import UserId
from models.tables import Account

REGISTER = sql("register")

# Only names that are free get a player, so that no player is left without an account.
CREATE_MANY = """
    WITH account AS (
        INSERT INTO accounts (user_id, username, username_key, display_name, role)
        SELECT user_id, name, key, name, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) AS n (user_id, name, key)
        WHERE NOT EXISTS (SELECT FROM accounts a WHERE a.username_key = n.key)
        ON CONFLICT (username_key) DO NOTHING RETURNING user_id
    )
    INSERT INTO players (id) SELECT user_id FROM account
"""

PROMOTE = "UPDATE accounts SET role = $2, updated_at = now() WHERE username_key = ANY($1::text[]) AND role <> $2"

BY_NAMES = """
    SELECT a.user_id::text, a.role FROM unnest($1::text[]) WITH ORDINALITY AS n (key, number)
    JOIN accounts a ON a.username_key = n.key ORDER BY n.number
"""

BY_NAME = "SELECT user_id::text, password_hash FROM accounts WHERE username_key = $1"

PROFILES = sql("profiles")
ENDED_BANS = sql("ended_bans")
UPDATE_PROFILE = sql("update_profile")
ERASE = sql("erase")
HALF_ERASED = sql("half_erased")


@dataclass(frozen=True, slots=True)
class Profile:
    """What others may see of a player."""

    user_id: UserId
    username: str
    display_name: str
    avatar_url: str | None


@dataclass(frozen=True, slots=True)
class Identity:
    """A player's account, without secrets."""

    profile: Profile
    region: str | None
    role: str


@dataclass(frozen=True, slots=True)
class Registration:
    """What a new account is made of; the password is hashed already."""

    user_id: UserId
    username: str
    display_name: str
    avatar_url: str | None
    region: str | None
    password_hash: str | None
    role: str = "player"


async def register(database: Database, new: Registration) -> bool:
    """Creates a player and account; False when the name is taken."""
    rows = await database.rows(
        REGISTER,
        new.user_id,
        new.username,
        new.username.lower(),
        new.display_name,
        new.avatar_url,
        new.password_hash,
        new.role,
        new.region,
    )
    return bool(rows)


async def ensure_named(
    database: Database, names: Sequence[str], ids: Sequence[UserId], *, admin: bool = False
) -> list[Row]:
    """Accounts of the given names in order, created with the given ids where missing: `{user_id, role}`.

    `admin` makes every one an admin, also those that existed; without it roles stay as they are.
    """
    keys = [name.lower() for name in names]
    await database.rows(CREATE_MANY, ids, names, keys, "admin" if admin else "player")
    if admin:
        await database.rows(PROMOTE, keys, "admin")
    return await database.rows(BY_NAMES, keys)


async def password_of(database: Database, username: str) -> tuple[UserId, str | None] | None:
    """Who has a name, and their password's hash; one statement, found or not."""
    rows = await database.rows(BY_NAME, username.lower())
    return (UserId(rows[0]["user_id"]), rows[0]["password_hash"]) if rows else None


async def by_id(database: Database, user_id: UserId) -> Identity | None:
    """The account of a player, or None."""
    account = await _account(database, user_id=user_id)
    return None if account is None else await _identity(database, account)


async def _account(database: Database, **filters: str) -> Account | None:
    try:
        async with asyncio.timeout(HARD_TIMEOUT_SECONDS):
            return await Account.filter(**filters).using_db(database.orm).first()
    except Exception as error:
        raise typed(error) from error


async def _identity(database: Database, account: Account) -> Identity:
    rows = await database.rows("SELECT region FROM players WHERE id = $1", account.user_id)
    profile = Profile(UserId(str(account.user_id)), account.username, account.display_name, account.avatar_url)
    return Identity(profile, rows[0]["region"] if rows else None, account.role)


async def profiles(database: Database, user_ids: Sequence[UserId]) -> dict[UserId, Profile]:
    """The profiles of many players; an erased one is missing."""
    rows = await database.rows(PROFILES, user_ids)
    return {
        UserId(row["user_id"]): Profile(UserId(row["user_id"]), row["username"], row["display_name"], row["avatar_url"])
        for row in rows
    }


async def ended_bans(database: Database) -> list[UserId]:
    """Players whose ban has run out and was not taken back yet."""
    return [UserId(row["id"]) for row in await database.rows(ENDED_BANS)]


async def update_profile(
    database: Database, user_id: UserId, *, display_name: str | None = None, avatar: tuple[str | None] | None = None
) -> None:
    """Changes a name or avatar and tells every pod; None leaves each as it is, `(None,)` takes the avatar away."""
    named, shown = display_name is not None, avatar is not None
    await database.rows(UPDATE_PROFILE, user_id, named, display_name, shown, avatar[0] if avatar else None)


async def erase(database: Database, user_id: UserId) -> None:
    """Takes away who a player was; what they did stays. Doing it again is harmless."""
    await database.rows(ERASE, user_id)


async def half_erased(database: Database) -> list[UserId]:
    """Players whose ledger says erased while they still have an account."""
    return [UserId(row["id"]) for row in await database.rows(HALF_ERASED)]
