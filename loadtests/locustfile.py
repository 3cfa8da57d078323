"""Players and pollers for locust: `locust -f loadtests/locustfile.py --host URL`."""

import random
import time
from uuid import uuid4

from locust import HttpUser, between, task

PASSWORD = "correct horse battery"  # noqa: S105 — of accounts made here, for a load test
TRIES = 5
PASSING = frozenset({0, 429, 502, 503, 504})
"""What the same request may be sent again after; 0 is no answer at all."""
REPLAY_SHARE = 0.05


class PlayingUser(HttpUser):
    """Starts actions, waits as long as they take, redeems; now and then redeems again."""

    wait_time = between(0.2, 1.5)
    weight = 4

    def on_start(self) -> None:
        account = {"username": f"l{uuid4().hex[:20]}", "password": PASSWORD}
        session = self.client.post("/api/v1/auth/register", json=account).json()
        self.client.headers["Authorization"] = f"Bearer {session['accessToken']}"
        actions = self.client.get("/api/v1/actions").json()["actions"]
        self._actions = [a["actionId"] for a in actions if a["ticket"] == "required" and a["minSeconds"] == 0]

    @task
    def redeem(self) -> None:
        """One action from start to score."""
        issued = self.client.post("/api/v1/tickets", json={"actionId": random.choice(self._actions)})
        if issued.status_code != 201:
            return
        ticket = issued.json()["ticket"]
        first = self._redeem(ticket)
        if random.random() < REPLAY_SHARE and self._redeem(ticket) != first:
            raise AssertionError("a spent ticket got another result")

    def _redeem(self, ticket: str) -> tuple[str, int]:
        """The recorded result, asked for until it comes."""
        for attempt in range(TRIES):
            with self.client.post("/api/v1/tickets/redeem", json={"ticket": ticket}, catch_response=True) as answer:
                if answer.status_code in PASSING and attempt + 1 < TRIES:
                    answer.success()
                elif answer.status_code == 200:
                    found = answer.json()
                    return found["ticketId"], found["newScore"]
            time.sleep(random.uniform(0, 0.2 * 2**attempt))
        raise AssertionError("a ticket was not redeemed in the end")


class PollingUser(HttpUser):
    """Reads a board again and again, as a client does whose pushes fail."""

    wait_time = between(1, 3)
    weight = 1
    _tag = ""

    @task
    def top(self) -> None:
        """The top, when it has changed."""
        answer = self.client.get("/api/v1/boards/global/top", headers={"If-None-Match": self._tag})
        self._tag = answer.headers.get("ETag", self._tag)
