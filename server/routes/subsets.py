"""Boards of some players: the caller's friends, or whoever is asked for."""

from collections.abc import Sequence

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from actors.frames import rfc3339
from models import friends
from models.board import Board
from models.ids import UserId
from server.auth import ADMIN
from server.boards.rows import entry_answer
from server.boards.visible import is_admin, visible_board
from server.bodies import answer, decode
from server.documented import documented
from server.errors import NotFound
from server.limits import limited
from server.runtime import Runtime
from server.wire.standings import FriendEntry, FriendsBoard, SubsetAnswer, SubsetOf

blueprint = Blueprint("subsets")


@blueprint.post("/api/v1/boards/<board_id:str>/subset")
@documented(SubsetAnswer, body=SubsetOf, caller="anyone", limits=("reads",))
async def subset(request: Request, board_id: str) -> HTTPResponse:
    """The places of given players, best first; who is not on the board is left out."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    admin = is_admin(request)
    body = decode(request, SubsetOf)
    board = visible_board(runtime, board_id, admin=admin)
    user_ids = list(dict.fromkeys(UserId(user_id.lower()) for user_id in body.user_ids))
    shown = await runtime.supervisor.detached("subset", _read(runtime, board, user_ids, admin=admin))
    return answer(shown, headers={"Cache-Control": "no-cache"})


@blueprint.get("/api/v1/boards/<board_id:str>/friends")
@documented(FriendsBoard, limits=("reads",))
async def friends_board(request: Request, board_id: str) -> HTTPResponse:
    """The caller and their friends, ranked among themselves and on the board."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    admin = session.role == ADMIN
    board = visible_board(runtime, board_id, admin=admin)
    shown = await runtime.supervisor.detached("friends-board", _friends(runtime, board, session.user_id, admin=admin))
    return answer(shown, headers={"Cache-Control": "no-store"})


async def _friends(runtime: Runtime, board: Board, user_id: UserId, *, admin: bool) -> FriendsBoard:
    of_board = await _read(runtime, board, [user_id, *await friends.ids(runtime.database, user_id)], admin=admin)
    facts = msgspec.structs.asdict(of_board)
    facts["entries"] = [
        FriendEntry(**(msgspec.structs.asdict(entry) | {"rank": rank}), board_rank=entry.rank)
        for rank, entry in enumerate(of_board.entries, 1)
    ]
    return FriendsBoard(**facts)


async def _read(runtime: Runtime, board: Board, user_ids: Sequence[UserId], *, admin: bool) -> SubsetAnswer:
    place = runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
    if place is None:
        raise NotFound("this board has no period now")
    found = await runtime.subsets.read(place, user_ids)
    await runtime.profiles.load([row.user_id for row, _ in found.rows])
    return SubsetAnswer(
        board_id=board.board_id,
        period=place[1],
        epoch=found.epoch,
        version=found.version,
        as_of=rfc3339(found.as_of),
        degraded=found.degraded,
        total_users=found.total,
        entries=[entry_answer(runtime, row, rank) for row, rank in found.rows],
    )
