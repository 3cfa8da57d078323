"""Boards of some players: the caller's friends, or whoever is asked for."""

from collections.abc import Sequence

import msgspec
from sanic import HTTPResponse, Request

from actors.frames import rfc3339
from actors.subsets import Subset
from models import friends, past
from models.ids import UserId
from models.periods import Result
from server.blueprints import Blueprint
from server.boards import asked as asking
from server.boards.asked import PERIOD, RESULT_EPOCH, Asked
from server.boards.rows import entry_answer
from server.bodies import answer, decode
from server.documented import documented
from server.limits import limited
from server.runtime import Runtime
from server.timed import timed
from server.wire.standings import FriendEntry, FriendsBoard, SubsetAnswer, SubsetOf

blueprint = Blueprint("subsets")


@blueprint.post("/api/v1/boards/<board_id:str>/subset")
@documented(SubsetAnswer, body=SubsetOf, caller="anyone", parameters=PERIOD, limits=("reads",))
@timed("subset")
async def subset(request: Request, board_id: str) -> HTTPResponse:
    """The places of given players, best first; who is not on the board is left out."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    asked = asking.read(request, board_id)
    body = decode(request, SubsetOf)
    user_ids = list(dict.fromkeys(UserId(user_id.lower()) for user_id in body.user_ids))
    shown = await runtime.supervisor.detached("subset", _read(runtime, asked, user_ids))
    return answer(shown, headers={"Cache-Control": "no-cache"})


@blueprint.get("/api/v1/boards/<board_id:str>/friends")
@documented(FriendsBoard, parameters=PERIOD, limits=("reads",))
async def friends_board(request: Request, board_id: str) -> HTTPResponse:
    """The caller and their friends, ranked among themselves and on the board."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    asked = asking.read(request, board_id)
    shown = await runtime.supervisor.detached("friends-board", _friends(runtime, asked, session.user_id))
    return answer(shown, headers={"Cache-Control": "no-store"})


async def _friends(runtime: Runtime, asked: Asked, user_id: UserId) -> FriendsBoard:
    of_board = await _read(runtime, asked, [user_id, *await friends.ids(runtime.database, user_id)])
    facts = msgspec.structs.asdict(of_board)
    facts["entries"] = [
        FriendEntry(**(msgspec.structs.asdict(entry) | {"rank": rank}), board_rank=entry.rank)
        for rank, entry in enumerate(of_board.entries, 1)
    ]
    return FriendsBoard(**facts)


async def _read(runtime: Runtime, asked: Asked, user_ids: Sequence[UserId]) -> SubsetAnswer:
    match await asking.find(runtime, asked):
        case Result() as result:
            period, found = result.period.period_id, await _of_result(runtime, result, user_ids)
        case place:
            period, found = place[1], await runtime.subsets.read(place, user_ids)
    await runtime.profiles.load_soon([row.user_id for row, _ in found.rows])
    return SubsetAnswer(
        board_id=asked.board.board_id,
        period=period,
        epoch=found.epoch,
        version=found.version,
        as_of=rfc3339(found.as_of),
        degraded=found.degraded,
        total_users=found.total,
        entries=[entry_answer(runtime, row, rank) for row, rank in found.rows],
    )


async def _of_result(runtime: Runtime, result: Result, user_ids: Sequence[UserId]) -> Subset:
    rows = await past.ranked(runtime.database, result, user_ids)
    return Subset(RESULT_EPOCH, result.revision, result.made_at, False, result.players, tuple(rows))
