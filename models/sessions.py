"""Sessions: log-ins, their refresh tokens, and what was revoked before its time."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from models.database import Database, sql
from models.ids import UserId, is_uuid

START = sql("start_session")
RENEW = sql("renew_session")
END = sql("end_session")
TIDY = sql("tidy_sessions")
OF_PLAYER = sql("sessions_of_player")
TIDIED_AT_ONCE = 5_000


class RevokedKind(StrEnum):
    """What a revocation is about."""

    SESSION = "session"
    PLAYER = "player"


@dataclass(frozen=True, slots=True)
class Revocation:
    """A session or a player whose tokens are refused until a time in Unix seconds."""

    kind: RevokedKind
    subject: str
    until: float


@dataclass(frozen=True, slots=True)
class Lives:
    """How long tokens live, in seconds."""

    refresh: int
    access: int


@dataclass(frozen=True, slots=True)
class Renewed:
    """A session that goes on with its next refresh token."""

    session_id: str
    user_id: UserId


@dataclass(frozen=True, slots=True)
class Lasting:
    """A session as it is kept; times are Unix milliseconds."""

    session_id: str
    created_at: int
    expires_at: int
    ended_at: int | None


async def start(database: Database, user_id: UserId, token_hash: bytes, lives: Lives) -> str:
    """Starts a session and names it; raises DataRejected for an account that is gone."""
    session_id = str(uuid4())
    await database.rows(START, session_id, user_id, token_hash, lives.refresh, lives.access)
    return session_id


async def renew(database: Database, used: bytes, following: bytes, lives: Lives) -> Renewed | Revocation | None:
    """Exchanges one refresh token's hash for the next.

    A token used before ends its session: the answer is then the revocation. None for one that is unknown, or whose
    session has ended.
    """
    rows = await database.rows(RENEW, used, following, lives.refresh, lives.access)
    if not rows:
        return None
    row = rows[0]
    if row["user_id"] is None:
        return Revocation(RevokedKind.SESSION, row["session_id"], row["until"])
    return Renewed(row["session_id"], UserId(row["user_id"]))


async def end(database: Database, session: str, until: float) -> Revocation:
    """Ends a session by the name that its access tokens carry; `until` is when the one at hand expires."""
    known = session if is_uuid(session) else None
    (row,) = await database.rows(END, session, until, known)
    return Revocation(RevokedKind.SESSION, row["subject"], row["until"])


async def of_player(database: Database, user_id: UserId) -> list[Lasting]:
    """A player's sessions that are not tidied away, newest first, never their tokens."""
    return [Lasting(**row) for row in await database.rows(OF_PLAYER, user_id)]


async def tidy(database: Database) -> None:
    """Forgets sessions and revocations that no token can ask for any more."""
    await database.rows(TIDY, TIDIED_AT_ONCE)
