"""The live connections of a pod, whatever each travels by."""

import asyncio
from contextlib import suppress
from itertools import takewhile
from typing import Protocol

from server.auth import Revoked, Session
from server.closing import CloseCode

BEAT_SECONDS = 15.0
"""How often a connection is shown that this pod is there: proxies close those that are silent, often after a minute."""
RECONNECT_STEP_MS = 20
RECONNECT_STEPS = 100
"""Viewers of a pod that goes away come back spread over two seconds."""


class Live(Protocol):
    """A live connection, as far as the whole pod asks anything of it."""

    @property
    def session(self) -> Session | None:
        """Whose it is."""
        ...

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Closes it, with or without its consent."""
        ...

    def review(self) -> None:
        """Moves it to what it may see of its boards now."""
        ...

    def beat(self) -> None:
        """Shows that this pod is there, and ends one whose client is not."""
        ...


class Connections:
    """Those that are open; each adds itself and takes itself away."""

    def __init__(self, revoked: Revoked) -> None:
        self._revoked = revoked
        self._open: dict[Live, float] = {}
        """When each beats next, in the loop's time: the first is due first."""
        self._now = asyncio.get_running_loop().time

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Live) -> None:
        """One more is open."""
        self._open[connection] = self._now() + BEAT_SECONDS

    def discard(self, connection: Live) -> None:
        """One is no longer open."""
        self._open.pop(connection, None)

    def beat(self) -> None:
        """Beats for those whose time it is. A task for each connection took a twentieth of a pod that shows."""
        now = self._now()
        for connection in [one for one, due in takewhile(lambda each: each[1] <= now, self._open.items())]:
            self._open.pop(connection)
            self._open[connection] = now + BEAT_SECONDS
            with suppress(RuntimeError):  # as in `_close`
                connection.beat()

    def review(self) -> None:
        """Moves all to what they may see of their boards now."""
        for connection in list(self._open):
            connection.review()

    def close_revoked(self) -> None:
        """Those of sessions that have ended end too."""
        for connection in list(self._open):
            session = connection.session
            if session is not None and self._revoked.covers(session):
                _close(connection, CloseCode.UNAUTHORIZED, "token_invalid")

    def send_away(self) -> None:
        """Closes all, each with its own time to come back elsewhere."""
        for number, connection in enumerate(list(self._open)):
            delay = RECONNECT_STEP_MS * (number % RECONNECT_STEPS)
            _close(connection, CloseCode.GOING_AWAY, f'{{"reconnectAfterMs":{delay}}}')


def _close(connection: Live, code: CloseCode, reason: str) -> None:
    with suppress(RuntimeError):  # one whose transport is closed already has gone by itself
        connection.close(code, reason)
