"""The live connections of a pod, whatever each travels by."""

from contextlib import suppress
from typing import Protocol

from server.auth import Revoked, Session
from server.closing import CloseCode

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


class Connections:
    """Those that are open; each adds itself and takes itself away."""

    def __init__(self, revoked: Revoked) -> None:
        self._revoked = revoked
        self._open: set[Live] = set()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Live) -> None:
        """One more is open."""
        self._open.add(connection)

    def discard(self, connection: Live) -> None:
        """One is no longer open."""
        self._open.discard(connection)

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
