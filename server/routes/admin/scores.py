"""Scores, created, read, set, moved and taken away by administrators: each write one ledger entry."""

from sanic import HTTPResponse, Request

from actors.decisions import has_score
from actors.frames import rfc3339
from actors.messages import AdjustScore, Expected, SetScore
from models.ids import UserId
from models.snapshot import Question
from server.auth import Session
from server.blueprints import Blueprint
from server.bodies import answer, decode
from server.documented import documented
from server.errors import NotFound
from server.parameters import path_user
from server.routes.admin.deeds import admin_key, tell_player
from server.routes.admin.guard import admin
from server.routes.tickets import IDEMPOTENCY_KEY
from server.runtime import Runtime
from server.wire.admin import ChangeScore, DeedAnswer, ScoreAnswer, Why, WriteScore, deed_answer

PATH = "/api/v1/admin/users/<user_id:str>/score"
NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("admin-scores")


@blueprint.get(PATH)
@documented(ScoreAnswer, caller="admin")
async def read(request: Request, user_id: str) -> HTTPResponse:
    """A player's score; 404 when none exists."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    player = path_user(user_id)
    return answer(await runtime.supervisor.detached("score", _read(runtime, player)), headers=NO_STORE)


async def _read(runtime: Runtime, user_id: UserId) -> ScoreAnswer:
    (found,) = await runtime.loader.read([Question(user_id)])
    state = found.state
    if state is None or state.erased:
        raise NotFound("there is no such player")
    if not has_score(state):
        raise NotFound("this player has no score")
    return ScoreAnswer(
        user_id=user_id, score=state.score, user_version=state.version, updated_at=rfc3339(state.last_at)
    )


@blueprint.post(PATH)
@documented(
    DeedAnswer, status=201, body=WriteScore, caller="admin", parameters=(IDEMPOTENCY_KEY,), refuses=("conflict",)
)
async def create(request: Request, user_id: str) -> HTTPResponse:
    """Creates a score; 409 when the player has one, be it 0."""
    session = admin(request)
    body = decode(request, WriteScore)
    return await _set(request, session, path_user(user_id), body.score, body.reason, Expected.ABSENT)


@blueprint.put(PATH)
@documented(DeedAnswer, body=WriteScore, caller="admin", parameters=(IDEMPOTENCY_KEY,), refuses=("conflict",))
async def put(request: Request, user_id: str) -> HTTPResponse:
    """Makes a score what it is told to be."""
    session = admin(request)
    body = decode(request, WriteScore)
    return await _set(request, session, path_user(user_id), body.score, body.reason, Expected.ANYTHING)


@blueprint.delete(PATH)
@documented(DeedAnswer, body=Why, caller="admin", parameters=(IDEMPOTENCY_KEY,), refuses=("conflict",))
async def delete(request: Request, user_id: str) -> HTTPResponse:
    """Makes a score 0; 404 when none exists."""
    session = admin(request)
    body = decode(request, Why)
    return await _set(request, session, path_user(user_id), 0, body.reason, Expected.PRESENT)


async def _set(
    request: Request, session: Session, user_id: UserId, score: int, reason: str, expected: Expected
) -> HTTPResponse:
    runtime: Runtime = request.app.ctx.runtime
    key = admin_key(request, session, request.method, user_id, str(score), reason)
    command = SetScore(runtime.new_entry(), score, expected, reason, session.user_id, key)
    outcome = await tell_player(runtime, user_id, command)
    return answer(deed_answer(outcome), 201 if expected is Expected.ABSENT else 200, NO_STORE)


@blueprint.patch(PATH)
@documented(DeedAnswer, body=ChangeScore, caller="admin", parameters=(IDEMPOTENCY_KEY,), refuses=("conflict",))
async def patch(request: Request, user_id: str) -> HTTPResponse:
    """Moves a score by a signed number of points."""
    session = admin(request)
    body = decode(request, ChangeScore)
    player = path_user(user_id)
    runtime: Runtime = request.app.ctx.runtime
    key = admin_key(request, session, request.method, player, str(body.change), body.reason)
    command = AdjustScore(runtime.new_entry(), body.change, body.reason, session.user_id, key)
    return answer(deed_answer(await tell_player(runtime, player, command)), headers=NO_STORE)
