"""Groups, as players see, join and leave them."""

from contextlib import suppress

from sanic import HTTPResponse, Request

from actors.errors import Unchanged
from actors.messages import JoinGroup, LeaveGroup
from models import groups
from models.ids import UserId
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless
from server.documented import documented
from server.errors import NotFound
from server.limits import limited
from server.parameters import CURSOR, LIMIT, limit_of, path_slug, query_cursor
from server.runtime import Runtime
from server.wire.people import OpenGroup, OpenGroups

MEMBERSHIP = "/api/v1/groups/<group_id:str>/members/me"

blueprint = Blueprint("groups")


@blueprint.get("/api/v1/groups")
@documented(OpenGroups, parameters=(LIMIT, CURSOR), limits=("reads",))
async def listed(request: Request) -> HTTPResponse:
    """Groups by their ids, and which of them the caller is in."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    session = runtime.tokens.required(request)
    limit, after = limit_of(request), query_cursor(request, str) or ""
    shown = await runtime.supervisor.detached("groups", _listed(runtime, session.user_id, after, limit))
    return answer(shown, headers={"Cache-Control": "no-store"})


async def _listed(runtime: Runtime, user_id: UserId, after: str, limit: int) -> OpenGroups:
    found = await groups.page(runtime.database, after, limit + 1)
    own = await groups.of_player(runtime.database, user_id)
    entries = [
        OpenGroup(group_id=group.group_id, title=group.title, member=group.group_id in own) for group in found[:limit]
    ]
    return OpenGroups(entries=entries, next=cursors.written(found[limit - 1].group_id) if len(found) > limit else None)


@blueprint.put(MEMBERSHIP)
@documented(status=204, refuses=("conflict", *UNASKED), limits=("edits",))
async def join(request: Request, group_id: str) -> HTTPResponse:
    """Joins a group: entries from now on count for it."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "edits", session.user_id)
    bodiless(request)
    joining = _join(runtime, session.user_id, path_slug(group_id, "group"))
    await runtime.supervisor.detached("join", joining)
    return HTTPResponse(status=204)


async def _join(runtime: Runtime, user_id: UserId, group_id: str) -> None:
    if await groups.find(runtime.database, group_id) is None:
        raise NotFound("there is no such group")
    with suppress(Unchanged):
        await runtime.tell(user_id, JoinGroup(runtime.new_entry(), group_id, user_id))


@blueprint.delete(MEMBERSHIP)
@documented(status=204, refuses=UNASKED, limits=("edits",))
async def leave(request: Request, group_id: str) -> HTTPResponse:
    """Leaves a group: what counted for it stays."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "edits", session.user_id)
    bodiless(request)
    leaving = _leave(runtime, session.user_id, path_slug(group_id, "group"))
    await runtime.supervisor.detached("leave", leaving)
    return HTTPResponse(status=204)


async def _leave(runtime: Runtime, user_id: UserId, group_id: str) -> None:
    try:
        await runtime.tell(user_id, LeaveGroup(runtime.new_entry(), group_id, user_id))
    except Unchanged:
        if await groups.find(runtime.database, group_id) is None:
            raise NotFound("there is no such group") from None
