"""The catalogue, changed by administrators: other rules are a new revision, heard of by every pod."""

import msgspec
from msgspec import UNSET
from sanic import HTTPResponse, Request

from models import catalogue
from models.catalogue import Action, Revised
from models.errors import CatalogueInvalid
from models.ids import ActionId
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import Conflict
from server.parameters import CURSOR, LIMIT, limit_of, path_slug, query_cursor
from server.routes.admin.guard import admin
from server.runtime import Runtime
from server.wire.catalogue import (
    ActionRules,
    AdminActionAnswer,
    AdminActionsAnswer,
    ChangedRules,
    NewAction,
    admin_action_answer,
)
from tickets.errors import ActionUnknown

TRIES = 5
"""How often a change is made anew when another one came first."""
NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("admin-actions")


@blueprint.get("/api/v1/admin/actions")
@documented(AdminActionsAnswer, caller="admin", parameters=(LIMIT, CURSOR))
async def listed(request: Request) -> HTTPResponse:
    """Actions by their ids, disabled ones too."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    limit, after = limit_of(request), query_cursor(request, str) or ""
    found = await runtime.supervisor.detached("actions", catalogue.load(runtime.database))
    behind = sorted(name for name in found.present if name > after)
    following = cursors.written(behind[limit - 1]) if len(behind) > limit else None
    entries = [admin_action_answer(found.present[name]) for name in behind[:limit]]
    return answer(AdminActionsAnswer(entries=entries, next=following), headers=NO_STORE)


@blueprint.post("/api/v1/admin/actions")
@documented(AdminActionAnswer, status=201, body=NewAction, caller="admin", refuses=("conflict",))
async def create(request: Request) -> HTTPResponse:
    """Adds an action; 409 when there is one of this id."""
    admin(request)
    body = decode(request, NewAction)
    runtime: Runtime = request.app.ctx.runtime
    action = Action(**{name: getattr(body, name) for name in Action.__struct_fields__})
    return await runtime.supervisor.detached("action", _create(runtime, action))


async def _create(runtime: Runtime, action: Action) -> HTTPResponse:
    if not await catalogue.create(runtime.database, action):
        raise Conflict("there is an action of this id")
    await runtime.definitions.refresh()
    return answer(admin_action_answer(Revised(action, 1)), 201, NO_STORE)


@blueprint.get("/api/v1/admin/actions/<action_id:str>")
@documented(AdminActionAnswer, caller="admin", refuses=("action_unknown",))
async def one(request: Request, action_id: str) -> HTTPResponse:
    """One action."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    reading = _present(runtime, path_slug(action_id, "action"))
    return answer(admin_action_answer(await runtime.supervisor.detached("action", reading)), headers=NO_STORE)


@blueprint.put("/api/v1/admin/actions/<action_id:str>")
@documented(AdminActionAnswer, body=ActionRules, caller="admin", refuses=("action_unknown", "conflict"))
async def replace(request: Request, action_id: str) -> HTTPResponse:
    """Gives an action all its rules anew; what is left out is the default."""
    admin(request)
    rules = msgspec.structs.asdict(decode(request, ActionRules))
    return await _revise(request, action_id, rules)


@blueprint.patch("/api/v1/admin/actions/<action_id:str>")
@documented(AdminActionAnswer, body=ChangedRules, caller="admin", refuses=("action_unknown", "conflict"))
async def change(request: Request, action_id: str) -> HTTPResponse:
    """Changes some rules of an action; 409 when they do not go with the others."""
    admin(request)
    body = decode(request, ChangedRules)
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    try:
        return await _revise(request, action_id, given)
    except CatalogueInvalid as error:
        if body.title is not UNSET and not body.title.isprintable():
            raise
        # Each is right by itself: it does not go with the rules that the action has, or with another one given.
        raise Conflict(str(error)) from error


@blueprint.delete("/api/v1/admin/actions/<action_id:str>")
@documented(status=204, caller="admin", refuses=("action_unknown", "conflict", *UNASKED))
async def disable(request: Request, action_id: str) -> HTTPResponse:
    """Disables an action: its tickets are refused, its past stays."""
    admin(request)
    bodiless(request)
    await _revise(request, action_id, {"enabled": False})
    return HTTPResponse(status=204)


async def _revise(request: Request, action_id: str, rules: dict[str, object]) -> HTTPResponse:
    runtime: Runtime = request.app.ctx.runtime
    revising = _revised(runtime, path_slug(action_id, "action"), rules)
    return answer(admin_action_answer(await runtime.supervisor.detached("action", revising)), headers=NO_STORE)


async def _revised(runtime: Runtime, action_id: str, rules: dict[str, object]) -> Revised:
    for _ in range(TRIES):
        present = await _present(runtime, action_id)
        action = msgspec.structs.replace(present.action, **rules)
        if await catalogue.revise(runtime.database, action, present.revision):
            await runtime.definitions.refresh()
            return await _present(runtime, action_id)
    raise Conflict("others are changing this action")


async def _present(runtime: Runtime, action_id: str) -> Revised:
    found = (await catalogue.load(runtime.database)).find(ActionId(action_id))
    if found is None:
        raise ActionUnknown(actionId=action_id)
    return found
