"""Reading boards."""

import base64
import binascii
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import Blueprint, HTTPResponse, Request

from actors.frames import rfc3339
from actors.reading import Page
from models import standings
from models.board import Board, Period
from models.ids import BoardId, UserId, is_slug, is_uuid
from models.ranking import Row
from models.standings import Place
from server.bodies import answer
from server.documented import Parameter, documented
from server.errors import InvalidRequest, NotFound
from server.limits import limited
from server.runtime import Runtime
from server.wire import BoardAnswer, BoardsAnswer, EntryAnswer, PeriodAnswer, PlaceAnswer, TopAnswer

DEFAULT_LIMIT = 10
MAX_LIMIT = 100

blueprint = Blueprint("boards")


@blueprint.get("/api/v1/boards")
@documented(BoardsAnswer, caller="anyone", limits=("reads",))
async def boards(request: Request) -> HTTPResponse:
    """Every board with its present period."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    runtime.tokens.optional(request)
    now = runtime.clock.now_ms()
    shown = [_board_answer(board, board.period_at(now)) for board in runtime.epochs.boards]
    return answer(BoardsAnswer(boards=shown), headers={"Cache-Control": "no-cache"})


def _board_answer(board: Board, period: Period | None) -> BoardAnswer:
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
        period=None if period is None else _period_answer(period),
        frozen=False,
    )


def _period_answer(period: Period) -> PeriodAnswer:
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
        Parameter("limit", Annotated[int, Meta(ge=1, le=MAX_LIMIT)], f"Rows in a page, else {DEFAULT_LIMIT}."),
        Parameter("cursor", str, "The `next` of the page before."),
        Parameter("period", str, "A past period's id, else the present one.", example="all"),
    ),
    also={304: "Not changed since the content that `If-None-Match` names."},
    headers=("ETag",),
    limits=("reads",),
)
async def top(request: Request, board_id: str) -> HTTPResponse:
    """A page of a board, with an ETag of its content."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    runtime.tokens.optional(request)
    board = _board(runtime, board_id)
    limit = _whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    after = _row_of_cursor(request.args.get("cursor"))
    period = request.args.get("period")
    shown = await runtime.supervisor.detached("top", _top(runtime, board, period, limit, after))
    content = msgspec.structs.replace(shown, as_of="")
    tag = '"' + sha256(msgspec.json.encode(content)).hexdigest()[:24] + '"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if tag in [known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")]:
        return HTTPResponse(status=304, headers=headers)
    return answer(shown, headers=headers)


async def _top(runtime: Runtime, board: Board, period: str | None, limit: int, after: Row | None) -> TopAnswer:
    present = board.period_at(runtime.clock.now_ms())
    if present is not None and period in (None, present.period_id):
        page = await runtime.reading.top(board, present.period_id, limit, after)
        name = present.period_id
    else:
        if period is None:
            raise NotFound("this board has no period now")
        page, name = await _past(runtime, board, period, limit, after), period
    await runtime.profiles.load([row.user_id for row in page.rows])
    last = page.rows[-1] if page.rows else None
    more = last is not None and page.first_rank + len(page.rows) <= page.total
    return TopAnswer(
        board_id=board.board_id,
        period=name,
        epoch=page.epoch,
        version=page.version,
        as_of=rfc3339(page.as_of),
        degraded=page.degraded,
        total_users=page.total,
        entries=[_entry(runtime, row, rank) for rank, row in enumerate(page.rows, page.first_rank)],
        next=_cursor_of(last) if last is not None and more else None,
    )


async def _past(runtime: Runtime, board: Board, period: str, limit: int, after: Row | None) -> Page:
    """A past period's page, from PostgreSQL, which keeps them all."""
    known = is_slug(period.lower())
    total = await standings.count(runtime.database, board.key, period) if known else 0
    if total == 0:
        raise NotFound("there is no such period")
    rows = await standings.page(runtime.database, board.key, period, limit, after)
    first = await standings.rank_of(runtime.database, board.key, period, rows[0]) if rows else 1
    return Page("past", 0, runtime.clock.now_ms(), False, total, first, tuple(rows))


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


@blueprint.get("/api/v1/boards/<board_id:str>/users/<user_id:str>")
@documented(PlaceAnswer, caller="anyone", limits=("reads",))
async def place(request: Request, board_id: str, user_id: str) -> HTTPResponse:
    """One player's place on a board."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    runtime.tokens.optional(request)
    board = _board(runtime, board_id)
    user_id = user_id.lower()
    if not is_uuid(user_id):
        raise NotFound("there is no such player")
    shown = await runtime.supervisor.detached("place", _place(runtime, board, UserId(user_id)))
    return answer(shown, headers={"Cache-Control": "no-cache"})


async def _place(runtime: Runtime, board: Board, user_id: UserId) -> PlaceAnswer:
    period = board.period_at(runtime.clock.now_ms())
    found = None if period is None else await runtime.reading.place(board, period.period_id, user_id)
    if found is None or period is None:
        raise NotFound("this player is not on the board")
    await runtime.profiles.load([user_id])
    profile = runtime.profiles.get(user_id)
    return PlaceAnswer(
        board_id=board.board_id,
        period=period.period_id,
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


def _board(runtime: Runtime, board_id: str) -> Board:
    leaderboard = runtime.leaderboards.get(BoardId(board_id))
    if leaderboard is None:
        raise NotFound("there is no such board")
    return leaderboard.board


def _whole(request: Request, name: str, default: int, most: int) -> int:
    text = request.get_args(keep_blank_values=True).get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:10]) <= most or len(text) > len(str(most)):
        raise InvalidRequest(f"{name} must be a whole number from 1 to {most}")
    return int(text)


def _cursor_of(row: Row) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(row)).rstrip(b"=").decode()


def _row_of_cursor(text: str | None) -> Row | None:
    if text is None:
        return None
    try:
        row = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Row)
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise InvalidRequest("this cursor is not one of ours") from error
    if not is_uuid(row.user_id) or not 0 <= row.reached_at < 10**13 or abs(row.score) >= 2**53:
        raise InvalidRequest("this cursor is not one of ours")
    return row
