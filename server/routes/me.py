"""The caller's own profile: read, edited, erased; and what the ledger has of them."""

from contextlib import suppress

import msgspec
from msgspec import UNSET
from sanic import HTTPResponse, Request

from actors.errors import PlayerUnknown, Unchanged
from actors.messages import ErasePlayer, MoveRegion
from models import ledger_pages, players
from models.ids import UserId
from models.ledger_pages import Wanted
from models.sessions import Revocation, RevokedKind
from models.snapshot import Question
from server import cursors
from server.auth import ADMIN, Session
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import TokenInvalid
from server.limits import limited
from server.parameters import CURSOR, LIMIT, limit_of
from server.routes.admin.ledger import ledger_cursor
from server.runtime import Runtime
from server.wire.accounts import user_answer
from server.wire.people import EditMe, MeAnswer, OwnPlace, OwnRecords, own_record

NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("me")


@blueprint.get("/api/v1/me")
@documented(MeAnswer, limits=("reads",))
async def me(request: Request) -> HTTPResponse:
    """Own profile, scores and ranks."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
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
        place = await runtime.reading.place(where, user_id)
        rank, score = (None, None) if place is None else (place.rank, place.row.score)
        places.append(OwnPlace(board_id=board.board_id, period=where[1], rank=rank, score=score))
    own = msgspec.structs.asdict(user_answer(identity))
    shown = MeAnswer(**own, score=found.state.score, user_version=found.state.version, boards=places)
    return answer(shown, headers=NO_STORE)


@blueprint.patch("/api/v1/me")
@documented(MeAnswer, body=EditMe, refuses=("conflict",), limits=("edits",))
async def edit(request: Request) -> HTTPResponse:
    """Changes name, avatar or region; everybody who sees them sees the new ones."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "edits", session.user_id)
    body = decode(request, EditMe)
    return await runtime.supervisor.detached("edit-me", _edit(runtime, session, body))


async def _edit(runtime: Runtime, session: Session, body: EditMe) -> HTTPResponse:
    user_id = session.user_id
    name = None if body.display_name is UNSET else body.display_name
    avatar = None if body.avatar_url is UNSET else (body.avatar_url,)
    if name is not None or avatar is not None:
        await players.update_profile(runtime.database, user_id, display_name=name, avatar=avatar)
    if body.region is not UNSET:
        with suppress(Unchanged):
            await runtime.tell(user_id, MoveRegion(runtime.new_entry(), body.region, user_id))
    return await _me(runtime, user_id, admin=session.role == ADMIN)


@blueprint.delete("/api/v1/me")
@documented(status=204, refuses=UNASKED)
async def erase(request: Request) -> HTTPResponse:
    """Erases the caller: off every board for good, nothing left that says who they were."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    bodiless(request)
    await runtime.supervisor.detached("erase", _erase(runtime, session))
    return HTTPResponse(status=204)


async def _erase(runtime: Runtime, session: Session) -> None:
    """First the entry, then the identity: what stops in between, a retry or the leftovers finish."""
    user_id = session.user_id
    try:
        await runtime.tell(user_id, ErasePlayer(runtime.new_entry(), user_id))
    except PlayerUnknown:
        if await players.by_id(runtime.database, user_id) is None:
            raise
    await players.erase(runtime.database, user_id)
    # Until the pods hear of it, this one included, within half a second.
    runtime.revocations.take([Revocation(RevokedKind.PLAYER, user_id, session.expires_at)])


@blueprint.get("/api/v1/me/history")
@documented(OwnRecords, parameters=(LIMIT, CURSOR), limits=("reads",))
async def history(request: Request) -> HTTPResponse:
    """Own entries, newest first."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    limit, after = limit_of(request), ledger_cursor(request)
    wanted = Wanted(user_id=session.user_id)
    reading = ledger_pages.page(runtime.database, wanted, runtime.clock.now_ms(), limit, after)
    page = await runtime.supervisor.detached("history", reading)
    following = None if page.following is None else cursors.written(page.following)
    shown = OwnRecords(entries=[own_record(recorded) for recorded in page.entries], next=following)
    return answer(shown, headers=NO_STORE)
