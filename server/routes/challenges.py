"""Challenges for actions that ask for a proof of work."""

from sanic import Blueprint, HTTPResponse, Request

from models.ids import is_slug
from server.bodies import answer
from server.errors import Conflict, InvalidRequest
from server.routes.tickets import enabled_action, refuse_banned
from server.runtime import Runtime

blueprint = Blueprint("challenges")


@blueprint.get("/api/v1/challenges")
async def challenge(request: Request) -> HTTPResponse:
    """An ALTCHA challenge for the caller and an action."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    action_id = request.args.get("actionId", "")
    if not is_slug(action_id):
        raise InvalidRequest("actionId must be a slug")
    action = enabled_action(runtime, action_id).action
    refuse_banned(runtime, session.user_id)
    if action.proof == "none":
        raise Conflict("this action asks for no proof", actionId=action_id)
    made = runtime.proofs.challenge(session.user_id, action.action_id)
    return answer(made, headers={"Cache-Control": "no-store"})
