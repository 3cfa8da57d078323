"""Friends: whom a player wants to be compared with."""

from dataclasses import dataclass

from models.database import Database, sql
from models.ids import UserId
from models.players import Profile

MAX_FRIENDS = 500
"""Friends of one player: a friends board reads them all at once."""

ADD = sql("add_friend")
PAGE = sql("friends_page")
REMOVE = sql("remove_friend")
IDS = "SELECT friend_id::text FROM friends WHERE user_id = $1"

FIRST = UserId("00000000-0000-0000-0000-000000000000")


@dataclass(frozen=True, slots=True)
class Friend:
    """A friend and since when, in Unix milliseconds."""

    profile: Profile
    since: int


@dataclass(frozen=True, slots=True)
class Adding:
    """What came of adding a friend: whether both have accounts, and whether there was room."""

    known: bool
    own: bool
    room: bool


async def add(database: Database, user_id: UserId, friend_id: UserId) -> Adding:
    """Adds a friend, unless somebody is unknown or the list is full; one who is a friend stays one."""
    (row,) = await database.rows(ADD, user_id, friend_id, MAX_FRIENDS)
    return Adding(row["known"], row["own"], row["room"])


async def remove(database: Database, user_id: UserId, friend_id: UserId) -> bool:
    """Takes a friend off the list, if on it; whether there is such a player."""
    (row,) = await database.rows(REMOVE, user_id, friend_id)
    return bool(row["known"])


async def page(database: Database, user_id: UserId, after: UserId, limit: int) -> list[Friend]:
    """Friends by their id, behind a given one."""
    rows = await database.rows(PAGE, user_id, after, limit)
    return [
        Friend(Profile(UserId(row["user_id"]), row["username"], row["display_name"], row["avatar_url"]), row["since"])
        for row in rows
    ]


async def ids(database: Database, user_id: UserId) -> list[UserId]:
    """All friends of a player."""
    return [UserId(row["friend_id"]) for row in await database.rows(IDS, user_id)]
