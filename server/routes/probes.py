"""Whether this pod lives and is ready."""

from sanic import Blueprint, HTTPResponse, Request

from server.bodies import answer
from server.runtime import Runtime

blueprint = Blueprint("probes")


@blueprint.get("/healthz")
async def healthz(request: Request) -> HTTPResponse:
    """Says that the loop turns."""
    del request
    return answer({"status": "ok"})


@blueprint.get("/readyz")
async def readyz(request: Request) -> HTTPResponse:
    """Says whether this pod is ready, what is missing, and what is degraded by a shared outage."""
    runtime: Runtime = request.app.ctx.runtime
    missing = runtime.missing()
    outages = {"database": runtime.notices.deaf, "redis": runtime.ordering.away}
    degraded = [name for name, away in outages.items() if away]
    return answer({"ready": not missing, "missing": missing, "degraded": degraded}, 503 if missing else 200)
