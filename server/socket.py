"""One WebSocket and what it may ask."""

import asyncio
from typing import Annotated, cast

import msgspec
from sanic.exceptions import WebsocketClosed
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from actors.audience import Outlet, written
from actors.errors import ActorError
from actors.shown import Form, Wire
from models.doubles import refuse_doubles
from models.errors import ModelError
from server.auth import Session
from server.closing import ABORT_SECONDS, CloseCode
from server.connection import Connection
from server.errors import RequestError
from server.handshake import Asked
from server.inbound import Assembler, LiveProtocol
from server.occupancy import Seat, TooManyConnections
from server.runtime import Runtime

PING = Frame(Opcode.PING, b"").serialize(mask=False)


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
    version: Annotated[int, msgspec.Meta(ge=0)]


class Ping(Message, frozen=True):
    """Asks for a pong."""


_decoder = msgspec.json.Decoder(Auth | Subscribe | Unsubscribe | Resume | Ping)


class Socket(Connection):
    """Reads a client's messages until it goes. How many it may send is counted in `server.inbound`."""

    def __init__(self, runtime: Runtime, ws: WebsocketImplProtocol, outlet: Outlet, seat: Seat, *, whole: bool) -> None:
        super().__init__(runtime, outlet, Form(Wire.SOCKET, whole), seat)
        self._ws = ws
        self._pinged = 0.0
        ws.assembler = Assembler(ws)
        cast(LiveProtocol, ws.io_proto).on_closing = self._end

    async def run(self, asked: Asked, session: Session | None) -> None:
        """Serves the socket until either side closes it."""
        self._runtime.connections.add(self)
        try:
            if session is not None:
                await self.authenticate(session)
            self._watch(asked.board, asked.position)
            while True:
                text = await self._ws.recv()
                if text is None or not await self._take(text):
                    return
        except (ConnectionClosed, WebsocketClosed, asyncio.CancelledError):
            # Sanic's recv raises CancelledError when the client closes; either way this socket is at its end.
            return
        finally:
            self._end()

    def _end(self) -> None:
        """Gets nothing more: nothing may come behind a close frame, whoever closes."""
        self._runtime.connections.discard(self)
        self.leave()

    async def _take(self, text: str | bytes) -> bool:
        """Acts on one message; whether the socket stays open."""
        try:
            message = _decoder.decode(text)
            refuse_doubles(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self.close(CloseCode.BAD_MESSAGE, "not a message of this protocol")
        match message:
            case Ping():
                self.say("pong")
            case Auth(token):
                try:
                    await self.authenticate(await self._runtime.admission.verify(token))
                except TooManyConnections as error:
                    return self.close(CloseCode.TOO_MUCH, error.detail)
                except RequestError as error:
                    return self.close(CloseCode.UNAUTHORIZED, error.code)
                except (ActorError, ModelError):  # whose an outside token is cannot be looked up now
                    return self.close(CloseCode.TRY_LATER, "busy")
            case Subscribe(board):
                self._watch(board, None)
            case Resume(board, epoch, version):
                self._watch(board, (epoch, version))
            case Unsubscribe(board):
                self.unwatch(board)
        return True

    def _watch(self, name: str, position: tuple[str, int] | None) -> None:
        code = self.watch(name, position)
        if code is not None:
            detail = f"cannot watch {name[:64]!r}"
            self.tell("error", msgspec.json.encode({"type": "error", "code": code, "detail": detail}))

    def beat(self) -> None:
        """Pings; ends a client of which nothing was heard since the last ping: it went without a word."""
        protocol = cast(LiveProtocol | None, self._ws.io_proto)
        if protocol is None:
            return
        if protocol.heard < self._pinged:
            self.close(CloseCode.STALLED, "silent")
        elif written(self._outlet, PING):
            self._pinged = self._loop.time()

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Sends a close frame, and ends the connection soon after; always False."""
        self._end()
        self._ws.end_connection(int(code), reason)  # type: ignore[no-untyped-call]
        transport = self._ws.io_proto.transport if self._ws.io_proto else None
        if transport is not None:
            self._loop.call_later(ABORT_SECONDS, transport.abort)
        return False
