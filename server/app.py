"""The Sanic application: limits, routes, errors, start and stop."""

import signal
from types import SimpleNamespace
from typing import Any

from sanic import Request, Sanic
from sanic.config import Config
from sanic.response import BaseHTTPResponse

from server import openapi
from server.bodies import Asked
from server.dialects.routes import answer_error
from server.headers import complete, let_in
from server.journal import note
from server.key_watch import Reread
from server.metrics import Metrics
from server.routes import docs, page
from server.routing import BLUEPRINTS
from server.runtime import Runtime
from server.settings import Settings

MAX_FRAME_BYTES = 4_096
MAX_HEADER_BYTES = 16_384
RESPONSE_SECONDS = 20
KEEP_ALIVE_SECONDS = 75


class Context(SimpleNamespace):
    """What requests find at `app.ctx`."""

    runtime: Runtime
    metrics: Metrics
    web: dict[str, page.WebFile]
    docs: docs.Docs


def make_app(settings: Settings, reread: Reread | None = None) -> "Sanic[Config, Context]":
    """The application of one pod; nothing runs before it is served."""
    config = Config(env_prefix=None)
    config.update(
        {
            "ACCESS_LOG": False,
            "REQUEST_MAX_SIZE": settings.body_limit_bytes,
            "REQUEST_MAX_HEADER_SIZE": MAX_HEADER_BYTES,
            "REQUEST_TIMEOUT": settings.request_seconds,  # from byte to byte; the total is bounded in `server.inbound`
            "RESPONSE_TIMEOUT": RESPONSE_SECONDS,
            "KEEP_ALIVE_TIMEOUT": KEEP_ALIVE_SECONDS,
            "WEBSOCKET_MAX_SIZE": MAX_FRAME_BYTES,
            "WEBSOCKET_PING_INTERVAL": 0,  # `Connections` pings
            "GRACEFUL_SHUTDOWN_TIMEOUT": settings.grace_seconds / 4,
            "AUTO_EXTEND": False,
            "INSPECTOR": False,
            "MOTD": False,
            "TOUCHUP": True,
        }
    )
    app: Sanic[Config, Context] = Sanic(
        "laurel", config=config, ctx=Context(), request_class=Asked, configure_logging=False
    )
    for blueprint in BLUEPRINTS:
        app.blueprint(blueprint)
    app.ctx.web = page.load()
    app.ctx.docs = docs.Docs.of(openapi.document(app))
    app.error_handler.add(Exception, answer_error)
    app.register_middleware(_finish, "response")
    let_in(app, settings.origins)
    if settings.jwks_url:
        app.on_request(_admit)
    app.before_server_start(_start(settings, reread))
    app.before_server_stop(_stop)
    return app


async def _admit(request: Request) -> None:
    runtime: Runtime = request.app.ctx.runtime
    await runtime.admission.admit_caller(request)


def _finish(request: Request, response: BaseHTTPResponse) -> None:
    """One middleware for both: each further one costs an answer 2 µs."""
    note(request, response)
    complete(request, response)


def _start(settings: Settings, reread: Reread | None) -> Any:
    async def start(app: "Sanic[Config, Context]") -> None:
        app.ctx.runtime = Runtime(settings, reread)
        app.ctx.metrics = Metrics(app.ctx.runtime)
        await app.ctx.runtime.start()

    return start


async def _stop(app: "Sanic[Config, Context]") -> None:
    # A second one would begin the end anew on uvloop, which keeps Sanic's handler, and end the process elsewhere.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    await app.ctx.runtime.stop()
