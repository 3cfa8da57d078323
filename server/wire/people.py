"""The shapes of what players do to themselves and with one another."""

from msgspec import UNSET, UnsetType

from actors.frames import rfc3339
from models.friends import Friend
from models.ledger_pages import Recorded
from models.sessions import Lasting
from server.wire.accounts import UserAnswer
from server.wire.admin import MemberAnswer
from server.wire.fields import AvatarUrl, DisplayName, Slug, Wire


class OwnPlace(Wire, frozen=True):
    """The owner's place on one board; nulls when not on it."""

    board_id: str
    period: str
    rank: int | None
    score: int | None


class MeAnswer(UserAnswer, frozen=True):
    """The owner's profile, score and ranks."""

    score: int
    user_version: int
    boards: list[OwnPlace]


class EditMe(Wire, frozen=True):
    """What is to be another of one's own profile; null takes avatar or region away."""

    display_name: DisplayName | UnsetType = UNSET
    avatar_url: AvatarUrl | UnsetType | None = UNSET
    region: Slug | UnsetType | None = UNSET


class OwnRecord(Wire, frozen=True):
    """An entry of one's own; who caused it is not told."""

    entry_id: str
    kind: str
    user_version: int
    action_id: str | None
    change: int
    new_score: int
    at: str
    effective_at: str
    target_id: str | None
    region: str | None
    groups: list[str]
    reason: str | None
    meta: dict[str, str | int]
    voided: bool


class OwnRecords(Wire, frozen=True):
    """A page of one's own entries, newest first."""

    entries: list[OwnRecord]
    next: str | None


class FriendAnswer(Wire, frozen=True):
    """A friend and since when."""

    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    since: str


class FriendsAnswer(Wire, frozen=True):
    """A page of one's friends."""

    entries: list[FriendAnswer]
    next: str | None


class HeldTicket(Wire, frozen=True):
    """A ticket that is kept for its player, and until when."""

    ticket_id: str
    expires_at: str


class OwnSession(Wire, frozen=True):
    """A log-in of one's own: it lives until `expiresAt` unless renewed, or ended before."""

    session_id: str
    created_at: str
    expires_at: str
    ended_at: str | None


class OutsideIdentity(Wire, frozen=True):
    """Who an outside issuer says that a player is."""

    issuer: str
    subject: str


class Exported(Wire, frozen=True):
    """Everything held about a player; entries newest first."""

    profile: MemberAnswer
    identity: OutsideIdentity | None
    friends: list[FriendAnswer]
    held_tickets: list[HeldTicket]
    sessions: list[OwnSession]
    entries: list[OwnRecord]


class OpenGroup(Wire, frozen=True):
    """A group, and whether the caller is in it."""

    group_id: str
    title: str
    member: bool


class OpenGroups(Wire, frozen=True):
    """A page of groups."""

    entries: list[OpenGroup]
    next: str | None


def own_record(recorded: Recorded) -> OwnRecord:
    """An entry as its player sees it."""
    entry = recorded.entry
    reason = entry.meta.get("reason")
    return OwnRecord(
        entry_id=entry.entry_id,
        kind=entry.kind.value,
        user_version=entry.user_version,
        action_id=entry.action_id,
        change=entry.delta,
        new_score=entry.score_after,
        at=rfc3339(entry.at),
        effective_at=rfc3339(entry.effective_at),
        target_id=entry.target_id,
        region=entry.region,
        groups=list(entry.groups),
        reason=None if reason is None else str(reason),
        meta={name: value for name, value in entry.meta.items() if name != "reason"},
        voided=recorded.voided,
    )


def own_session(lasting: Lasting) -> OwnSession:
    """A session as its player sees it."""
    return OwnSession(
        session_id=lasting.session_id,
        created_at=rfc3339(lasting.created_at),
        expires_at=rfc3339(lasting.expires_at),
        ended_at=None if lasting.ended_at is None else rfc3339(lasting.ended_at),
    )


def friend_answer(friend: Friend) -> FriendAnswer:
    """A friend."""
    profile = friend.profile
    return FriendAnswer(
        user_id=profile.user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        since=rfc3339(friend.since),
    )
