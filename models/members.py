"""Players with their accounts, as administrators look through them."""

from collections.abc import Sequence
from dataclasses import dataclass

from models.database import Database, Row, sql
from models.ids import UserId
from models.players import Profile

MEMBER = sql("member")
PAGE = sql("members_page").replace("{member}", MEMBER)
BANNED = sql("members_banned").replace("{member}", MEMBER)
ONE = f"SELECT {MEMBER} FROM accounts a JOIN players p ON p.id = a.user_id WHERE a.user_id = $1"  # noqa: S608

LAST = "\U0010ffff"
"""Behind every character of a name."""


@dataclass(frozen=True, slots=True)
class Member:
    """A player with an account; times are Unix milliseconds, `banned_until` of a ban in force."""

    profile: Profile
    role: str
    region: str | None
    groups: tuple[str, ...]
    score: int
    version: int
    created_at: int
    banned_until: int | None
    key: str
    """The name as it is sorted and searched by."""


async def page(database: Database, prefix: str, after: str, limit: int, *, banned: bool | None) -> Sequence[Member]:
    """Members by name, behind one; `banned` True only those, False only the others."""
    bounds = (after, prefix.lower(), prefix.lower() + LAST)
    if banned:
        rows = await database.rows(BANNED, *bounds, limit)
    else:
        rows = await database.rows(PAGE, *bounds, banned is False, limit)
    return [_member(row) for row in rows]


async def by_id(database: Database, user_id: UserId) -> Member | None:
    """A player with an account, or None."""
    rows = await database.rows(ONE, user_id)
    return _member(rows[0]) if rows else None


def _member(row: Row) -> Member:
    profile = Profile(UserId(row["user_id"]), row["username"], row["display_name"], row["avatar_url"])
    return Member(
        profile=profile,
        role=row["role"],
        region=row["region"],
        groups=tuple(row["groups"]),
        score=row["score"],
        version=row["version"],
        created_at=row["created_at"],
        banned_until=row["banned_until"],
        key=row["username_key"],
    )
