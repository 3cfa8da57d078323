"""Friends: whom the caller compares with."""

from sanic import HTTPResponse, Request

from models import friends
from models.friends import FIRST, MAX_FRIENDS
from models.ids import UserId, is_uuid
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless
from server.documented import documented
from server.errors import Conflict, InvalidRequest, NotFound, TokenInvalid
from server.limits import limited
from server.parameters import CURSOR, LIMIT, limit_of, path_user, query_cursor
from server.runtime import Runtime
from server.wire.people import FriendsAnswer, friend_answer

blueprint = Blueprint("friends")


@blueprint.put("/api/v1/me/friends/<user_id:str>")
@documented(status=204, refuses=("conflict", *UNASKED), limits=("edits",))
async def add(request: Request, user_id: str) -> HTTPResponse:
    """Adds a friend; one who is a friend already stays one."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "edits", session.user_id)
    bodiless(request)
    friend = path_user(user_id)
    if friend == session.user_id:
        raise Conflict("nobody is their own friend")
    adding = friends.add(runtime.database, session.user_id, friend)
    came = await runtime.supervisor.detached("friend", adding)
    if not came.own:
        raise TokenInvalid("the player of this token does not exist")
    if not came.known:
        raise NotFound("there is no such player")
    if not came.room:
        raise Conflict(f"there may be {MAX_FRIENDS} friends at most")
    return HTTPResponse(status=204)


@blueprint.delete("/api/v1/me/friends/<user_id:str>")
@documented(status=204, refuses=UNASKED, limits=("edits",))
async def remove(request: Request, user_id: str) -> HTTPResponse:
    """Takes a friend off the list, if on it."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "edits", session.user_id)
    bodiless(request)
    removing = friends.remove(runtime.database, session.user_id, path_user(user_id))
    if not await runtime.supervisor.detached("friend", removing):
        raise NotFound("there is no such player")
    return HTTPResponse(status=204)


@blueprint.get("/api/v1/me/friends")
@documented(FriendsAnswer, parameters=(LIMIT, CURSOR), limits=("reads",))
async def listed(request: Request) -> HTTPResponse:
    """The caller's friends by their ids."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    limit, after = limit_of(request), query_cursor(request, str) or FIRST
    if not is_uuid(after):
        raise InvalidRequest("this cursor is not one of ours")
    reading = friends.page(runtime.database, session.user_id, UserId(after), limit + 1)
    found = await runtime.supervisor.detached("friends", reading)
    following = cursors.written(found[limit - 1].profile.user_id) if len(found) > limit else None
    shown = FriendsAnswer(entries=[friend_answer(friend) for friend in found[:limit]], next=following)
    return answer(shown, headers={"Cache-Control": "no-store"})
