"""Reading boards."""

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from actors.frames import rfc3339
from actors.reading import Page
from models import periods
from models.board import Board, Period
from models.board import Place as BoardPlace
from models.ids import BoardId, UserId, is_slug, is_uuid
from models.periods import Result
from models.ranking import Row
from models.standings import Place
from server import cursors
from server.auth import ADMIN
from server.bodies import answer
from server.cursors import PeriodCursor, ResultCursor
from server.documented import Parameter, documented
from server.errors import InvalidRequest, NotFound
from server.limits import limited
from server.parameters import CURSOR
from server.runtime import Runtime
from server.wire import (
    BoardAnswer,
    BoardsAnswer,
    EntryAnswer,
    PeriodAnswer,
    PeriodsAnswer,
    PlaceAnswer,
    ResultAnswer,
    TopAnswer,
)

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
DEFAULT_RADIUS = 5
MAX_RADIUS = 50
MAX_REVISION = 1_000_000
PAGE_LIMIT = Parameter("limit", Annotated[int, Meta(ge=1, le=MAX_LIMIT)], f"Rows in a page, else {DEFAULT_LIMIT}.")
RESULT_EPOCH = "result"
"""Epoch of every frozen result; its version is the result's revision."""

blueprint = Blueprint("boards")


def is_admin(request: Request) -> bool:
    """Whether an admin asks, who sees hidden boards and the live ones; a token that is sent must be good."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.optional(request)
    return session is not None and session.role == ADMIN


@blueprint.get("/api/v1/boards")
@documented(BoardsAnswer, caller="anyone", limits=("reads",))
async def boards(request: Request) -> HTTPResponse:
    """Every board with its present period."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    now = runtime.clock.now_ms()
    shown = [_board_answer(board, now, admin=admin) for board in runtime.views.listed(admin=admin)]
    return answer(BoardsAnswer(boards=shown), headers={"Cache-Control": "no-cache"})


def _board_answer(board: Board, now_ms: int, *, admin: bool) -> BoardAnswer:
    still = board.frozen is not None and not admin
    period = board.period_named(board.frozen[1]) if still and board.frozen else board.period_at(now_ms)
    return BoardAnswer(
        board_id=board.board_id,
        title=board.title,
        fold=board.fold.value,
        window=board.window.value,
        time_zone=board.time_zone,
        filter={
            "actions": None if board.actions is None else sorted(board.actions),
            "region": board.region,
            "group": board.group,
        },
        period=None if period is None else period_answer(period),
        frozen=board.frozen is not None,
    )


def period_answer(period: Period) -> PeriodAnswer:
    """A period as clients see it."""
    start, end = period.start_ms, period.end_ms
    return PeriodAnswer(
        id=period.period_id,
        start=None if start is None else rfc3339(start),
        end=None if end is None else rfc3339(end),
    )


