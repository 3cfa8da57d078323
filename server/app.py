"""The Sanic application: limits, routes, errors, start and stop."""

from types import SimpleNamespace
from typing import Any

from sanic import Sanic
from sanic.config import Config

from server.errors import answer_error
from server.routes import accounts, actions, boards, events, live, me, page, probes, tickets
from server.routes.admin import boards as admin_boards
from server.runtime import Runtime
from server.settings import Settings

MAX_FRAME_BYTES = 4_096
MAX_HEADER_BYTES = 16_384
REQUEST_SECONDS = 15
"""An idle timer in Sanic; the total is for the proxy to bound."""
RESPONSE_SECONDS = 20
KEEP_ALIVE_SECONDS = 75
PING_SECONDS = 20


class Context(SimpleNamespace):
    """What requests find at `app.ctx`."""

    runtime: Runtime
    web: dict[str, page.WebFile]


def make_app(settings: Settings) -> "Sanic[Config, Context]":
    """The application of one pod; nothing runs before it is served."""
    config = Config(env_prefix=None)
    config.update(
        {
            "ACCESS_LOG": False,
            "REQUEST_MAX_SIZE": settings.body_limit_bytes,
            "REQUEST_MAX_HEADER_SIZE": MAX_HEADER_BYTES,
            "REQUEST_TIMEOUT": REQUEST_SECONDS,
            "RESPONSE_TIMEOUT": RESPONSE_SECONDS,
            "KEEP_ALIVE_TIMEOUT": KEEP_ALIVE_SECONDS,
            "WEBSOCKET_MAX_SIZE": MAX_FRAME_BYTES,
            "WEBSOCKET_PING_INTERVAL": PING_SECONDS,
            "WEBSOCKET_PING_TIMEOUT": PING_SECONDS,
            "GRACEFUL_SHUTDOWN_TIMEOUT": settings.grace_seconds / 4,
            "AUTO_EXTEND": False,
            "INSPECTOR": False,
            "MOTD": False,
            "TOUCHUP": True,
        }
    )
    app: Sanic[Config, Context] = Sanic("laurel", config=config, ctx=Context(), configure_logging=False)
    for module in (admin_boards, tickets, accounts, actions, boards, me, live, events, page, probes):
        app.blueprint(module.blueprint)
    app.ctx.web = page.load()
    app.error_handler.add(Exception, answer_error)
    app.before_server_start(_start(settings))
    app.before_server_stop(_stop)
    return app


def _start(settings: Settings) -> Any:
    async def start(app: "Sanic[Config, Context]") -> None:
        app.ctx.runtime = Runtime(settings)
        await app.ctx.runtime.start()

    return start


async def _stop(app: "Sanic[Config, Context]") -> None:
    await app.ctx.runtime.stop()
