"""One player's absolute standing on its way to Redis, and the script call that takes it there."""

from collections.abc import Iterable, Iterator
from itertools import repeat
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
    def of(
        cls, user_id: UserId, version: int, standing: Standing | None, delta: int | None = None, score: int = 0
    ) -> Self:
        """The change to a standing; None takes the player off, who is told a score all the same."""
        if standing is None:
            return cls(user_id, version, score=score, delta=delta)
        return cls(user_id, version, member_of(user_id, standing.reached_at), standing.score, delta)


class Columns:
    """Changes of one place as the script takes them, column by column: a `Change` each costs twice as much.

    `since_ms`: when the oldest of them was committed. Each player stands in them once.
    """

    __slots__ = ("deltas", "marks", "members", "scores", "since_ms", "users", "versions")

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.users: list[UserId] = []
        self.versions: list[int] = []
        self.members: list[str] = []
        self.scores: list[int] = []
        self.marks: list[str] = []
        self.deltas: list[int | None] = []

    def __len__(self) -> int:
        return len(self.users)

    @classmethod
    def of(cls, changes: Iterable[Change], since_ms: int) -> Self:
        """Changes as columns."""
        columns = cls(since_ms)
        for change in changes:
            mark = mark_of(change.version, change.member)
            columns.add(change.user_id, change.version, change.member, change.score, mark)
            columns.deltas.append(change.delta)
        return columns

    def add(self, user_id: UserId, version: int, member: str, score: int, mark: str) -> None:
        """Adds a player's change, of which their sockets are told nothing."""
        self.users.append(user_id)
        self.versions.append(version)
        self.members.append(member)
        self.scores.append(score)
        self.marks.append(mark)

    def changes(self) -> Iterator[Change]:
        """The changes one by one."""
        deltas = self.deltas or repeat(None)
        return map(Change, self.users, self.versions, self.members, self.scores, deltas)


def mark_of(version: int, member: str) -> str:
    """What a board remembers of a player: the version, and the member that stands in its ranking."""
    return f"{version}|{member}"


def apply_call(
    place: Place,
    epoch: str,
    seen: int,
    size: int,
    now_ms: int,
    columns: Columns,
    *,
    answering: bool = False,
    filling: bool = False,
) -> ScriptCall:
    """The call of `apply.lua` that brings changes to a place; `answering` asks for ranks and tells the players."""
    deltas = [False if delta is None else delta for delta in columns.deltas] if answering else ()
    packed = _pack((columns.users, columns.versions, columns.members, columns.scores, columns.marks, deltas))
    arguments = [epoch, seen, size, now_ms, TTL_MS, packed, int(answering), int(filling), columns.since_ms]
    return "apply", keys_of(place, epoch).all(), arguments
