"""One stream of Server-Sent Events."""

import asyncio
from asyncio import Transport

import msgspec

from actors.audience import written
from actors.frames import http_chunk
from actors.shown import Form, Wire
from server.auth import Session
from server.closing import ABORT_SECONDS, CloseCode
from server.connection import Connection
from server.handshake import Asked
from server.occupancy import Seat
from server.runtime import Runtime

HEARTBEAT = http_chunk(b":\n\n")


class GoingAway(msgspec.Struct, frozen=True, rename="camel"):
    """What a close for going away has as its reason."""

    reconnect_after_ms: int


class EventStream(Connection):
    """Gets the frames of a WebSocket as chunks of one response; the client can only read or go."""

    def __init__(self, runtime: Runtime, transport: Transport, seat: Seat, *, whole: bool) -> None:
        super().__init__(runtime, transport, Form(Wire.EVENTS, whole), seat)
        self._transport = transport
        self._ended = asyncio.Event()

    async def run(self, asked: Asked, session: Session | None) -> None:
        """Serves the stream until it is closed; Sanic cancels this when the client goes."""
        self._runtime.connections.add(self)
        try:
            if session is not None:
                await self.authenticate(session)
            self.watch(asked.board, asked.position)
            await self._ended.wait()
        finally:
            self._runtime.connections.discard(self)
            self.leave()

    def beat(self) -> None:
        """Writes a comment to one that takes what it is sent."""
        if self._transport.get_write_buffer_size() == 0:
            written(self._transport, HEARTBEAT)

    def lose(self, name: str) -> None:
        """Ends: who connects again is told why."""
        del name
        self.close(CloseCode.UNAUTHORIZED)

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Ends the stream, and the connection soon after; always False.

        An event stream has no close codes: one that is to come back elsewhere is told when, any other finds out the
        reason when it connects again.
        """
        if code is CloseCode.STALLED:
            self._transport.abort()
        else:
            if code is CloseCode.GOING_AWAY:
                wait = msgspec.json.decode(reason, type=GoingAway).reconnect_after_ms
                written(self._transport, http_chunk(b"retry: %d\n\n" % wait))
            self._loop.call_later(ABORT_SECONDS, self._transport.abort)
        self.leave()
        self._ended.set()
        return False
