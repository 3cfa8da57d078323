"""The caller's own profile, score and ranks."""

import msgspec
from sanic import Blueprint, HTTPResponse, Request

from models import players
from models.ids import UserId
from models.snapshot import Question
from server.auth import ADMIN
from server.bodies import answer
from server.errors import TokenInvalid
from server.runtime import Runtime
from server.wire import MeAnswer, OwnPlace, user_answer

blueprint = Blueprint("me")


@blueprint.get("/api/v1/me")
async def me(request: Request) -> HTTPResponse:
    """Own profile, scores and ranks."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    return await runtime.supervisor.detached("me", _me(runtime, session.user_id, admin=session.role == ADMIN))


async def _me(runtime: Runtime, user_id: UserId, *, admin: bool) -> HTTPResponse:
    identity = await players.by_id(runtime.database, user_id)
    (found,) = await runtime.loader.read([Question(user_id)])
    if identity is None or found.state is None:
        raise TokenInvalid("the player of this token does not exist")
    places = []
    for board in runtime.views.listed(admin=admin):
        where = runtime.views.place(board, runtime.clock.now_ms(), admin=admin)
        if where is None:
            continue
        place = await runtime.reading.place_at(where, user_id)
        rank, score = (None, None) if place is None else (place.rank, place.row.score)
        places.append(OwnPlace(board_id=board.board_id, period=where[1], rank=rank, score=score))
    own = msgspec.structs.asdict(user_answer(identity))
    shown = MeAnswer(**own, score=found.state.score, user_version=found.state.version, boards=places)
    return answer(shown, headers={"Cache-Control": "no-store"})
