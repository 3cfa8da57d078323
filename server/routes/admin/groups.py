"""Groups, made and closed by administrators."""

from sanic import HTTPResponse, Request

from models import groups
from models.groups import Group
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import Conflict, NotFound
from server.parameters import CURSOR, LIMIT, limit_of, path_slug, query_cursor
from server.routes.admin.guard import admin
from server.runtime import Runtime
from server.wire.catalogue import AdminGroupsAnswer, GroupAnswer, GroupTitle, NewGroup, group_answer

NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("admin-groups")


@blueprint.get("/api/v1/admin/groups")
@documented(AdminGroupsAnswer, caller="admin", parameters=(LIMIT, CURSOR))
async def listed(request: Request) -> HTTPResponse:
    """Groups by their ids."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    limit, after = limit_of(request), query_cursor(request, str) or ""
    found = await runtime.supervisor.detached("groups", groups.page(runtime.database, after, limit + 1))
    following = cursors.written(found[limit - 1].group_id) if len(found) > limit else None
    shown = AdminGroupsAnswer(entries=[group_answer(group) for group in found[:limit]], next=following)
    return answer(shown, headers=NO_STORE)


@blueprint.post("/api/v1/admin/groups")
@documented(GroupAnswer, status=201, body=NewGroup, caller="admin", refuses=("conflict",))
async def create(request: Request) -> HTTPResponse:
    """Makes a group; 409 when the id is taken, also by one that is being emptied."""
    admin(request)
    body = decode(request, NewGroup)
    runtime: Runtime = request.app.ctx.runtime
    group = Group(body.group_id, body.title)
    if not await runtime.supervisor.detached("group", groups.create(runtime.database, group)):
        raise Conflict("this id is taken")
    return answer(group_answer(group), 201, NO_STORE)


@blueprint.get("/api/v1/admin/groups/<group_id:str>")
@documented(GroupAnswer, caller="admin")
async def one(request: Request, group_id: str) -> HTTPResponse:
    """One group."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    reading = groups.find(runtime.database, path_slug(group_id, "group"))
    found = await runtime.supervisor.detached("group", reading)
    if found is None:
        raise NotFound("there is no such group")
    return answer(group_answer(found), headers=NO_STORE)


@blueprint.put("/api/v1/admin/groups/<group_id:str>")
@documented(GroupAnswer, body=GroupTitle, caller="admin")
async def rename(request: Request, group_id: str) -> HTTPResponse:
    """Gives a group another title."""
    return await _rename(request, group_id)


@blueprint.patch("/api/v1/admin/groups/<group_id:str>")
@documented(GroupAnswer, body=GroupTitle, caller="admin")
async def change(request: Request, group_id: str) -> HTTPResponse:
    """Gives a group another title: it has nothing else to change."""
    return await _rename(request, group_id)


async def _rename(request: Request, group_id: str) -> HTTPResponse:
    admin(request)
    body = decode(request, GroupTitle)
    runtime: Runtime = request.app.ctx.runtime
    group = Group(path_slug(group_id, "group"), body.title)
    if not await runtime.supervisor.detached("group", groups.rename(runtime.database, group)):
        raise NotFound("there is no such group")
    return answer(group_answer(group), headers=NO_STORE)


@blueprint.delete("/api/v1/admin/groups/<group_id:str>")
@documented(status=204, caller="admin", refuses=UNASKED)
async def delete(request: Request, group_id: str) -> HTTPResponse:
    """Closes a group; its members are moved out soon after, and then its id is free again."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    bodiless(request)
    closing = groups.close(runtime.database, path_slug(group_id, "group"))
    if not await runtime.supervisor.detached("group", closing):
        raise NotFound("there is no such group")
    return HTTPResponse(status=204)
