"""One player's absolute standing on its way to Redis, and the script call that takes it there."""

from collections.abc import Sequence
from typing import Self

import msgspec

from actors.keys import TTL_MS, keys_of
from actors.ordering import ScriptCall
from models.board import Place
from models.ids import UserId
from models.ranking import member_of
from models.state import Standing

LARGEST_CALL = 500
"""Changes in one script call: Lua's stack takes 8,000 values, a change needs two."""
TOP = 10
"""The pushed top of a board that is no longer defined."""

_pack = msgspec.msgpack.Encoder().encode


class Change(msgspec.Struct, frozen=True):
    """A player's absolute standing at a version; no member takes them off.

    `delta` is told to the player's sockets.
    """

    user_id: UserId
    version: int
    member: str = ""
    score: int = 0
    delta: int | None = None

    @classmethod
    def of(cls, user_id: UserId, version: int, standing: Standing | None, delta: int | None = None) -> Self:
        """The change to a standing; None takes the player off."""
        if standing is None:
            return cls(user_id, version, delta=delta)
        return cls(user_id, version, member_of(user_id, standing.reached_at), standing.score, delta)


def apply_call(
    place: Place,
    epoch: str,
    seen: int,
    size: int,
    now_ms: int,
    changes: Sequence[Change],
    *,
    since_ms: int | None = None,
    answering: bool = False,
    filling: bool = False,
) -> ScriptCall:
    """The call of `apply.lua` that brings changes to a place; `answering` asks for ranks and tells the players.

    `since_ms`: when the oldest of the changes was committed; without it, now.
    """
    columns = (
        [change.user_id for change in changes],
        [change.version for change in changes],
        [change.member for change in changes],
        [change.score for change in changes],
        [f"{change.version}|{change.member}" for change in changes],
        [False if change.delta is None else change.delta for change in changes] if answering else (),
    )
    packed = _pack(columns)
    since = now_ms if since_ms is None else since_ms
    arguments = [epoch, seen, size, now_ms, TTL_MS, packed, int(answering), int(filling), since]
    return "apply", keys_of(place, epoch).all(), arguments
