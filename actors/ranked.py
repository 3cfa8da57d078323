"""What Redis has of players on a board."""

from collections.abc import Sequence
from typing import NamedTuple

from redis.asyncio import Redis

from actors.keys import BoardKeys
from models.ids import UserId


class Ranked(NamedTuple):
    """A player's version, and member and score while they are on the board; version -1 is one it never heard of."""

    version: int
    member: str
    score: float | None


NEVER_HEARD_OF = Ranked(-1, "", None)


async def ranked(redis: Redis, keys: BoardKeys, users: Sequence[UserId]) -> dict[UserId, Ranked]:
    """What the board has of each player; raises as `AWAY` says."""
    if not users:
        return {}
    texts = await redis.hmget(keys.users, list(users))
    cut = {user: str(text).partition("|") for user, text in zip(users, texts, strict=True) if text is not None}
    members = [member for _, _, member in cut.values() if member]
    scores = dict(zip(members, await redis.zmscore(keys.rank, members), strict=True)) if members else {}
    held = {user: Ranked(int(version), member, scores.get(member)) for user, (version, _, member) in cut.items()}
    return {user: held.get(user, NEVER_HEARD_OF) for user in users}
