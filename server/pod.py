"""One pod: one process, one event loop, one port."""

import os

from server.app import make_app
from server.garbage import keep_all
from server.inbound import LiveProtocol
from server.journal import with_pod, with_request
from server.key_watch import Reread
from server.logs import configure
from server.runtime import pod_name
from server.settings import Settings

BACKLOG = 1_024


def serve(settings: Settings, reread: Reread | None = None) -> None:
    """Serves until told to stop by SIGTERM or SIGINT; blocks. `reread` reads the settings anew."""
    configure(settings.log_level, settings.log_format, [with_pod(pod_name(settings)), with_request])
    os.environ["SANIC_IGNORE_PRODUCTION_WARNING"] = "1"  # a terminal would get it at each start
    app = make_app(settings, reread)
    keep_all()
    app.run(
        host=settings.host,
        port=settings.port,
        single_process=True,
        protocol=LiveProtocol,
        backlog=BACKLOG,
        motd=False,
        access_log=False,
    )
