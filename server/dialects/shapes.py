"""What the five dialects say and hear, by their own names."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from server.wire.fields import TEXT, Uuid, Wire

ActionRef = Annotated[str, Meta(min_length=1, max_length=4096, pattern=TEXT)]
"""A signed ticket, the id of a held one, the id of an instant action, or (B and C) an id of the client's own."""
ActionType = Annotated[str, Meta(min_length=1, max_length=200, pattern=TEXT)]


class AnyObject(Struct):
    """A JSON object, whatever is in it."""


class DoAction(Wire, frozen=True):
    """A and E: an action was done."""

    action_id: ActionRef


class DoTypedAction(Wire, frozen=True):
    """B: an action was done, and which."""

    action_id: ActionRef
    action_type: ActionType


class DoTimedAction(Wire, frozen=True):
    """C: an action was done, and when, in Unix seconds or milliseconds."""

    action_id: ActionRef
    timestamp: int


class DoSignedAction(Wire, frozen=True):
    """D: an action was done by a player, whose token stands in the body."""

    user_id: Uuid
    auth_token: Annotated[str, Meta(pattern=TEXT)]
    action_id: ActionRef


class NewScore(Wire, frozen=True):
    """A and E: the score after the action."""

    success: Literal[True]
    new_score: int


class NewPosition(Wire, frozen=True):
    """B: the score after the action, and the rank if it was known in time."""

    success: Literal[True]
    new_score: int
    leaderboard_position: int | None
    message: str


class NewStatus(Wire, frozen=True):
    """C: whose score it is after the action."""

    status: Literal["success"]
    user_id: str
    new_score: int


class UpdatedScore(Wire, frozen=True):
    """D: the score after the action."""

    success: Literal[True]
    message: str
    updated_score: int


class Score(Wire, frozen=True):
    """A, D and E: a row of the top 10."""

    user_id: str
    score: int


class RankedScore(Wire, frozen=True):
    """B: a row of the top 10."""

    user_id: str
    username: str
    score: int
    rank: int


class OwnRank(Wire, frozen=True):
    """B: the caller's own place; not on the board: no rank and no points."""

    rank: int | None
    score: int


class Leaderboard(Wire, frozen=True):
    """B: the top 10, and the caller's place for those who send a token."""

    leaderboard: list[RankedScore]
    total_users: int
    last_updated: str
    user_rank: OwnRank | UnsetType = UNSET


class NamedScore(Wire, frozen=True):
    """C: a row of a page."""

    user_id: str
    username: str
    score: int


class NumberedPage(Wire, frozen=True):
    """C: a page by number, from the best down or from the last up."""

    leaderboard: list[NamedScore]
    page: int
    limit: int
    sort: Literal["ASC", "DESC"]


class TopScores(Wire, frozen=True):
    """D: the top 10."""

    top_scores: list[Score]


class CodedRefusal(Wire, frozen=True):
    """A, B and E: the stable code and a sentence."""

    success: Literal[False]
    error: str
    message: str


class StatusRefusal(Wire, frozen=True):
    """C: a sentence."""

    status: Literal["error"]
    error: str


class PlainRefusal(Wire, frozen=True):
    """D: one of a few sentences."""

    success: Literal[False]
    error: str
