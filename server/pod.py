"""One pod: one process, one event loop, one port."""

from server.app import make_app
from server.inbound import LiveProtocol
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
        protocol=LiveProtocol,
        backlog=BACKLOG,
        motd=False,
        access_log=False,
    )
