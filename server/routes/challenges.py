"""Challenges for actions that ask for a proof of work."""

import msgspec
from sanic import HTTPResponse, Request

from models.ids import is_slug
from server.blueprints import Blueprint
from server.bodies import answer
from server.documented import Parameter, documented
from server.errors import Conflict, InvalidRequest
from server.limits import limited
from server.routes.tickets import enabled_action, refuse_banned
from server.runtime import Runtime
from server.wire.challenges import ChallengeAnswer
from server.wire.fields import Slug

blueprint = Blueprint("challenges")


@blueprint.get("/api/v1/challenges")
@documented(
    ChallengeAnswer,
    parameters=(Parameter("actionId", Slug, "The action to be started.", required=True, example="vault"),),
    refuses=("action_unknown", "action_disabled", "conflict", "player_banned"),
    limits=("challenges",),
)
async def challenge(request: Request) -> HTTPResponse:
    """An ALTCHA challenge for the caller and an action."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "challenges", session.user_id)
    action_id = request.args.get("actionId", "")
    if not is_slug(action_id):
        raise InvalidRequest("actionId must be a slug")
    action = enabled_action(runtime, action_id).action
    refuse_banned(runtime, session.user_id)
    if action.proof == "none":
        raise Conflict("this action asks for no proof", actionId=action_id)
    made = runtime.proofs.challenge(session.user_id, action.action_id)
    shown = msgspec.convert(made.to_dict(), ChallengeAnswer)
    return answer(shown, headers={"Cache-Control": "no-store"})
