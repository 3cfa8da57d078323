"""One WebSocket: what it watches, whose it is, and what it may ask."""

import asyncio
import time
from collections import deque

import msgspec
from sanic.exceptions import WebsocketClosed
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed

from actors.audience import Outlet, Viewer
from actors.frames import event, text_frame
from actors.leaderboard import Leaderboard
from models.board import GLOBAL
from models.ids import BoardId
from server.auth import Session
from server.closing import CloseCode
from server.errors import RequestError
from server.runtime import Runtime

FRAMES_PER_WINDOW = 20
WINDOW_SECONDS = 10.0
MAX_BOARDS = 16
"""Boards that one socket may watch at once."""
ABORT_SECONDS = 1.0
"""How long a closed socket may take to read its close frame."""


class Message(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True):
    """Root of what clients send."""


class Auth(Message, frozen=True):
    """Says who this is."""

    token: str


class Subscribe(Message, frozen=True):
    """Watch one more board."""

    board: str


class Unsubscribe(Message, frozen=True):
    """Watch a board no longer."""

    board: str


class Resume(Message, frozen=True):
    """Send what was missed since a position; a board not yet watched is subscribed."""

    board: str
    epoch: str
    version: int


class Ping(Message, frozen=True):
    """Asks for a pong."""


_decoder = msgspec.json.Decoder(Auth | Subscribe | Unsubscribe | Resume | Ping)


class Socket:
    """Reads a client's messages until it goes; everything it gets is written to its transport directly."""

    def __init__(self, runtime: Runtime, ws: WebsocketImplProtocol, outlet: Outlet) -> None:
        self._runtime = runtime
        self._ws = ws
        self._outlet = outlet
        self._viewers: dict[BoardId, Viewer] = {}
        self._arrivals: deque[float] = deque()
        self._session: Session | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    async def run(self, board_id: str, position: tuple[str, int] | None, session: Session | None) -> None:
        """Serves the socket until either side closes it."""
        self._runtime.sockets.add(self)
        try:
            if session is not None:
                await self._authenticate(session)
            await self._watch(board_id, position)
            while True:
                text = await self._ws.recv()
                if text is None or not await self._take(text):
                    return
        except (ConnectionClosed, WebsocketClosed, asyncio.CancelledError):
            # Sanic's recv raises CancelledError when the client closes; either way this socket is at its end.
            return
        finally:
            self._leave()

    def _leave(self) -> None:
        self._runtime.sockets.discard(self)
        for board_id, viewer in self._viewers.items():
            self._runtime.leaderboards[board_id].audience.leave(viewer)
        self._viewers.clear()
        self._forget_session()

    async def _take(self, text: str | bytes) -> bool:
        """Acts on one message; whether the socket stays open."""
        now = self._loop.time()
        self._arrivals.append(now)
        while self._arrivals[0] < now - WINDOW_SECONDS:
            self._arrivals.popleft()
        if len(self._arrivals) > FRAMES_PER_WINDOW:
            return self.close(CloseCode.TOO_MUCH, "too many messages")
        try:
            message = _decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return self.close(CloseCode.BAD_MESSAGE, "not a message of this protocol")
        match message:
            case Ping():
                self._send(event("pong"))
            case Auth(token):
                try:
                    await self._authenticate(self._runtime.tokens.verify(token))
                except RequestError as error:
                    return self.close(CloseCode.UNAUTHORIZED, error.code)
            case Subscribe(board):
                await self._watch(board, None)
            case Resume(board, epoch, version):
                await self._watch(board, (epoch, version))
            case Unsubscribe(board):
                viewer = self._viewers.pop(BoardId(board), None)
                if viewer is not None:
                    self._runtime.leaderboards[BoardId(board)].audience.leave(viewer)
        return True

    async def _authenticate(self, session: Session) -> None:
        self._forget_session()
        self._session = session
        await self._runtime.personal.join(session.user_id, self._receive)
        self._expiry = self._loop.call_later(
            max(0.0, session.expires_at - time.time()), self.close, CloseCode.UNAUTHORIZED, "token_expired"
        )
        self._send(event("authenticated", userId=session.user_id))

    def _forget_session(self) -> None:
        if self._session is not None:
            self._runtime.personal.leave(self._session.user_id, self._receive)
            self._session = None
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    async def _watch(self, name: str, position: tuple[str, int] | None) -> None:
        leaderboard = self._runtime.leaderboards.get(BoardId(name or GLOBAL))
        if leaderboard is None or (len(self._viewers) >= MAX_BOARDS and name not in self._viewers):
            code = "not_found" if leaderboard is None else "rate_limited"
            self._send(msgspec.json.encode({"type": "error", "code": code, "detail": f"cannot watch {name[:64]!r}"}))
            return
        board_id = leaderboard.board.board_id
        if board_id not in self._viewers:
            viewer = self._viewers[board_id] = Viewer(self._outlet, self._cut)
            leaderboard.audience.join(viewer)
        # From here to the write nothing is awaited: no frame can come between position and stream.
        payload = _start(leaderboard, position)
        if payload:
            self._send(payload)

    def _receive(self, frame: bytes) -> None:
        if self._outlet.get_write_buffer_size() <= self._runtime.settings.viewer_buffer_bytes:
            self._outlet.write(frame)

    def _send(self, payload: bytes) -> None:
        self._receive(text_frame(payload))

    def _cut(self) -> None:
        self.close(CloseCode.STALLED, "stalled")

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Closes the socket, with or without its consent; always False."""
        self._ws.end_connection(int(code), reason)  # type: ignore[no-untyped-call]
        transport = self._ws.io_proto.transport if self._ws.io_proto else None
        if transport is not None:
            self._loop.call_later(ABORT_SECONDS, transport.abort)
        return False


def _start(leaderboard: Leaderboard, position: tuple[str, int] | None) -> bytes | None:
    """What a viewer is sent first: what it missed, or a snapshot."""
    return leaderboard.snapshot() if position is None else leaderboard.since(*position)
