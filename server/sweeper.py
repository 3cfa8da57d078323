"""Looks after every viewer, and at how late the loop lets it."""

import asyncio
import time

from actors.beat import until_beat
from actors.supervisor import Supervisor
from server.connections import Connections
from server.tallies import Tallies
from server.views import Views

INTERVAL_SECONDS = 0.5


class Sweeper:
    """Twice a second it catches up viewers that have drained, cuts off those that have stalled, and has
    connections beat."""

    def __init__(self, views: Views, connections: Connections, tallies: Tallies) -> None:
        self._views = views
        self._connections = connections
        self._tallies = tallies

    def start(self, supervisor: Supervisor) -> None:
        """Starts sweeping."""
        supervisor.keep("audiences", self._work)

    async def _work(self) -> None:
        while True:
            wait = until_beat(INTERVAL_SECONDS)
            due = time.monotonic() + wait
            await asyncio.sleep(wait)
            self._tallies.loop_lag_seconds = max(0.0, time.monotonic() - due)
            for leaderboard in self._views.all():
                leaderboard.audience.sweep(leaderboard)
            self._connections.beat()
