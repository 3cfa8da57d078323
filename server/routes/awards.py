"""Awards: points given by another server."""

from dataclasses import replace

from sanic import HTTPResponse, Request

from actors.messages import Award
from models.api_keys import ApiKey
from models.ids import EntryId, UserId, uuid7
from server.blueprints import Blueprint
from server.bodies import answer, decode
from server.documented import documented
from server.errors import Forbidden, InvalidRequest, TokenInvalid, TokenMissing
from server.limits import limited
from server.routes.admin.deeds import tell_player
from server.routes.tickets import IDEMPOTENCY_KEY, idempotency_key
from server.runtime import Runtime
from server.wire.awards import GiveAward
from server.wire.tickets import RedeemAnswer, redeem_answer
from tickets.errors import ActionUnknown

blueprint = Blueprint("awards")


@blueprint.post("/api/v1/awards")
@documented(
    RedeemAnswer,
    body=GiveAward,
    caller="server",
    parameters=(replace(IDEMPOTENCY_KEY, required=True),),
    refuses=("forbidden", "player_banned", "not_found", "action_unknown", "action_disabled", "conflict"),
    limits=("api-key", "awards"),
)
async def award(request: Request) -> HTTPResponse:
    """Gives a player points for an action; the same `Idempotency-Key` again gets the recorded result."""
    runtime: Runtime = request.app.ctx.runtime
    secret = request.headers.get("x-api-key")
    if secret is None:
        raise TokenMissing("send X-API-Key")
    if not runtime.api_callers.knows(secret):
        await limited(request, "api-key")  # before it is looked up, so that beyond the limit no guess is right
    key = await runtime.api_callers.find(secret)
    if key is None:
        raise TokenInvalid("the API key is not valid")
    await limited(request, "awards", key.client_id)
    body = decode(request, GiveAward)
    command = _command(runtime, key, body, request.headers.get("idempotency-key"))
    return answer(redeem_answer(await tell_player(runtime, UserId(body.user_id.lower()), command)))


def _command(runtime: Runtime, caller: ApiKey, body: GiveAward, idempotency: str | None) -> Award:
    revised = runtime.definitions.catalogue.find(body.action_id)
    if revised is None:
        raise ActionUnknown(actionId=body.action_id)
    action = revised.action
    if action.action_id not in caller.actions:
        raise Forbidden("this key may not give awards for this action", actionId=action.action_id)
    # The scope is the client, not its key: a repetition with a newer key is a repetition still.
    points = "" if body.points is None else str(body.points)
    asked = (body.user_id.lower(), body.action_id, points, body.reason)
    key = idempotency_key(f"award:{caller.client_id}", idempotency, *asked)
    if key is None:
        raise InvalidRequest("send an Idempotency-Key")
    return Award(
        entry_id=EntryId(uuid7(runtime.clock.now_ms())),
        action=revised,
        points=action.points if body.points is None else body.points,
        reason=body.reason,
        caller=f"client:{caller.client_id}",
        key=key,
    )
