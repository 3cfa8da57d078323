"""One pod: one process, one event loop, one port."""

from sanic.server.protocols.websocket_protocol import WebSocketProtocol

from server.app import make_app
from server.logs import configure
from server.settings import Settings

BACKLOG = 1_024


def serve(settings: Settings) -> None:
    """Serves until told to stop by SIGTERM or SIGINT; blocks."""
    configure(settings.log_level, settings.log_format)
    make_app(settings).run(
        host=settings.host,
        port=settings.port,
        single_process=True,
        protocol=WebSocketProtocol,
        backlog=BACKLOG,
        motd=False,
        access_log=False,
    )
