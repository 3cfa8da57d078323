"""Viewers: fold what is pushed, check every frame, leave, come back to where they were."""

import random
import time
from typing import ClassVar
from urllib.parse import urlencode
from uuid import uuid4

import gevent
import msgspec
import websocket
from locust import User, task
from locust.env import Environment

from loadtests.client import LIMITED, Diverged, Top, again, backoff, fold, retry_after
from loadtests.load.measures import SAMPLED_VIEWERS, Measures
from loadtests.load.person import Ground
from loadtests.load.told import Divergence, View

STAY_SECONDS, AWAY_SECONDS = 30.0, 3.0
RECEIVE_SECONDS = 1.0
CONNECT_SECONDS = 10.0
PING = '{"type":"ping"}'
LOST = (websocket.WebSocketException, OSError)


class Viewer(User):
    """A socket of its own, on a pod of its own until that goes away."""

    weight = 26
    sampled: ClassVar[set[str]] = set()
    """Those of this process who watch now and whose sights are written down."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.ground: Ground = environment.ground  # type: ignore[attr-defined]
        self._pod = random.randrange(len(self.ground.hosts))
        self._name = uuid4().hex[:8]
        self._top: Top | None = None
        self._fresh = True
        self._failures = 0
        self._resuming = False
        self._began = 0.0

    @property
    def _measures(self) -> Measures:
        return self.ground.measures

    def on_stop(self) -> None:
        self._note_view(finally_so=True)

    @task
    def watch(self) -> None:
        """One stay, then a while away."""
        until = time.monotonic() + random.expovariate(1 / STAY_SECONDS)
        wait = random.expovariate(1 / AWAY_SECONDS)
        try:
            socket = self._connect()
        except LOST as error:
            self._lost(error)
            return
        if len(self.sampled) < SAMPLED_VIEWERS:
            self.sampled.add(self._name)
        try:
            while time.monotonic() < until:
                try:
                    text = socket.recv()
                except websocket.WebSocketTimeoutException:
                    continue
                if not text:
                    raise websocket.WebSocketConnectionClosedException("closed by the server")
                self._take(msgspec.json.decode(text))
            self._note_view(finally_so=False)
        except Diverged as error:
            self._diverged(str(error))
            self._top = None
        except LOST as error:
            self._lost(error)
        finally:
            self.sampled.discard(self._name)
            socket.close(timeout=1)
        gevent.sleep(wait)

    def _connect(self) -> websocket.WebSocket:
        host = self.ground.hosts[self._pod % len(self.ground.hosts)]
        query = {"board": "global"}
        if self._top is not None:
            query |= {"epoch": self._top.epoch, "version": str(self._top.version)}
        began = time.monotonic()
        url = f"{host.replace('http', 'ws', 1)}/api/v1/live?{urlencode(query)}"
        try:
            socket: websocket.WebSocket = websocket.create_connection(url, timeout=CONNECT_SECONDS)
        except LOST as error:
            limited = getattr(error, "status_code", None) == LIMITED
            name, failure = (again(LIMITED), None) if limited else ("connect", error)
            self._measures.fire(name, (time.monotonic() - began) * 1000, failure, kind="WS")
            raise
        self._measures.fire("connect", (time.monotonic() - began) * 1000, kind="WS")
        socket.settimeout(RECEIVE_SECONDS)
        self._began, self._fresh = began, True
        socket.send(PING)
        return socket

    def _take(self, frame: dict) -> None:  # type: ignore[type-arg]
        kind, before = frame["type"], self._top
        if self._fresh and kind in ("pong", "leaderboard.snapshot", "leaderboard.update"):
            self._arrived(kind)
        if kind not in ("leaderboard.snapshot", "leaderboard.update"):
            return
        if before is not None and before.epoch == frame["epoch"] and frame["version"] < before.version:
            raise Diverged("a version went back within its epoch")
        self._top = fold(before, frame)
        if kind == "leaderboard.update" and not self._resuming and before is not None and self._top is not None:
            held = {row.user_id: row.score for row in before.rows}
            for row in self._top.rows:
                if held.get(row.user_id) != row.score:
                    self._measures.seen(self._name, row.user_id, row.score, sampled=self._name in self.sampled)
        self._resuming = False

    def _arrived(self, kind: str) -> None:
        """The first word after connecting: what was missed, or that nothing was."""
        self._fresh, self._failures = False, 0
        self._resuming = kind == "pong" or self._top is not None
        how = {"pong": "nothing missed", "leaderboard.snapshot": "snapshot"}.get(kind, "missed changes")
        name = "first snapshot" if self._top is None else f"resume: {how}"
        self._measures.fire(name, (time.monotonic() - self._began) * 1000)

    def _lost(self, error: Exception) -> None:
        self._measures.fire(f"viewer lost: {type(error).__name__}", 0)
        self._pod += 1
        gevent.sleep(_wait_of(error) + backoff(self._failures))
        self._failures += 1

    def _diverged(self, detail: str) -> None:
        self._measures.note(Divergence(self._name, detail))
        self._measures.fire(f"divergence: {detail}", 0, Diverged(detail))

    def _note_view(self, *, finally_so: bool) -> None:
        if self._top is not None:
            rows = [(row.user_id, row.score) for row in self._top.rows]
            self._measures.note(View(self._name, self._top.epoch, self._top.version, rows, finally_so))


def _wait_of(error: Exception) -> float:
    """Seconds to wait, as the answer to a handshake asks."""
    return retry_after((getattr(error, "resp_headers", None) or {}).get("retry-after"))
