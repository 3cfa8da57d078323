"""The shapes of what stands on a board: rows, pages and places."""

from typing import Annotated

import msgspec
from msgspec import Meta

from server.wire.fields import Uuid, Wire

MAX_SUBSET = 100


class EntryAnswer(Wire, frozen=True):
    """One row of a board."""

    rank: int
    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    score: int
    reached_at: str


class TopAnswer(Wire, frozen=True):
    """A page of a board."""

    board_id: str
    period: str
    epoch: str
    version: int
    as_of: str
    degraded: bool
    total_users: int
    entries: list[EntryAnswer]
    next: str | None


class PlaceAnswer(Wire, frozen=True):
    """A player's place on a board."""

    board_id: str
    period: str
    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    rank: int
    score: int
    reached_at: str
    percentile: float
    points_to_next_rank: int | None
    points_to_top10: int = msgspec.field(name="pointsToTop10")
    total_users: int


class SubsetOf(Wire, frozen=True):
    """Whose places are asked for."""

    user_ids: Annotated[list[Uuid], Meta(max_length=MAX_SUBSET)]


class SubsetFacts(Wire, frozen=True):
    """Which state of a board an answer is from."""

    board_id: str
    period: str
    epoch: str
    version: int
    as_of: str
    degraded: bool
    total_users: int


class SubsetAnswer(SubsetFacts, frozen=True):
    """Some players of a board, best first, with their ranks on it; who is not on it is left out."""

    entries: list[EntryAnswer]
    next: str | None = None


class FriendEntry(EntryAnswer, frozen=True):
    """A row of a friends board: `rank` among friends, `boardRank` on the board."""

    board_rank: int


class FriendsBoard(SubsetFacts, frozen=True):
    """The caller and their friends, best first."""

    entries: list[FriendEntry]
    next: str | None = None
