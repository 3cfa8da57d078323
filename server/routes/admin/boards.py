"""Boards as data: defined, changed, deleted, frozen for a final."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sanic import HTTPResponse, Request

from models import board_rules, boards
from models.board import Board, Fold, Window
from models.errors import BoardInvalid
from models.ids import ActionId, BoardId
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import Conflict, NotFound, UnderWay
from server.routes.admin.guard import admin
from server.runtime import Runtime
from server.wire.boards import (
    AdminBoardAnswer,
    AdminBoardsAnswer,
    BoardRules,
    FreezeAnswer,
    NewBoard,
    admin_board_answer,
)
from tickets.errors import ActionUnknown

FILL_SECONDS = 8.0
"""How long an answer waits for its board to be full; a longer fill goes on by itself."""

COPY_SECONDS = 5.0
"""How long an answer waits for a frozen copy; a longer one goes on, and the same request waits for it again."""

blueprint = Blueprint("admin-boards", url_prefix="/api/v1/admin/boards")


async def _job(request: Request, work: Callable[[Runtime], Awaitable[HTTPResponse]]) -> HTTPResponse:
    """Runs what must end also when the caller goes away."""
    runtime: Runtime = request.app.ctx.runtime

    async def run() -> HTTPResponse:
        return await work(runtime)

    return await runtime.supervisor.detached("admin-boards", run())


@blueprint.get("/")
@documented(AdminBoardsAnswer, caller="admin")
async def listed(request: Request) -> HTTPResponse:
    """Every board with all its rules."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    shown = [_answer(runtime, board) for board in runtime.epochs.boards]
    return answer(AdminBoardsAnswer(entries=shown, next=None), headers={"Cache-Control": "no-store"})


@blueprint.get("/<board_id:str>")
@documented(AdminBoardAnswer, caller="admin")
async def one(request: Request, board_id: str) -> HTTPResponse:
    """One board with all its rules."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    return answer(_answer(runtime, _known(runtime, board_id)), headers={"Cache-Control": "no-store"})


@blueprint.post("/")
@documented(AdminBoardAnswer, status=201, body=NewBoard, caller="admin", refuses=("action_unknown", "conflict"))
async def create(request: Request) -> HTTPResponse:
    """Defines a board; answers when it is filled from the ledger."""
    admin(request)
    body = decode(request, NewBoard)

    async def work(runtime: Runtime) -> HTTPResponse:
        board = await boards.create(runtime.database, _board(runtime, body.board_id, body))
        await runtime.definitions.refresh()
        await runtime.filler.await_filled(board, FILL_SECONDS)
        return answer(_answer(runtime, board), 201, {"Location": f"/api/v1/admin/boards/{board.board_id}"})

    return await _job(request, work)


@blueprint.put("/<board_id:str>")
@documented(AdminBoardAnswer, body=BoardRules, caller="admin", refuses=("action_unknown", "conflict"))
async def change(request: Request, board_id: str) -> HTTPResponse:
    """Replaces a board's rules; other rules are filled from the ledger anew, under a new epoch."""
    admin(request)
    body = decode(request, BoardRules)

    async def work(runtime: Runtime) -> HTTPResponse:
        before = _known(runtime, board_id)
        board = await boards.change(runtime.database, _board(runtime, board_id, body))
        if board is None:
            raise NotFound("there is no such board")
        await runtime.definitions.refresh()
        await runtime.filler.await_filled(board, FILL_SECONDS)
        if board.key == before.key and board.top_size != before.top_size:
            await runtime.filler.renew(board)
        return answer(_answer(runtime, board))

    return await _job(request, work)


@blueprint.delete("/<board_id:str>")
@documented(status=204, caller="admin", refuses=("conflict", *UNASKED))
async def delete(request: Request, board_id: str) -> HTTPResponse:
    """Deletes a board and its results, everywhere."""
    admin(request)
    bodiless(request)

    async def work(runtime: Runtime) -> HTTPResponse:
        if not await boards.delete(runtime.database, _known(runtime, board_id).board_id):
            raise NotFound("there is no such board")
        await runtime.definitions.refresh()
        return HTTPResponse(status=204)

    return await _job(request, work)


@blueprint.put("/<board_id:str>/freeze")
@documented(FreezeAnswer, caller="admin", refuses=("conflict", *UNASKED))
async def freeze(request: Request, board_id: str) -> HTTPResponse:
    """Shows everybody but admins the board as it is now, until it is released; doing it again changes nothing.

    A large board takes a while to copy: 503 `busy` says that the copy goes on. The same request waits for it again.
    """
    admin(request)
    bodiless(request)

    async def work(runtime: Runtime) -> HTTPResponse:
        board = _known(runtime, board_id)
        if board.frozen is None and board.period_at(runtime.clock.now_ms()) is None:
            raise Conflict("this board has no period now")
        try:
            async with asyncio.timeout(COPY_SECONDS):
                await runtime.supervisor.detached("freeze", runtime.finals.freeze(board))
        except TimeoutError as error:
            raise UnderWay("the board is being copied: the same request waits for it again") from error
        await runtime.definitions.refresh()
        return answer(FreezeAnswer(board_id=board.board_id, frozen=True))

    return await _job(request, work)


@blueprint.delete("/<board_id:str>/freeze")
@documented(status=204, caller="admin", refuses=UNASKED)
async def release(request: Request, board_id: str) -> HTTPResponse:
    """Shows everybody the live board again; doing it again changes nothing."""
    admin(request)
    bodiless(request)

    async def work(runtime: Runtime) -> HTTPResponse:
        await runtime.finals.release(_known(runtime, board_id))
        await runtime.definitions.refresh()
        return HTTPResponse(status=204)

    return await _job(request, work)


def _known(runtime: Runtime, board_id: str) -> Board:
    leaderboard = runtime.views.live.get(BoardId(board_id))
    if leaderboard is None:
        raise NotFound("there is no such board")
    return leaderboard.board


def _board(runtime: Runtime, board_id: str, body: BoardRules) -> Board:
    season = body.season
    board = Board(
        board_id=BoardId(board_id),
        revision=0,
        title=body.title,
        fold=Fold(body.fold),
        window=Window(body.window),
        time_zone=body.time_zone,
        actions=None if body.filter.actions is None else frozenset(body.filter.actions),
        region=body.filter.region,
        group=body.filter.group,
        top_size=body.top_size,
        hidden=body.visibility == "hidden",
    )
    board_rules.check(board)
    unknown = sorted(a for a in board.actions or () if runtime.definitions.catalogue.find(ActionId(a)) is None)
    if unknown:
        raise ActionUnknown(actionId=unknown[0])
    if season is None:
        return board
    zone = ZoneInfo(board.time_zone)
    return replace(
        board, season=season.id or board_id, starts_ms=_ms(season.start, zone), ends_ms=_ms(season.end, zone)
    )


def _ms(moment: datetime, zone: ZoneInfo) -> int:
    """Unix milliseconds; a time without an offset is one of the board's time zone."""
    try:
        return round((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
    except (OverflowError, ValueError) as error:
        raise BoardInvalid("a season lies between the years 2000 and 2200") from error


def _answer(runtime: Runtime, board: Board) -> AdminBoardAnswer:
    return admin_board_answer(board, runtime.clock.now_ms())
