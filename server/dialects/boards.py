"""What each dialect reads of the board `global`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta
from sanic import Request

from actors.frames import rfc3339
from models.board import GLOBAL, Place
from models.errors import DatabaseUnavailable
from models.ids import UserId
from server.auth import ADMIN, Session
from server.dialects.shapes import (
    Leaderboard,
    NamedScore,
    NumberedPage,
    OwnRank,
    RankedScore,
    Score,
    TopScores,
)
from server.documented import Parameter
from server.errors import InvalidRequest, NotFound
from server.runtime import Runtime

TOP = 10
MAX_LIMIT = 100
MAX_PAGE = 2**53 - 1
PAGE_PARAMETERS = (
    Parameter("page", Annotated[int, Meta(ge=1, le=MAX_PAGE)], "Which page, else 1."),
    Parameter("limit", Annotated[int, Meta(ge=1, le=MAX_LIMIT)], f"Rows in a page, else {TOP}."),
    Parameter("sort", Literal["ASC", "DESC"], "From the last up, or from the best down, which is the default."),
)


async def scores(runtime: Runtime, request: Request) -> list[Score]:
    """A and E: the top 10, for players."""
    session = runtime.tokens.required(request)
    return await runtime.supervisor.detached("top", _top(runtime, admin=_is_admin(session)))


async def top_scores(runtime: Runtime, request: Request) -> TopScores:
    """D: the top 10, for everybody."""
    session = runtime.tokens.optional(request)
    return TopScores(top_scores=await runtime.supervisor.detached("top", _top(runtime, admin=_is_admin(session))))


def _is_admin(session: Session | None) -> bool:
    return session is not None and session.role == ADMIN


async def _top(runtime: Runtime, *, admin: bool) -> list[Score]:
    """From Redis or PostgreSQL; with both away as the pod showed it last, if that is newer than what was read."""
    seen = runtime.views.seen(GLOBAL, admin=admin)
    shown = None if seen is None else seen.shown
    try:
        page = await runtime.reading.top(_global(runtime, admin=admin), TOP)
    except DatabaseUnavailable:
        if shown is None:
            raise
    else:
        if shown is None or not page.degraded or page.as_of >= shown.at:
            return [Score(user_id=row.user_id, score=row.score) for row in page.rows]
    return [Score(user_id=row.user_id, score=row.score) for row in shown.rows[:TOP]]


def _global(runtime: Runtime, *, admin: bool) -> Place:
    """Where the board `global` is: the live place, or its copy while it is frozen for all but admins."""
    board = next((board for board in runtime.epochs.boards if board.board_id == GLOBAL), None)
    place = None if board is None else runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
    if place is None:
        raise NotFound("there is no board yet")
    return place


async def leaderboard(runtime: Runtime, request: Request) -> Leaderboard:
    """B: the top 10 with names, for everybody; players learn their own rank."""
    session = runtime.tokens.optional(request)
    return await runtime.supervisor.detached("leaderboard", _leaderboard(runtime, session))


async def _leaderboard(runtime: Runtime, session: Session | None) -> Leaderboard:
    place = _global(runtime, admin=_is_admin(session))
    page = await runtime.reading.top(place, TOP)
    await runtime.profiles.load_soon([row.user_id for row in page.rows])
    rows = [
        RankedScore(
            user_id=row.user_id, username=runtime.profiles.get(row.user_id).username, score=row.score, rank=rank
        )
        for rank, row in enumerate(page.rows, page.first_rank)
    ]
    return Leaderboard(
        leaderboard=rows,
        total_users=page.total,
        last_updated=rfc3339(page.as_of),
        user_rank=UNSET if session is None else await _own_rank(runtime, place, session.user_id),
    )


async def _own_rank(runtime: Runtime, where: Place, user_id: UserId) -> OwnRank:
    """Who is not on the board has no rank there and no points."""
    place = await runtime.reading.place(where, user_id)
    return OwnRank(rank=None, score=0) if place is None else OwnRank(rank=place.rank, score=place.row.score)


async def numbered_page(runtime: Runtime, request: Request) -> NumberedPage:
    """C: a page by number, for players; ascending pages begin at the last rank."""
    session = runtime.tokens.required(request)
    page = _whole(request, "page", 1, MAX_PAGE)
    limit = _whole(request, "limit", TOP, MAX_LIMIT)
    sort = _sort(request)
    place = _global(runtime, admin=_is_admin(session))
    return await runtime.supervisor.detached("page", _numbered_page(runtime, place, page, limit, sort))


async def _numbered_page(
    runtime: Runtime, place: Place, page: int, limit: int, sort: Literal["ASC", "DESC"]
) -> NumberedPage:
    rows = await runtime.paging.rows(place, (page - 1) * limit, limit, ascending=sort == "ASC")
    await runtime.profiles.load_soon([row.user_id for row in rows])
    named = [
        NamedScore(user_id=row.user_id, username=runtime.profiles.get(row.user_id).username, score=row.score)
        for row in rows
    ]
    return NumberedPage(leaderboard=named, page=page, limit=limit, sort=sort)


def _sort(request: Request) -> Literal["ASC", "DESC"]:
    match _single(request, "sort"):
        case None | "DESC":
            return "DESC"
        case "ASC":
            return "ASC"
        case _:
            raise InvalidRequest("sort must be ASC or DESC")


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = _single(request, name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(most)) or not 1 <= int(text) <= most:
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _single(request: Request, name: str) -> str | None:
    """A parameter that stands at most once; an empty one is not a missing one."""
    found = request.get_args(keep_blank_values=True).getlist(name, [])
    if len(found) > 1:
        raise InvalidRequest(f"{name} stands twice")
    return found[0] if found else None
