"""Whose recent entries a board in Redis has not heard of."""

from collections.abc import Sequence

from redis.asyncio import Redis

from actors.change import LARGEST_CALL
from actors.keys import BoardKeys
from actors.ranked import ranked
from models import standings
from models.board import Board, Place
from models.database import Database
from models.ids import UserId
from models.ranking import member_of
from models.standings import Young


async def behind(
    database: Database, redis: Redis, board: Board, place: Place, keys: BoardKeys, young: Sequence[Young]
) -> list[UserId]:
    """Players with recent entries whose standing in Redis is older than it has to be.

    Where every entry moves a standing, it has to be of the last one's version. Elsewhere, as where the best counts, it
    has to be the one written down in PostgreSQL, if one of those entries moved that; it is written before the mark of
    Redis passes the entry.
    Raises DatabaseUnavailable, and as `AWAY` says.
    """
    found: list[UserId] = []
    for start in range(0, len(young), LARGEST_CALL):
        page = young[start : start + LARGEST_CALL]
        if board.moves_always:
            found += await _older(redis, keys, page)
        else:
            found += await _other(database, redis, place, keys, page)
    return found


async def _older(redis: Redis, keys: BoardKeys, young: Sequence[Young]) -> list[UserId]:
    marks = await redis.hmget(keys.users, [one.user_id for one in young])
    return [
        one.user_id
        for one, mark in zip(young, marks, strict=True)
        if mark is None or int(str(mark).partition("|")[0]) < one.due
    ]


async def _other(
    database: Database, redis: Redis, place: Place, keys: BoardKeys, young: Sequence[Young]
) -> list[UserId]:
    moved = await standings.moved(database, *place, young)
    held = await ranked(redis, keys, list(moved))
    behind = []
    for user_id, (version, standing) in moved.items():
        should = ("", None) if standing is None else (member_of(user_id, standing.reached_at), standing.score)
        has = held[user_id]
        if has.version < version and (has.member, has.score) != should:
            behind.append(user_id)
    return behind
