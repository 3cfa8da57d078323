"""What viewers are sent: snapshots, deltas and their encoding; pure."""

from collections.abc import Container, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec
from websockets.frames import Frame, Opcode

from models.ids import UserId


class UpdatedPosition(msgspec.Struct, frozen=True, rename="camel"):
    """One row of a board's top as viewers see it; ranks count from 1."""

    user_id: UserId
    username: str
    display_name: str
    avatar_url: str | None
    score: int
    rank: int


class SnapshotFrame(msgspec.Struct, frozen=True, tag_field="type", tag="leaderboard.snapshot"):
    """A board's whole top."""

    board: str
    period: str
    epoch: str
    version: int
    data: dict[str, list[UpdatedPosition]]


class UpdateFrame(msgspec.Struct, frozen=True, tag_field="type", tag="leaderboard.update"):
    """What turns the top at `previous` into the top at `version`."""

    board: str
    period: str
    epoch: str
    version: int
    previous: int
    data: dict[str, Any]
    hash: str


_encode = msgspec.json.Encoder().encode


class Top(msgspec.Struct, frozen=True):
    """A board's top at a version of an epoch."""

    board: str
    period: str
    epoch: str
    version: int
    at: int
    rows: tuple[UpdatedPosition, ...]


def digest_of(rows: Sequence[UpdatedPosition]) -> str:
    """First 16 hex digits of SHA-256 over `userId:score` in rank order, joined by commas."""
    return sha256(",".join(f"{row.user_id}:{row.score}" for row in rows).encode()).hexdigest()[:16]


def snapshot(top: Top) -> bytes:
    """The snapshot of a top as JSON."""
    data = {"entries": list(top.rows)}
    return _encode(SnapshotFrame(top.board, top.period, top.epoch, top.version, data))


def update(before: Top, after: Top, told: Container[UserId] = ()) -> bytes:
    """The delta between two tops of one epoch as JSON; versions in between are merged.

    `told`: whose rows are in it even if they did not change, as far as this pod knows.
    """
    held = {row.user_id: row for row in before.rows}
    present = {row.user_id for row in after.rows}
    changed = [row for row in after.rows if held.get(row.user_id) != row or row.user_id in told]
    removed = [row.user_id for row in before.rows if row.user_id not in present]
    data = {"updatedPositions": changed, "removed": removed}
    return _encode(
        UpdateFrame(after.board, after.period, after.epoch, after.version, before.version, data, digest_of(after.rows))
    )


def whole(top: Top) -> bytes:
    """A top as JSON for those who want no deltas."""
    return _encode({"type": "scoreboardUpdate", "data": {"topScores": top.rows}})


def text_frame(payload: bytes) -> bytes:
    """A WebSocket text frame, ready for any connection: Sanic negotiates no extensions."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


def event_chunk(kind: str, payload: bytes, position: str = "") -> bytes:
    """An event of a Server-Sent Events stream as one chunk of an HTTP/1.1 body; JSON has no line ends."""
    head = f"event: {kind}\nid: {position}\n" if position else f"event: {kind}\n"
    return http_chunk(b"%bdata: %b\n\n" % (head.encode(), payload))


def http_chunk(text: bytes) -> bytes:
    """A piece of an HTTP/1.1 body in chunked encoding."""
    return b"%x\r\n%b\r\n" % (len(text), text)


def event(kind: str, **data: Any) -> bytes:
    """Any other message to a client as JSON."""
    return _encode({"type": kind, "data": data} if data else {"type": kind})


def rfc3339(at_ms: int) -> str:
    """A time in RFC 3339, UTC, with milliseconds."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
