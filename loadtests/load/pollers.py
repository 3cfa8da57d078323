"""Pollers: read boards over and over, with the ETag they have."""

import random

from locust import task

from loadtests.load.person import OK, GaveUp, Person, think

NOT_MODIFIED = 304
NOT_FOUND = 404
PAUSE_SECONDS = 1.0


class Poller(Person):
    """A page without sockets."""

    weight = 8

    def on_start(self) -> None:
        self._tags: dict[str, str] = {}
        self._users: list[str] = []

    @task(8)
    def top(self) -> None:
        path = f"/api/v1/boards/global/top?limit={random.choice((10, 10, 10, 100))}"
        tag = self._tags.get(path)
        headers = {"If-None-Match": tag} if tag else {}
        try:
            reply = self.ask("GET", path, "read top", signed=False, headers=headers)
        except GaveUp:
            return
        if reply.status == OK:
            scores = [entry["score"] for entry in reply.body["entries"]]
            self._expect("a top out of order", scores == sorted(scores, reverse=True))
            self._expect("a new answer under the old ETag", reply.headers.get("ETag") != tag)
            self._tags[path] = reply.headers.get("ETag") or ""
            self._users = [entry["userId"] for entry in reply.body["entries"]]
        else:
            self.measures.fire("read top: not modified", 0)
        think(PAUSE_SECONDS)

    @task(2)
    def neighbours(self) -> None:
        if self._users:
            path = f"/api/v1/boards/global/users/{random.choice(self._users)}"
            try:
                self.ask("GET", path, "read place", signed=False, expected=(NOT_FOUND,))
            except GaveUp:
                return
        think(PAUSE_SECONDS)

    def _expect(self, what: str, holds: bool) -> None:
        if not holds:
            self.measures.fire(f"divergence: {what}", 0, AssertionError(what))
