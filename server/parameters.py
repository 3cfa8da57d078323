"""What stands in addresses: ids, limits, cursors, times; raises NotFound for paths, InvalidRequest for queries."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta
from sanic import Request

from models.entry import FOREVER_MS
from models.ids import EntryId, UserId, is_slug, is_uuid
from server.cursors import decoded
from server.documented import Parameter
from server.errors import InvalidRequest, NotFound

DEFAULT_LIMIT = 50
MAX_LIMIT = 100

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Moment = Annotated[datetime, Meta(tz=True)]

LIMIT = Parameter("limit", Annotated[int, Meta(ge=1, le=MAX_LIMIT)], f"Entries in a page, else {DEFAULT_LIMIT}.")
CURSOR = Parameter("cursor", str, "The `next` of the page before.")

T = TypeVar("T")


def path_user(text: str) -> UserId:
    """The player that a path names; raises NotFound."""
    lowered = text.lower()
    if not is_uuid(lowered):
        raise NotFound("there is no such player")
    return UserId(lowered)


def path_entry(text: str) -> EntryId:
    """The entry that a path names; raises NotFound."""
    lowered = text.lower()
    if not is_uuid(lowered):
        raise NotFound("there is no such entry")
    return EntryId(lowered)


def path_slug(text: str, what: str) -> str:
    """The slug that a path names; raises NotFound."""
    if not is_slug(text):
        raise NotFound(f"there is no such {what}")
    return text


def query_text(request: Request, name: str) -> str | None:
    """A parameter in the query; one that is empty is not one that is missing."""
    text: str | None = request.get_args(keep_blank_values=True).get(name)
    return text


def query_user(request: Request, name: str) -> UserId | None:
    """A player's id in the query."""
    text = query_text(request, name)
    if text is None:
        return None
    if not is_uuid(text.lower()):
        raise InvalidRequest(f"{name} must be a UUID")
    return UserId(text.lower())


def query_slug(request: Request, name: str) -> str | None:
    """A slug in the query."""
    text = query_text(request, name)
    if text is not None and not is_slug(text):
        raise InvalidRequest(f"{name} must be a slug")
    return text


def query_flag(request: Request, name: str) -> bool | None:
    """`true` or `false` in the query."""
    text = query_text(request, name)
    if text not in (None, "true", "false"):
        raise InvalidRequest(f"{name} must be true or false")
    return None if text is None else text == "true"


def query_moment(request: Request, name: str) -> int | None:
    """A time in the query, in RFC 3339, as Unix milliseconds."""
    text = query_text(request, name)
    if text is None:
        return None
    try:
        # Nothing is older than 1970, and PostgreSQL's times begin later than Python's; those end with the year 9999.
        return max(0, min(moment_ms(msgspec.convert(text, Moment)), FOREVER_MS))
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"{name} must be a time in RFC 3339") from error


def moment_ms(moment: datetime) -> int:
    """A time as Unix milliseconds, the first that is not before it."""
    return -((EPOCH - moment) // timedelta(milliseconds=1))


def query_whole(request: Request, name: str, default: int, most: int) -> int:
    """A whole number from 1 on in the query."""
    text = query_text(request, name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def limit_of(request: Request, default: int = DEFAULT_LIMIT, most: int = MAX_LIMIT) -> int:
    """How many entries a page may have."""
    return query_whole(request, "limit", default, most)


def query_cursor(request: Request, shape: type[T]) -> T | None:
    """What a cursor in the query stands for; None at the start."""
    text = request.args.get("cursor")
    return None if text is None else decoded(text, shape)
