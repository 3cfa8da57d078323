"""The shapes of administration on the wire."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import asdict

from actors.frames import rfc3339
from actors.messages import Outcome
from models.entry import FOREVER_MS, MAX_SCORE, Entry
from models.ledger_pages import Recorded
from models.members import Member
from server.parameters import Moment
from server.wire.fields import TEXT, Wire

Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=TEXT)]
Score = Annotated[int, Meta(ge=-MAX_SCORE, le=MAX_SCORE)]


class WriteScore(Wire, frozen=True):
    """An absolute score and why."""

    score: Score
    reason: Reason


class ChangeScore(Wire, frozen=True):
    """By how much a score moves and why."""

    change: Score
    reason: Reason


class Why(Wire, frozen=True):
    """Why something is taken away or reversed."""

    reason: Reason


class Ban(Wire, frozen=True):
    """Why a player is banned; without `until` for good."""

    reason: Reason
    until: Moment | None = None


class MemberAnswer(Wire, frozen=True):
    """A player as administrators see them; `bannedUntil` of a ban in force."""

    user_id: str
    username: str
    display_name: str
    avatar_url: str | None
    role: str
    region: str | None
    groups: list[str]
    score: int
    user_version: int
    banned: bool
    banned_until: str | None
    created_at: str


class MembersAnswer(Wire, frozen=True):
    """A page of players by name."""

    entries: list[MemberAnswer]
    next: str | None


class ScoreAnswer(Wire, frozen=True):
    """A player's score; `updatedAt` is the time of their last entry."""

    user_id: str
    score: int
    user_version: int
    updated_at: str


class VoidAnswer(Wire, frozen=True):
    """What an administrator's request recorded: the same, however often it is asked."""

    entry_id: str
    kind: str
    user_id: str
    change: int
    old_score: int
    new_score: int
    reason: str
    caller: str | None
    at: str
    user_version: int
    target_id: str | None


class DeedAnswer(VoidAnswer, frozen=True):
    """Likewise, with whether it was recorded before; `leaderboardPosition` is of now."""

    leaderboard_position: int | None
    replayed: bool


class BanAnswer(Wire, frozen=True):
    """A ban as it was recorded; `until` null is for good."""

    entry_id: str
    user_id: str
    reason: str
    until: str | None
    caller: str | None
    at: str
    user_version: int
    replayed: bool


class RecordAnswer(Wire, frozen=True):
    """An entry of the ledger; `meta` holds the rest of its facts."""

    entry_id: str
    kind: str
    user_id: str
    user_version: int
    action_id: str | None
    action_revision: int | None
    change: int
    old_score: int
    new_score: int
    at: str
    effective_at: str
    target_id: str | None
    region: str | None
    groups: list[str]
    caller: str | None
    reason: str | None
    meta: dict[str, str | int]
    voided: bool


class RecordsAnswer(Wire, frozen=True):
    """A page of the ledger, newest first."""

    entries: list[RecordAnswer]
    next: str | None


def until_text(until_ms: int) -> str | None:
    """The end of a ban; None for one without."""
    return None if until_ms >= FOREVER_MS else rfc3339(until_ms)


def member_answer(member: Member) -> MemberAnswer:
    """A player as administrators see them."""
    profile, until = member.profile, member.banned_until
    return MemberAnswer(
        user_id=profile.user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        role=member.role,
        region=member.region,
        groups=list(member.groups),
        score=member.score,
        user_version=member.version,
        banned=until is not None,
        banned_until=None if until is None else until_text(until),
        created_at=rfc3339(member.created_at),
    )


def void_answer(entry: Entry) -> VoidAnswer:
    """What was recorded of a change of a score."""
    return VoidAnswer(
        entry_id=entry.entry_id,
        kind=entry.kind.value,
        user_id=entry.user_id,
        change=entry.delta,
        old_score=entry.score_after - entry.delta,
        new_score=entry.score_after,
        reason=str(entry.meta.get("reason", "")),
        caller=entry.caller,
        at=rfc3339(entry.at),
        user_version=entry.user_version,
        target_id=entry.target_id,
    )


def deed_answer(outcome: Outcome) -> DeedAnswer:
    """Likewise, and what became of it."""
    recorded = asdict(void_answer(outcome.entry))
    return DeedAnswer(**recorded, leaderboard_position=outcome.position, replayed=outcome.replayed)


def record_answer(recorded: Recorded) -> RecordAnswer:
    """An entry as administrators see it."""
    entry = recorded.entry
    reason = entry.meta.get("reason")
    return RecordAnswer(
        entry_id=entry.entry_id,
        kind=entry.kind.value,
        user_id=entry.user_id,
        user_version=entry.user_version,
        action_id=entry.action_id,
        action_revision=entry.action_revision,
        change=entry.delta,
        old_score=entry.score_after - entry.delta,
        new_score=entry.score_after,
        at=rfc3339(entry.at),
        effective_at=rfc3339(entry.effective_at),
        target_id=entry.target_id,
        region=entry.region,
        groups=list(entry.groups),
        caller=entry.caller,
        reason=None if reason is None else str(reason),
        meta={name: value for name, value in entry.meta.items() if name != "reason"},
        voided=recorded.voided,
    )


def ban_answer(outcome: Outcome) -> BanAnswer:
    """A ban as it was recorded."""
    entry = outcome.entry
    return BanAnswer(
        entry_id=entry.entry_id,
        user_id=entry.user_id,
        reason=str(entry.meta.get("reason", "")),
        until=until_text(int(entry.meta["until"])),
        caller=entry.caller,
        at=rfc3339(entry.at),
        user_version=entry.user_version,
        replayed=outcome.replayed,
    )
