"""Reading boards."""

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta
from sanic import HTTPResponse, Request

from models import periods
from server import cursors
from server.blueprints import Blueprint
from server.boards import asked as asking
from server.boards import places, tops
from server.boards.asked import PERIOD
from server.boards.visible import is_admin
from server.bodies import answer
from server.cursors import PeriodCursor
from server.documented import Parameter, documented
from server.limits import limited
from server.parameters import CURSOR, path_user, query_whole
from server.runtime import Runtime
from server.timed import timed
from server.wire.boards import BoardsAnswer, board_answer
from server.wire.periods import PeriodsAnswer, result_answer
from server.wire.standings import PlaceAnswer, TopAnswer

DEFAULT_LIMIT = 10
MAX_LIMIT = 100
DEFAULT_RADIUS = 5
MAX_RADIUS = 50
PAGE_LIMIT = Parameter("limit", Annotated[int, Meta(ge=1, le=MAX_LIMIT)], f"Rows in a page, else {DEFAULT_LIMIT}.")

blueprint = Blueprint("boards")


@blueprint.get("/api/v1/boards")
@documented(BoardsAnswer, caller="anyone", limits=("reads",))
async def boards(request: Request) -> HTTPResponse:
    """Every board with its present period."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    now = runtime.clock.now_ms()
    shown = [board_answer(board, now, admin=admin) for board in runtime.views.listed(admin=admin)]
    return answer(BoardsAnswer(boards=shown), headers={"Cache-Control": "no-cache"})


@blueprint.get("/api/v1/boards/<board_id:str>/top")
@documented(
    TopAnswer,
    caller="anyone",
    parameters=(
        PAGE_LIMIT,
        CURSOR,
        *PERIOD,
    ),
    also={304: "Not changed since the content that `If-None-Match` names."},
    headers=("ETag",),
    limits=("reads",),
)
@timed("top")
async def top(request: Request, board_id: str) -> HTTPResponse:
    """A page of a board, with an ETag of its content."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    asked = asking.read(request, board_id)
    limit = query_whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    work = tops.top(runtime, asked, limit, request.args.get("cursor"))
    shown = await runtime.supervisor.detached("top", work)
    content = msgspec.structs.replace(shown, as_of="")
    tag = '"' + sha256(msgspec.json.encode(content)).hexdigest()[:24] + '"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if {tag, "*"} & {known.strip().removeprefix("W/") for known in request.headers.get("if-none-match", "").split(",")}:
        return HTTPResponse(status=304, headers=headers)
    return answer(shown, headers=headers)


@blueprint.get("/api/v1/boards/<board_id:str>/periods")
@documented(PeriodsAnswer, caller="anyone", parameters=(PAGE_LIMIT, CURSOR), limits=("reads",))
async def past(request: Request, board_id: str) -> HTTPResponse:
    """Past periods, newest first, each with the latest revision of its frozen result."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    asked = asking.read_board(request, board_id)
    limit = query_whole(request, "limit", DEFAULT_LIMIT, MAX_LIMIT)
    after = cursors.read(request.args.get("cursor"), PeriodCursor)
    since = asked.still_since
    if since is not None and (after is None or after.end_ms > since):
        after = PeriodCursor(since + 1, "")  # a final shows nothing that ended after it began
    work = periods.results(runtime.database, asked.board.board_id, limit + 1, after)
    found = await runtime.supervisor.detached("periods", work)
    shown = found[:limit]
    more = len(found) > limit
    following = PeriodCursor(shown[-1].period.end_ms or 0, shown[-1].period.period_id) if more else None
    value = PeriodsAnswer(
        board_id=asked.board.board_id,
        entries=[result_answer(result) for result in shown],
        next=None if following is None else cursors.written(following),
    )
    return answer(value, headers={"Cache-Control": "no-cache"})


@blueprint.get("/api/v1/boards/<board_id:str>/around/<user_id:str>")
@documented(
    TopAnswer,
    caller="anyone",
    parameters=(
        Parameter("radius", Annotated[int, Meta(ge=1, le=MAX_RADIUS)], f"Rows on either side, else {DEFAULT_RADIUS}."),
        *PERIOD,
    ),
    limits=("reads",),
)
@timed("around")
async def around(request: Request, board_id: str, user_id: str) -> HTTPResponse:
    """The rows around a player, cut at the board's edges."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    asked = asking.read(request, board_id)
    radius = query_whole(request, "radius", DEFAULT_RADIUS, MAX_RADIUS)
    work = places.around(runtime, asked, path_user(user_id), radius)
    shown = await runtime.supervisor.detached("around", work)
    return answer(shown, headers={"Cache-Control": "no-cache"})


@blueprint.get("/api/v1/boards/<board_id:str>/users/<user_id:str>")
@documented(PlaceAnswer, caller="anyone", parameters=PERIOD, limits=("reads",))
@timed("place")
async def place(request: Request, board_id: str, user_id: str) -> HTTPResponse:
    """One player's place on a board."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    work = places.place(runtime, asking.read(request, board_id), path_user(user_id))
    shown = await runtime.supervisor.detached("place", work)
    return answer(shown, headers={"Cache-Control": "no-cache"})
