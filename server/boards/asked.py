"""Which state of a board is asked for: the present one, or that of a past period."""

from dataclasses import dataclass, replace
from typing import Annotated

from msgspec import Meta
from sanic import Request

from actors.reading import Page
from models import periods, standings
from models.board import Board, Place
from models.ids import is_slug
from models.periods import Result
from models.ranking import Row
from server.boards.visible import is_admin, visible_board
from server.documented import Parameter
from server.errors import InvalidRequest, NotFound
from server.parameters import query_text, query_whole
from server.runtime import Runtime

MAX_REVISION = 1_000_000
PERIOD = (
    Parameter("period", str, "A past period's id, else the present one.", example="all"),
    Parameter("revision", Annotated[int, Meta(ge=1, le=MAX_REVISION)], "Of a past period's result, else the latest."),
)
RESULT_EPOCH = "result"
"""Epoch of every frozen result; its version is the result's revision."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A board that the caller may see, and a period and a revision if they name them."""

    board: Board
    admin: bool
    period: str | None = None
    revision: int | None = None

    @property
    def still_since(self) -> int | None:
        """When the board began to stand still for the caller: nothing that ended later is shown."""
        return None if self.admin else self.board.frozen_ms


def read(request: Request, board_id: str) -> Asked:
    """What a request names; raises NotFound for the board, InvalidRequest for the rest."""
    asked = read_board(request, board_id)
    period, revision = query_text(request, "period"), query_whole(request, "revision", 0, MAX_REVISION) or None
    if period is None and revision is not None:
        raise InvalidRequest("a revision is one of a period")
    return replace(asked, period=period, revision=revision)


def read_board(request: Request, board_id: str) -> Asked:
    """A board alone; raises NotFound."""
    admin = is_admin(request)
    return Asked(visible_board(request.app.ctx.runtime, board_id, admin=admin), admin)


async def find(runtime: Runtime, asked: Asked) -> Place | Result:
    """The place, or the frozen result of a past period; for the seconds before there is one what the standings have.

    Raises NotFound.
    """
    board, period = asked.board, asked.period
    place = runtime.views.place(board, runtime.clock.now_ms(), admin=asked.admin)
    if place is not None and asked.revision is None and period in (None, place[1]):
        return place
    if period is None:
        raise NotFound("this board has no period now")
    known = is_slug(period.lower())
    found = await periods.result(runtime.database, board.board_id, period, asked.revision) if known else None
    if found is not None and (asked.still_since is None or (found.period.end_ms or 0) <= asked.still_since):
        return found
    named = board.period_named(period) if known and asked.still_since is None and asked.revision is None else None
    if named is None or named.end_ms is None or named.end_ms > runtime.clock.now_ms():
        raise NotFound("there is no such period")
    if not await standings.page(runtime.database, board.key, period, 1):
        raise NotFound("there is no such period")
    return board.key, period


def page_of(found: Result, first_rank: int, rows: list[Row]) -> Page:
    """Rows of a frozen result, in rank order."""
    return Page(RESULT_EPOCH, found.revision, found.made_at, False, found.players, first_rank, tuple(rows))
