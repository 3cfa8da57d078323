"""Groups of players: teams and guilds that an administrator makes."""

from dataclasses import dataclass

from models.database import Database, sql
from models.ids import UserId

MAX_GROUPS = 8
"""Groups that a player may be in at once."""

PAGE = sql("groups_page")
CREATE = """
    INSERT INTO groups (group_id, title) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING group_id
"""
RENAME = "UPDATE groups SET title = $2 WHERE group_id = $1 AND closed_at IS NULL RETURNING group_id"
CLOSE = "UPDATE groups SET closed_at = now() WHERE group_id = $1 AND closed_at IS NULL RETURNING group_id"
TITLE = "SELECT title FROM groups WHERE group_id = $1 AND closed_at IS NULL"
CLOSED = "SELECT group_id FROM groups WHERE closed_at IS NOT NULL ORDER BY closed_at LIMIT 10"
MEMBERS = "SELECT id::text FROM players WHERE $1 = ANY(groups) LIMIT $2"
REMOVE = sql("remove_group")


@dataclass(frozen=True, slots=True)
class Group:
    """A group that players may join."""

    group_id: str
    title: str


async def page(database: Database, after: str, limit: int) -> list[Group]:
    """Open groups by their id, behind a given one."""
    return [Group(row["group_id"], row["title"]) for row in await database.rows(PAGE, after, limit)]


async def find(database: Database, group_id: str) -> Group | None:
    """An open group, or None."""
    rows = await database.rows(TITLE, group_id)
    return Group(group_id, rows[0]["title"]) if rows else None


async def create(database: Database, group: Group) -> bool:
    """Makes a group; False when the id is taken, also by one that is being emptied."""
    return bool(await database.rows(CREATE, group.group_id, group.title))


async def rename(database: Database, group: Group) -> bool:
    """Gives a group another title; False when there is none."""
    return bool(await database.rows(RENAME, group.group_id, group.title))


async def close(database: Database, group_id: str) -> bool:
    """Lets nobody join any more, so that the group can be emptied; False when there is none."""
    return bool(await database.rows(CLOSE, group_id))


async def closed(database: Database) -> list[str]:
    """Groups that are to be emptied, the longest waiting first."""
    return [row["group_id"] for row in await database.rows(CLOSED)]


async def members(database: Database, group_id: str, limit: int) -> list[UserId]:
    """Some of a group's members, in no order that matters; reads every player."""
    return [UserId(row["id"]) for row in await database.rows(MEMBERS, group_id, limit)]


async def remove(database: Database, group_id: str) -> None:
    """Forgets a closed group, once whoever was joining when it closed is done and nobody is left."""
    await database.rows(REMOVE, group_id)


async def of_player(database: Database, user_id: UserId) -> tuple[str, ...]:
    """The groups that a player is in."""
    rows = await database.rows("SELECT groups FROM players WHERE id = $1", user_id)
    return tuple(rows[0]["groups"]) if rows else ()
