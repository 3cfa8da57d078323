"""Players: start, wait, redeem, repeat; in bursts, with pauses, coming and going."""

import random
import time
from typing import Any

import gevent
from gevent.pool import Group
from locust import task

from loadtests.load.person import OK, GaveUp, Person, think

LONGEST_ACTION_SECONDS = 20
STAY = (4, 16)
"""Rounds in one go."""
REST_SECONDS, BURST_REST_SECONDS, AWAY_SECONDS = 1.5, 0.3, 4.0
BURST_SHARE = 0.3
AGAIN_SHARE = 0.06
"""Sends a redeemed ticket once more, as a browser's back button does."""
TWICE_SHARE = 0.04
"""Sends the same ticket twice at once: a double click."""
FALLBACK_PAUSE_SECONDS = 600.0
STATE_SAYS_NO = ("cooldown", "daily_limit", "ticket_overlaps")


class Player(Person):
    """Plays the catalogue's shorter actions."""

    weight = 60

    def on_start(self) -> None:
        self.enter()
        self._not_before: dict[str, float] = {}
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
        allowed = [a for a in self._actions if self._not_before.get(a["actionId"], 0) <= now]
        weights = [6 / (2 + a["minSeconds"]) for a in allowed]
        return random.choices(allowed, weights)[0] if allowed else None

    def _round(self, action: dict[str, Any]) -> None:
        action_id, cooldown = action["actionId"], float(action["cooldownSeconds"])
        if action["ticket"] == "instant":
            reply = self.act(action_id)
        else:
            ticket = self.issue(action_id, ("action_disabled", "player_banned"))
            if ticket is None:
                self._put_off(action_id, FALLBACK_PAUSE_SECONDS)
                return
            gevent.sleep(action["minSeconds"])
            think(0.4, least=0.05)
            reply = self._hand_in(ticket)
        if reply.status != OK:
            self.measures.fire(f"conflict: {reply.code}", 0)
            cooldown = float(reply.body.get("waitMs", FALLBACK_PAUSE_SECONDS * 1000)) / 1000
        self._put_off(action_id, cooldown)

    def _put_off(self, action_id: str, seconds: float) -> None:
        self._not_before[action_id] = time.monotonic() + seconds

    def _hand_in(self, ticket: dict[str, Any]):  # type: ignore[no-untyped-def]
        dice = random.random()
        if dice < TWICE_SHARE:
            clicks = Group()
            try:
                both = [clicks.spawn(self.redeem, ticket, "redeem", STATE_SAYS_NO) for _ in range(2)]
                clicks.join()
            finally:
                clicks.kill()
            for click in both:
                if click.exception is not None:
                    raise GaveUp(str(click.exception))
            return both[0].value
        reply = self.redeem(ticket, "redeem", STATE_SAYS_NO)
        if reply.status == OK and dice > 1 - AGAIN_SHARE:
            think(0.5)
            self.redeem(ticket, "redeem again")
        return reply
