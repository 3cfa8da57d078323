"""Whether this pod lives and is ready, and its numbers."""

from sanic import HTTPResponse, Request

from server.blueprints import Blueprint
from server.bodies import answer
from server.documented import documented
from server.metrics import CONTENT_TYPE, Metrics
from server.runtime import Runtime
from server.wire.probes import Health, Readiness

blueprint = Blueprint("probes")


@blueprint.get("/healthz")
@documented(Health, caller="none")
async def healthz(request: Request) -> HTTPResponse:
    """Says that the loop turns."""
    del request
    return answer(Health(status="ok"))


@blueprint.get("/readyz")
@documented(Readiness, caller="none", also={503: "Not ready: `missing` says what is lacking."})
async def readyz(request: Request) -> HTTPResponse:
    """Says whether this pod is ready, what is missing, and what is degraded by a shared outage."""
    runtime: Runtime = request.app.ctx.runtime
    missing = runtime.missing()
    outages = {"database": runtime.notices.deaf, "redis": runtime.ordering.away}
    degraded = [name for name, away in outages.items() if away]
    shown = Readiness(ready=not missing, missing=missing, degraded=degraded)
    return answer(shown, 503, {"Retry-After": "1"}) if missing else answer(shown)


@blueprint.get("/metrics")
@documented(str, caller="none", media_type=CONTENT_TYPE)
async def metrics(request: Request) -> HTTPResponse:
    """This pod's numbers for Prometheus; the proxy keeps them from the world."""
    found: Metrics = request.app.ctx.metrics
    return HTTPResponse(found.page(), content_type=CONTENT_TYPE)
