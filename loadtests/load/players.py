"""Players: start, wait, redeem, repeat; in bursts, with pauses, coming and going."""

import random
import time
from typing import Any

import gevent
from gevent.pool import Group
from locust import task

from loadtests.load.person import OK, GaveUp, Person, Reply, think

LONGEST_ACTION_SECONDS = 20
STAY = (4, 16)
"""Rounds in one go."""
REST_SECONDS, BURST_REST_SECONDS, AWAY_SECONDS = 1.5, 0.3, 4.0
BURST_SHARE = 0.3
AGAIN_SHARE = 0.06
"""Sends a redeemed ticket once more, as a browser's back button does."""
TWICE_SHARE = 0.04
"""Sends the same ticket twice at once: a double click."""


class Player(Person):
    """Plays the catalogue's shorter actions, at the pace it allows: whatever is refused was lost."""

    weight = 60

    def on_start(self) -> None:
        self.enter()
        reply = self.ask("GET", "/api/v1/actions", "read actions", signed=False)
        found = reply.body.get("actions", [])
        self._actions = [
            action for action in found if action["minSeconds"] <= LONGEST_ACTION_SECONDS and action["proof"] == "none"
        ]

    @task
    def stay(self) -> None:
        rest = BURST_REST_SECONDS if random.random() < BURST_SHARE else REST_SECONDS
        for _ in range(random.randint(*STAY)):
            action = self._choose()
            if action is not None:
                try:
                    self._round(action)
                except GaveUp:
                    think(REST_SECONDS)
            think(rest)
        think(AWAY_SECONDS)

    def _choose(self) -> dict[str, Any] | None:
        now = time.monotonic()
        allowed = [a for a in self._actions if self.me.pace.allows(a, now)]
        weights = [6 / (2 + a["minSeconds"]) for a in allowed]
        return random.choices(allowed, weights)[0] if allowed else None

    def _round(self, action: dict[str, Any]) -> None:
        self.me.pace.begin(action, time.monotonic())
        if action["ticket"] == "instant":
            reply = self.act(action)
        else:
            ticket = self.issue(action["actionId"], ("action_disabled", "player_banned"))
            if ticket is None:
                return
            gevent.sleep(action["minSeconds"])
            think(0.4, least=0.05)
            reply = self._hand_in(ticket)
        if reply.status == OK:
            self.me.pace.done(action, time.monotonic())

    def _hand_in(self, ticket: dict[str, Any]) -> Reply:
        dice = random.random()
        if dice < TWICE_SHARE:
            clicks = Group()
            try:
                both = [clicks.spawn(self.redeem, ticket) for _ in range(2)]
                clicks.join()
            finally:
                clicks.kill()
            for click in both:
                if click.exception is not None:
                    raise GaveUp(str(click.exception))
            return both[0].value  # type: ignore[no-any-return]
        reply = self.redeem(ticket)
        if reply.status == OK and dice > 1 - AGAIN_SHARE:
            think(0.5)
            self.redeem(ticket, "redeem again")
        return reply
