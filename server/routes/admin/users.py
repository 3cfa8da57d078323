"""Players, looked through and banned by administrators."""

from contextlib import suppress
from typing import Annotated, Literal

from msgspec import Meta
from sanic import HTTPResponse, Request

from actors.errors import Unchanged
from actors.messages import BanPlayer, UnbanPlayer
from models import members
from models.entry import FOREVER_MS
from models.ids import UserId
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import Parameter, documented
from server.errors import Conflict, InvalidRequest, NotFound
from server.parameters import CURSOR, LIMIT, limit_of, moment_ms, path_user, query_cursor, query_flag
from server.routes.admin.deeds import admin_key, tell_player
from server.routes.admin.guard import admin
from server.routes.tickets import IDEMPOTENCY_KEY
from server.runtime import Runtime
from server.wire.admin import Ban, BanAnswer, MemberAnswer, MembersAnswer, ban_answer, member_answer
from server.wire.fields import TEXT

MAX_NAME = 64
NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("admin-users")


@blueprint.get("/api/v1/admin/users")
@documented(
    MembersAnswer,
    caller="admin",
    parameters=(
        Parameter("name", Annotated[str, Meta(max_length=MAX_NAME, pattern=TEXT)], "How the name begins."),
        Parameter("banned", Literal["true", "false"], "Only those who are banned, or only those who are not."),
        LIMIT,
        CURSOR,
    ),
)
async def listed(request: Request) -> HTTPResponse:
    """Players by name, `name` being how it begins; `banned` true only those, false only the others."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    prefix = request.args.get("name", "")
    after = query_cursor(request, str) or ""
    if len(prefix) > MAX_NAME or "\x00" in prefix + after:
        raise InvalidRequest(f"name must be the beginning of a name, {MAX_NAME} characters at most")
    limit, banned = limit_of(request), query_flag(request, "banned")
    reading = members.page(runtime.database, prefix, after, limit + 1, banned=banned)
    found = await runtime.supervisor.detached("users", reading)
    following = cursors.written(found[limit - 1].key) if len(found) > limit else None
    shown = MembersAnswer(entries=[member_answer(member) for member in found[:limit]], next=following)
    return answer(shown, headers=NO_STORE)


@blueprint.get("/api/v1/admin/users/<user_id:str>")
@documented(MemberAnswer, caller="admin")
async def one(request: Request, user_id: str) -> HTTPResponse:
    """One player."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    player = path_user(user_id)
    return answer(await runtime.supervisor.detached("user", _one(runtime, player)), headers=NO_STORE)


async def _one(runtime: Runtime, user_id: UserId) -> MemberAnswer:
    member = await members.by_id(runtime.database, user_id)
    if member is None:
        raise NotFound("there is no such player")
    return member_answer(member)


@blueprint.put("/api/v1/admin/users/<user_id:str>/ban")
@documented(BanAnswer, body=Ban, caller="admin", parameters=(IDEMPOTENCY_KEY,), refuses=("conflict",))
async def ban(request: Request, user_id: str) -> HTTPResponse:
    """Hides a player from boards and refuses their tickets, on every pod; reading stays."""
    session = admin(request)
    body = decode(request, Ban)
    player = path_user(user_id)
    runtime: Runtime = request.app.ctx.runtime
    until = FOREVER_MS if body.until is None else min(moment_ms(body.until), FOREVER_MS)
    key = admin_key(request, session, request.method, player, str(until), body.reason)
    command = BanPlayer(runtime.new_entry(), until, body.reason, session.user_id, key)
    try:
        outcome = await tell_player(runtime, player, command)
    except Unchanged as error:
        raise Conflict("this ban would have ended already") from error
    return answer(ban_answer(outcome), headers=NO_STORE)


@blueprint.delete("/api/v1/admin/users/<user_id:str>/ban")
@documented(status=204, caller="admin", refuses=UNASKED)
async def unban(request: Request, user_id: str) -> HTTPResponse:
    """Takes a ban back; the rank returns. One who is not banned stays so."""
    session = admin(request)
    bodiless(request)
    player = path_user(user_id)
    runtime: Runtime = request.app.ctx.runtime
    with suppress(Unchanged):
        await tell_player(runtime, player, UnbanPlayer(runtime.new_entry(), session.user_id))
    return HTTPResponse(status=204)