@blueprint.get("/api/v1/boards/<board_id:str>/top")
@documented(
    TopAnswer,
    caller="anyone",
    parameters=(
        PAGE_LIMIT,
        CURSOR,
        Parameter("period", str, "A past period's id, else the present one.", example="all"),
        Parameter(
            "revision", Annotated[int, Meta(ge=1, le=MAX_REVISION)], "Of a past period's result, else the latest."
        ),
    ),
    also={304: "Not changed since the content that `If-None-Match` names."},
    headers=("ETag",),
    limits=("reads",),
)
async def top(request: Request, board_id: str) -> HTTPResponse:
    """A page of a board, with an ETag of its content."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    board = visible_board(runtime, board_id, admin=admin)
    limit = _whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    revision = _whole(request, "revision", 0, MAX_REVISION) or None
    period, cursor = request.args.get("period"), request.args.get("cursor")
    place = runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
    if place is not None and revision is None and period in (None, place[1]):
        work = _present(runtime, board, place, limit, cursors.read(cursor, Row))
    elif period is None and revision is not None:
        raise InvalidRequest("a revision is one of a period")
    elif period is None:
        raise NotFound("this board has no period now")
    else:
        work = _past(runtime, board, period, revision, limit, cursor, open_too=admin or board.frozen is None)
    shown = await runtime.supervisor.detached("top", work)
    content = msgspec.structs.replace(shown, as_of="")
    tag = '"' + sha256(msgspec.json.encode(content)).hexdigest()[:24] + '"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
        return HTTPResponse(status=304, headers=headers)
    return answer(shown, headers=headers)


async def _present(runtime: Runtime, board: Board, place: BoardPlace, limit: int, after: Row | None) -> TopAnswer:
    page = await runtime.reading.top_at(place, limit, after)
    more = bool(page.rows) and page.first_rank + len(page.rows) <= page.total
    return await _top_answer(runtime, board, place[1], page, cursors.written(page.rows[-1]) if more else None)


async def _past(
    runtime: Runtime,
    board: Board,
    period: str,
    revision: int | None,
    limit: int,
    cursor: str | None,
    *,
    open_too: bool,
) -> TopAnswer:
    """A past period's page: its frozen result, or for the seconds before there is one what the standings have."""
    known = is_slug(period.lower())
    found = await periods.result(runtime.database, board.board_id, period, revision) if known else None
    if found is not None:
        return await _of_result(runtime, board, found, limit, cursor)
    named = board.period_named(period) if known and open_too and revision is None else None
    if named is None or named.end_ms is None or named.end_ms > runtime.clock.now_ms():
        raise NotFound("there is no such period")
    shown = await _present(runtime, board, (board.key, period), limit, cursors.read(cursor, Row))
    if shown.total_users == 0:
        raise NotFound("there is no such period")
    return shown


async def _of_result(runtime: Runtime, board: Board, found: Result, limit: int, cursor: str | None) -> TopAnswer:
    after = cursors.read(cursor, ResultCursor)
    if after is not None and after.revision != found.revision:
        of_cursor = await periods.result(runtime.database, board.board_id, found.period.period_id, after.revision)
        if of_cursor is None:
            raise InvalidRequest("this cursor is not one of ours")
        found = of_cursor
    rows = await periods.page(runtime.database, found, limit, None if after is None else after.row)
    first = 1 if after is None else after.rank + 1
    page = Page(RESULT_EPOCH, found.revision, found.made_at, False, found.players, first, tuple(rows))
    last = first + len(rows) - 1
    more = bool(rows) and last < found.players
    following = cursors.written(ResultCursor(*rows[-1], last, found.revision)) if more else None
    return await _top_answer(runtime, board, found.period.period_id, page, following)


async def _top_answer(runtime: Runtime, board: Board, period: str, page: Page, following: str | None) -> TopAnswer:
    await runtime.profiles.load([row.user_id for row in page.rows])
    return TopAnswer(
        board_id=board.board_id,
        period=period,
        epoch=page.epoch,
        version=page.version,
        as_of=rfc3339(page.as_of),
        degraded=page.degraded,
        total_users=page.total,
        entries=[_entry(runtime, row, rank) for rank, row in enumerate(page.rows, page.first_rank)],
        next=following,
    )


def _entry(runtime: Runtime, row: Row, rank: int) -> EntryAnswer:
    profile = runtime.profiles.get(row.user_id)
    return EntryAnswer(
        rank=rank,
        user_id=row.user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        score=row.score,
        reached_at=rfc3339(row.reached_at),
    )


