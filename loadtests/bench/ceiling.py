"""The ceiling: checks a redemption as Laurel does, and answers without keeping anything."""

import os
import sys

from sanic import HTTPResponse, Request, Sanic
from sanic.config import Config

from loadtests.bench.checks import Checks, Refused
from server.bodies import answer
from server.garbage import collect_seldom, keep_all
from server.settings import Settings

PATH = "/api/v1/tickets/redeem"
POINTS = 10


def make_app(settings: Settings) -> Sanic:  # type: ignore[type-arg]
    """The server: the same framework, no state."""
    app = bare_app("ceiling")
    checks = Checks(settings)

    async def redeem(request: Request) -> HTTPResponse:
        try:
            ticket = checks.ticket_of(request)
        except Refused:
            return answer({"success": False}, 403)
        return answer(
            {
                "success": True,
                "replayed": False,
                "ticketId": ticket.ticket_id,
                "actionId": ticket.action_id,
                "change": POINTS,
                "newScore": POINTS,
                "leaderboardPosition": 1,
                "userVersion": 1,
            }
        )

    app.add_route(redeem, PATH, methods=["POST"])
    return app


def bare_app(name: str) -> Sanic:  # type: ignore[type-arg]
    """Sanic configured as a pod of Laurel has it."""
    config = Config(env_prefix=None)
    config.update({"ACCESS_LOG": False, "AUTO_EXTEND": False, "INSPECTOR": False, "MOTD": False})
    return Sanic(name, config=config, configure_logging=False)


def main() -> None:
    """Serves on the port named first, with Laurel's own settings from the environment."""
    app = make_app(Settings.from_mapping(os.environ))
    collect_seldom()
    keep_all()
    app.run(host="127.0.0.1", port=int(sys.argv[1]), single_process=True, backlog=1_024, motd=False, access_log=False)


if __name__ == "__main__":
    main()
