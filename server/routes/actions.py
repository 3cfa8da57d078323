"""The catalogue as clients see it."""

from sanic import HTTPResponse, Request

from server.blueprints import Blueprint
from server.bodies import answer
from server.documented import documented
from server.limits import limited
from server.runtime import Runtime
from server.wire.catalogue import ActionsAnswer, action_answer

blueprint = Blueprint("actions")


@blueprint.get("/api/v1/actions")
@documented(ActionsAnswer, caller="anyone", limits=("reads",))
async def actions(request: Request) -> HTTPResponse:
    """The enabled actions and their rules."""
    runtime: Runtime = request.app.ctx.runtime
    await limited(request, "reads")
    runtime.tokens.optional(request)
    present = runtime.definitions.catalogue.present.values()
    shown = [action_answer(revised.action) for revised in present if revised.action.enabled]
    return answer(ActionsAnswer(actions=shown), headers={"Cache-Control": "no-cache"})
