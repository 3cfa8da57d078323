"""The one order of every board: memory, Redis and SQL.

Score descending, then who reached it first, then user id descending. The last is what Redis' reverse order gives:
members of equal score are compared as bytes, so a member is the inverted time, a colon and the user id.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from models.ids import UserId

INVERSION_MS = 9_999_999_999_999
"""Reached-at is subtracted from this: 13 digits hold every time until the year 2286."""


class Row(NamedTuple):
    """One place on a board; `reached_at` is Unix milliseconds."""

    user_id: UserId
    score: int
    reached_at: int


def sort_key(row: Row) -> tuple[int, str]:
    """Sorts rows best first when used with `reverse=True`."""
    return row.score, member_of(row.user_id, row.reached_at)


def member_of(user_id: UserId, reached_at: int) -> str:
    """The sorted-set member that makes equal scores rank first-come."""
    return f"{INVERSION_MS - reached_at:013d}:{user_id}"


def row_of(member: str, score: str) -> Row:
    """The row behind a sorted-set member and its score."""
    inverted, _, user_id = member.partition(":")
    return Row(UserId(user_id), int(float(score)), INVERSION_MS - int(inverted))


def text_of(rows: Iterable[Row]) -> str:
    """Rows as one text: members and scores, as a record of a board's stream holds its top."""
    return " ".join(f"{member_of(row.user_id, row.reached_at)} {row.score}" for row in rows)


@lru_cache(maxsize=16)  # who reads a top, reads it again soon
def rows_of(text: str) -> tuple[Row, ...]:
    """The rows behind the text of a top."""
    parts = text.split()
    return tuple(row_of(member, score) for member, score in zip(parts[::2], parts[1::2], strict=True))
