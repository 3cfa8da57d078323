"""One live connection: what it watches and whose it is, whatever it travels by."""

import asyncio
import time

import msgspec

from actors.audience import Outlet, Viewer, written
from actors.frames import event
from actors.leaderboard import Leaderboard
from actors.shown import Form, encoded
from models.board import GLOBAL
from models.ids import BoardId
from server.auth import ADMIN, Session
from server.closing import CloseCode
from server.handshake import Position
from server.occupancy import Seat
from server.runtime import Runtime

MAX_BOARDS = 16
"""Boards that one connection may watch at once."""


class Connection:
    """Everything it gets is written to its transport directly; how it closes is for each kind to say."""

    def __init__(self, runtime: Runtime, outlet: Outlet, form: Form, seat: Seat) -> None:
        self._runtime = runtime
        self._outlet = outlet
        self._form = form
        self._seat = seat
        self._viewers: dict[BoardId, tuple[Leaderboard, Viewer]] = {}
        self._session: Session | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def authenticate(self, session: Session) -> None:
        """Becomes a player's connection until their token expires; raises TooManyConnections."""
        await self._seat.sit(session.user_id)
        self._forget_session()
        self._session = session
        await self._runtime.personal.join(session.user_id, self.tell)
        self._expiry = self._loop.call_later(
            max(0.0, session.expires_at - time.time()), self.close, CloseCode.UNAUTHORIZED, "token_expired"
        )
        self.say("authenticated", userId=session.user_id)
        self.review()

    @property
    def session(self) -> Session | None:
        """Whose it is, None while nobody's."""
        return self._session

    def _forget_session(self) -> None:
        if self._session is not None:
            self._runtime.personal.leave(self._session.user_id, self.tell)
            self._session = None
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def watch(self, name: str, position: Position | None) -> str | None:
        """Watches a board from a position on, or from a snapshot; why not, if it cannot."""
        leaderboard = self._seen(name or GLOBAL)
        if leaderboard is None:
            return "not_found"
        board_id = leaderboard.board.board_id
        if len(self._viewers) >= MAX_BOARDS and board_id not in self._viewers:
            return "rate_limited"
        # From here to the end nothing is awaited: no frame can come between position and stream.
        shown = leaderboard.snapshot() if position is None else leaderboard.since(*position)
        held = self._viewers.get(board_id)
        if held is not None and held[0].audience is leaderboard.audience:
            viewer = held[1]
        else:
            viewer = self._join(board_id, leaderboard)
        leaderboard.audience.start(viewer, shown)
        return None

    def _seen(self, name: str) -> Leaderboard | None:
        admin = self._session is not None and self._session.role == ADMIN
        return self._runtime.views.seen(name, admin=admin)

    def _join(self, board_id: BoardId, leaderboard: Leaderboard) -> Viewer:
        self.unwatch(board_id)
        viewer = Viewer(self._outlet, self._cut, self._form)
        self._viewers[board_id] = (leaderboard, viewer)
        leaderboard.audience.join(viewer)
        return viewer

    def review(self) -> None:
        """Moves to what may be seen now: a frozen board, the live one again, or nothing of one that is gone."""
        for board_id, (held, _) in list(self._viewers.items()):
            leaderboard = self._seen(board_id)
            if leaderboard is None:
                self.unwatch(board_id)
                self.lose(board_id)
            elif leaderboard.audience is not held.audience:
                leaderboard.audience.start(self._join(board_id, leaderboard), leaderboard.snapshot())

    def lose(self, name: str) -> None:
        """Is told that a board it watched is gone."""
        detail = f"cannot watch {name[:64]!r}"
        self.tell("error", msgspec.json.encode({"type": "error", "code": "not_found", "detail": detail}))

    def unwatch(self, name: str) -> None:
        """Watches a board no longer."""
        held = self._viewers.pop(BoardId(name), None)
        if held is not None:
            held[0].audience.leave(held[1])

    def leave(self) -> None:
        """Is nobody's, and watches nothing."""
        for name in list(self._viewers):
            self.unwatch(name)
        self._forget_session()

    def tell(self, kind: str, payload: bytes) -> None:
        """Writes a message; one whose reader is slow does not get it."""
        if self._outlet.get_write_buffer_size() <= self._runtime.settings.viewer_buffer_bytes:
            written(self._outlet, encoded(self._form.wire, kind, payload))

    def say(self, kind: str, **data: object) -> None:
        """Writes a message made here."""
        self.tell(kind, event(kind, **data))

    def _cut(self) -> None:
        self.close(CloseCode.STALLED, "stalled")

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Closes it, with or without its consent; always False."""
        raise NotImplementedError
