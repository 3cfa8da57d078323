"""An administrator: looks at players and the ledger, and moves a score now and then."""

import logging
import random
from contextlib import suppress
from uuid import uuid4

import gevent
from locust import task

from loadtests.load.person import OK, GaveUp, Person, think
from loadtests.load.told import ADJUST, Asked

log = logging.getLogger("laurel.load")

NOT_FOUND, FORBIDDEN = 404, 403
PAUSE_SECONDS = 2.0
FOR_GOOD_SECONDS = 1e6


class Administrator(Person):
    """One in a run; without an admin's token, or where the server has no such routes, there is none."""

    fixed_count = 1

    def enter(self) -> None:
        self.account = self.ground.admins.take()

    def on_stop(self) -> None:
        if self.account is not None:
            self.ground.admins.give_back(self.account)

    def on_start(self) -> None:
        self.enter()
        if self.account is None:
            self._stand_aside("there is no token of an administrator")
            return
        try:
            reply = self.ask("GET", "/api/v1/admin/users", "admin users", expected=(NOT_FOUND, FORBIDDEN))
        except GaveUp:
            self._stand_aside("the administrators' routes do not answer")
            return
        if reply.status != OK:
            self._stand_aside(f"the administrators' routes answer {reply.status}")

    def _stand_aside(self, why: str) -> None:
        """Stays without doing anything: locust would send another one for who leaves."""
        log.warning("No administrators in this run: %s", why)
        gevent.sleep(FOR_GOOD_SECONDS)

    @task(3)
    def players(self) -> None:
        self._look("/api/v1/admin/users?limit=20", "admin users")

    @task(3)
    def ledger(self) -> None:
        self._look("/api/v1/admin/ledger?limit=20", "admin ledger")

    @task(1)
    def move(self) -> None:
        """One point and back is not attempted: each move is one entry of the ledger, for good."""
        if self.ground.players:
            asked = Asked(random.choice(tuple(self.ground.players)), 1, key=uuid4().hex, kind=ADJUST)
            path = f"/api/v1/admin/users/{asked.user_id}/score"
            body = {"change": asked.points, "reason": "load test"}
            with suppress(GaveUp):
                self.told(asked, "PATCH", path, "admin move", body)
        think(PAUSE_SECONDS)

    def _look(self, path: str, name: str) -> None:
        with suppress(GaveUp):
            self.ask("GET", path, name)
        think(PAUSE_SECONDS)