@blueprint.get("/api/v1/boards/<board_id:str>/periods")
@documented(PeriodsAnswer, caller="anyone", parameters=(PAGE_LIMIT, CURSOR), limits=("reads",))
async def past(request: Request, board_id: str) -> HTTPResponse:
    """Past periods, newest first, each with the latest revision of its frozen result."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    board = visible_board(runtime, board_id, admin=is_admin(request))
    limit = _whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    after = cursors.read(request.args.get("cursor"), PeriodCursor)
    work = periods.results(runtime.database, board.board_id, limit + 1, after)
    found = await runtime.supervisor.detached("periods", work)
    shown = found[:limit]
    more = len(found) > limit
    following = PeriodCursor(shown[-1].period.end_ms or 0, shown[-1].period.period_id) if more else None
    value = PeriodsAnswer(
        board_id=board.board_id,
        entries=[_result_answer(result) for result in shown],
        next=None if following is None else cursors.written(following),
    )
    return answer(value, headers={"Cache-Control": "no-cache"})


def _result_answer(result: Result) -> ResultAnswer:
    period = period_answer(result.period)
    return ResultAnswer(
        id=period.id,
        start=period.start,
        end=period.end,
        revision=result.revision,
        revised_at=rfc3339(result.made_at),
        total_users=result.players,
    )


@blueprint.get("/api/v1/boards/<board_id:str>/around/<user_id:str>")
@documented(
    TopAnswer,
    caller="anyone",
    parameters=(
        Parameter("radius", Annotated[int, Meta(ge=1, le=MAX_RADIUS)], f"Rows on either side, else {DEFAULT_RADIUS}."),
    ),
    limits=("reads",),
)
async def around(request: Request, board_id: str, user_id: str) -> HTTPResponse:
    """The rows around a player, cut at the board's edges."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    board = visible_board(runtime, board_id, admin=admin)
    radius = _whole(request, "radius", DEFAULT_RADIUS, MAX_RADIUS)
    place = runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
    work = _around(runtime, board, place, _player(user_id), radius)
    shown = await runtime.supervisor.detached("around", work)
    return answer(shown, headers={"Cache-Control": "no-cache"})


async def _around(runtime: Runtime, board: Board, place: BoardPlace | None, user_id: UserId, radius: int) -> TopAnswer:
    page = None if place is None else await runtime.reading.around_at(place, user_id, radius)
    if page is None or place is None:
        raise NotFound("this player is not on the board")
    return await _top_answer(runtime, board, place[1], page, None)


@blueprint.get("/api/v1/boards/<board_id:str>/users/<user_id:str>")
@documented(PlaceAnswer, caller="anyone", limits=("reads",))
async def place(request: Request, board_id: str, user_id: str) -> HTTPResponse:
    """One player's place on a board."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    board = visible_board(runtime, board_id, admin=admin)
    where = runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
    shown = await runtime.supervisor.detached("place", _place(runtime, board, where, _player(user_id)))
    return answer(shown, headers={"Cache-Control": "no-cache"})


def _player(user_id: str) -> UserId:
    if not is_uuid(user_id.lower()):
        raise NotFound("there is no such player")
    return UserId(user_id.lower())


async def _place(runtime: Runtime, board: Board, where: BoardPlace | None, user_id: UserId) -> PlaceAnswer:
    found = None if where is None else await runtime.reading.place_at(where, user_id)
    if found is None or where is None:
        raise NotFound("this player is not on the board")
    await runtime.profiles.load([user_id])
    profile = runtime.profiles.get(user_id)
    return PlaceAnswer(
        board_id=board.board_id,
        period=where[1],
        user_id=user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        rank=found.rank,
        score=found.row.score,
        reached_at=rfc3339(found.row.reached_at),
        percentile=percentile(found.rank, found.total),
        points_to_next_rank=None if found.next_score is None else found.next_score - found.row.score + 1,
        points_to_top10=points_to_edge(found),
        total_users=found.total,
    )


def percentile(rank: int, total: int) -> float:
    """100 × players ranked below ÷ (all − 1); 100 when alone."""
    return 100.0 if total <= 1 else round(100 * (total - rank) / (total - 1), 2)


def points_to_edge(found: Place) -> int:
    """Points to pass the tenth; 0 inside the top 10 or while it is not full."""
    inside = found.rank <= DEFAULT_LIMIT or found.edge_score is None
    return 0 if inside or found.edge_score is None else found.edge_score - found.row.score + 1


def visible_board(runtime: Runtime, board_id: str, *, admin: bool) -> Board:
    """The board of an id, if the caller may see it; raises NotFound."""
    leaderboard = runtime.views.live.get(BoardId(board_id))
    if leaderboard is None or (leaderboard.board.hidden and not admin):
        raise NotFound("there is no such board")
    return leaderboard.board


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = request.get_args(keep_blank_values=True).get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:10]) <= most or len(text) > len(str(most)):
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}")
    return int(text)
