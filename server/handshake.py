"""What a request for a live board asks for, after everything that can be refused was looked at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from sanic import Request

from actors.errors import Busy
from models.board import GLOBAL
from server.errors import Forbidden, InvalidRequest, NotFound
from server.runtime import Runtime

Position = tuple[str, int]
MAX_VERSION_DIGITS = 16
FULL = "full"


@dataclass(frozen=True, slots=True)
class Asked:
    """A board, where to go on from, and whether each frame shall be the `whole` top."""

    board: str
    position: Position | None
    whole: bool


def check_origin(request: Request, allowed: tuple[str, ...]) -> None:
    """Raises Forbidden for a browser on a page that is not let in."""
    origin = request.headers.get("origin")
    if origin is None or origin in allowed:
        return
    try:
        own = not allowed and urlsplit(origin).netloc == request.headers.get("host")
    except ValueError:
        own = False
    if not own:
        raise Forbidden("this origin may not connect")


def read(request: Request, runtime: Runtime) -> Asked:
    """Raises NotFound, InvalidRequest, and Busy while this pod stops."""
    if runtime.draining:
        raise Busy
    board = request.args.get("board", GLOBAL)
    if runtime.views.seen(board, admin=True) is None:
        raise NotFound("there is no such board")
    layout = request.args.get("format")
    if layout not in (None, FULL):
        raise InvalidRequest("the only other format is full")
    return Asked(board, _position(request.args), layout == FULL)


def _position(arguments: Mapping[str, Any]) -> Position | None:
    epoch, version = arguments.get("epoch"), arguments.get("version")
    if epoch is None and version is None:
        return None
    if not epoch or not version or not _is_version(version):
        raise InvalidRequest("a position is an epoch and a version")
    return epoch, int(version)


def position_of_event(identifier: str) -> Position | None:
    """The position in a `Last-Event-ID`; None for one that is not ours."""
    epoch, _, version = identifier.rpartition(":")
    return (epoch, int(version)) if epoch and _is_version(version) else None


def _is_version(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_VERSION_DIGITS
