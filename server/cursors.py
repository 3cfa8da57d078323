"""Cursors: where the next page of a list begins, opaque to clients."""

import base64
import binascii
from typing import NamedTuple, TypeVar

import msgspec

from models.entry import MAX_SCORE
from models.ids import UserId, is_uuid
from models.ranking import INVERSION_MS, Row
from server.errors import InvalidRequest

T = TypeVar("T")


class ResultCursor(NamedTuple):
    """The last row of a page of a frozen result, its rank and the result's revision."""

    user_id: UserId
    score: int
    reached_at: int
    rank: int
    revision: int

    @property
    def row(self) -> Row:
        """The row itself."""
        return Row(self.user_id, self.score, self.reached_at)


class PeriodCursor(NamedTuple):
    """The end and the id of the last period of a page."""

    end_ms: int
    period: str


def written(value: object) -> str:
    """A cursor as text."""
    return base64.urlsafe_b64encode(msgspec.json.encode(value)).rstrip(b"=").decode()


def decoded(text: str, kind: type[T]) -> T:
    """What a cursor stands for, whether it can be or not; raises InvalidRequest."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=kind)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest("this cursor is not one of ours") from error


def read(text: str | None, kind: type[T]) -> T | None:
    """The place on a board in a cursor, None when there is none; raises InvalidRequest."""
    if text is None:
        return None
    value = decoded(text, kind)
    if not _sound(value):
        raise InvalidRequest("this cursor is not one of ours")
    return value


def _sound(value: object) -> bool:
    match value:
        case PeriodCursor(end_ms, period):
            return abs(end_ms) <= INVERSION_MS and "\0" not in period
        case ResultCursor(_, _, _, rank, revision) if not (0 < rank < 2**31 and 0 < revision < 2**31):
            return False
    match value:
        case Row(user_id, score, reached_at) | ResultCursor(user_id, score, reached_at, _, _):
            return is_uuid(user_id) and 0 <= reached_at <= INVERSION_MS and abs(score) <= MAX_SCORE
    return False
