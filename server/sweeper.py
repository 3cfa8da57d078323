"""Looks after every audience, and at how late the loop lets it."""

import asyncio
import time

from actors.beat import until_beat
from actors.supervisor import Supervisor
from server.tallies import Tallies
from server.views import Views

INTERVAL_SECONDS = 0.25


class Sweeper:
    """Four times a second it catches up viewers that have drained, and cuts off those that have stalled."""

    def __init__(self, views: Views, tallies: Tallies) -> None:
        self._views = views
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
