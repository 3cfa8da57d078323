"""Keys of servers that may give awards: made, shown, changed, revoked."""

import secrets
from collections.abc import Sequence

from msgspec import UNSET
from sanic import HTTPResponse, Request

from models import api_keys
from models.api_keys import ApiKey
from models.ids import ActionId, UserId, is_uuid, uuid7
from server import cursors
from server.blueprints import Blueprint
from server.bodies import UNASKED, answer, bodiless, decode
from server.documented import documented
from server.errors import InvalidRequest, NotFound
from server.parameters import CURSOR, LIMIT, limit_of, query_cursor
from server.routes.admin.guard import admin
from server.runtime import Runtime
from server.wire.awards import (
    ApiKeyAnswer,
    ApiKeysAnswer,
    ChangeApiKey,
    CreateApiKey,
    NewApiKeyAnswer,
    api_key_answer,
    api_key_fields,
)
from tickets.errors import ActionUnknown

PREFIX = "lk_"
"""Lets people and scanners of leaked secrets know what they see."""
SECRET_BYTES = 32
NO_STORE = {"Cache-Control": "no-store"}

blueprint = Blueprint("api-keys")


@blueprint.post("/api/v1/admin/api-keys")
@documented(NewApiKeyAnswer, status=201, body=CreateApiKey, caller="admin", refuses=("action_unknown",))
async def create(request: Request) -> HTTPResponse:
    """Makes a key; its secret is in this answer and nowhere else."""
    session = admin(request)
    runtime: Runtime = request.app.ctx.runtime
    body = decode(request, CreateApiKey)
    actions = _known(runtime, body.actions)
    key_id = uuid7(runtime.clock.now_ms())
    new = ApiKey(key_id, body.client_id, body.title or body.client_id, actions, 0, None)
    return await runtime.supervisor.detached("api-key", _create(runtime, new, session.user_id))


async def _create(runtime: Runtime, new: ApiKey, by: UserId) -> HTTPResponse:
    secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    kept = await api_keys.create(runtime.database, new, secret, by)
    return answer(NewApiKeyAnswer(**api_key_fields(kept), api_key=secret), 201, NO_STORE)


@blueprint.get("/api/v1/admin/api-keys")
@documented(ApiKeysAnswer, caller="admin", parameters=(LIMIT, CURSOR))
async def listed(request: Request) -> HTTPResponse:
    """Keys without their secrets, newest first, revoked ones too."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    limit, behind = limit_of(request), query_cursor(request, str)
    if behind is not None and not is_uuid(behind):
        raise InvalidRequest("this cursor is not one of ours")
    found = await runtime.supervisor.detached("api-keys", api_keys.page(runtime.database, behind, limit + 1))
    shown, more = found[:limit], len(found) > limit
    following = cursors.written(shown[-1].key_id) if more else None
    return answer(ApiKeysAnswer(entries=[api_key_answer(key) for key in shown], next=following), headers=NO_STORE)


@blueprint.get("/api/v1/admin/api-keys/<key_id:str>")
@documented(ApiKeyAnswer, caller="admin")
async def one(request: Request, key_id: str) -> HTTPResponse:
    """A key without its secret."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    found = await runtime.supervisor.detached("api-key", api_keys.by_id(runtime.database, _id(key_id)))
    return _shown(found)


@blueprint.patch("/api/v1/admin/api-keys/<key_id:str>")
@documented(ApiKeyAnswer, body=ChangeApiKey, caller="admin", refuses=("action_unknown",))
async def change(request: Request, key_id: str) -> HTTPResponse:
    """Gives a key another title or other actions, at once and on every pod."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    body = decode(request, ChangeApiKey)
    title = None if body.title is UNSET else body.title
    actions = None if body.actions is UNSET else _known(runtime, body.actions)
    changing = api_keys.change(runtime.database, _id(key_id), title, actions)
    return _shown(await runtime.supervisor.detached("api-key", changing))


@blueprint.delete("/api/v1/admin/api-keys/<key_id:str>")
@documented(status=204, caller="admin", refuses=UNASKED)
async def revoke(request: Request, key_id: str) -> HTTPResponse:
    """Revokes a key for good, at once and on every pod."""
    admin(request)
    runtime: Runtime = request.app.ctx.runtime
    bodiless(request)
    if not await runtime.supervisor.detached("api-key", api_keys.revoke(runtime.database, _id(key_id))):
        raise NotFound("there is no such key")
    return HTTPResponse(status=204)


def _shown(found: ApiKey | None) -> HTTPResponse:
    if found is None:
        raise NotFound("there is no such key")
    return answer(api_key_answer(found), headers=NO_STORE)


def _known(runtime: Runtime, actions: Sequence[str]) -> tuple[ActionId, ...]:
    """The actions, each once; raises ActionUnknown."""
    for action_id in actions:
        if runtime.definitions.catalogue.find(action_id) is None:
            raise ActionUnknown(actionId=action_id)
    return tuple(dict.fromkeys(map(ActionId, actions)))


def _id(text: str) -> str:
    if not is_uuid(text.lower()):
        raise NotFound("there is no such key")
    return text.lower()
