"""What arrives on WebSockets, counted before anything is made of it."""

from asyncio import TimerHandle
from collections import deque
from collections.abc import Callable
from typing import Any

from sanic.exceptions import RequestTimeout
from sanic.http import Stage
from sanic.server.protocols.websocket_protocol import WebSocketProtocol
from sanic.server.websockets.frame import WebsocketFrameAssembler
from sanic.server.websockets.impl import WebsocketImplProtocol
from websockets.frames import Frame
from websockets.protocol import State

from server.closing import ABORT_SECONDS, CloseCode
from server.exchanges import Exchanges

FRAMES_PER_WINDOW = 20
WINDOW_SECONDS = 10.0
CLOSE_OPCODE = 8
MASKED = 0x80
LENGTH_SIZES = {126: 2, 127: 8}
"""Bytes of the length that follow these values of the short one."""


class FrameMeter:
    """Counts WebSocket frames in a stream of bytes: control frames and fragments too, but no close frames.

    Keeps at most a header of 14 bytes; frames that break a rule are for the parser to find.
    """

    def __init__(self) -> None:
        self._header = bytearray()
        self._payload_left = 0

    def feed(self, chunk: bytes, most: int) -> int:
        """Frames whose header ends in a chunk; counts no further than one more than `most`."""
        at = found = 0
        while at < len(chunk) and found <= most:
            if self._payload_left:
                step = min(self._payload_left, len(chunk) - at)
                self._payload_left -= step
                at += step
                continue
            self._header.append(chunk[at])
            at += 1
            if len(self._header) >= 2 and len(self._header) == _header_size(self._header):  # noqa: PLR2004
                self._payload_left = _payload_size(self._header)
                found += self._header[0] & 0x0F != CLOSE_OPCODE
                self._header.clear()
        return found


def _header_size(header: bytearray) -> int:
    return 2 + LENGTH_SIZES.get(header[1] & 0x7F, 0) + (4 if header[1] & MASKED else 0)


def _payload_size(header: bytearray) -> int:
    short = header[1] & 0x7F
    return int.from_bytes(header[2 : 2 + LENGTH_SIZES[short]]) if short in LENGTH_SIZES else short


class FrameBudget:
    """So many frames in so many seconds."""

    def __init__(self) -> None:
        self._meter = FrameMeter()
        self._arrivals: deque[float] = deque()

    def allows(self, chunk: bytes, now: float) -> bool:
        """Takes a chunk into account; whether it is within the budget."""
        while self._arrivals and self._arrivals[0] <= now - WINDOW_SECONDS:
            self._arrivals.popleft()
        found = self._meter.feed(chunk, FRAMES_PER_WINDOW - len(self._arrivals))
        self._arrivals.extend([now] * found)
        return len(self._arrivals) <= FRAMES_PER_WINDOW


class LiveProtocol(WebSocketProtocol):
    """Sanic's protocol with deadlines, and a budget for what a WebSocket sends.

    Sanic's REQUEST_TIMEOUT counts from byte to byte: a byte a second outlives it. So the time from a request's first
    byte to its last is bounded too, looked at twice within that time.
    Without the budget one client's pings made 87 MB of frames, answers and tasks; it is closed here before its bytes
    are parsed. Without the deadline a client that sends and never reads holds its answers until it goes.
    """

    HTTP_CLASS = Exchanges

    __slots__ = ("_budget", "_is_over", "_stall", "began", "heard", "on_closing")

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._budget: FrameBudget | None = None
        self._is_over = False
        self._stall: TimerHandle | None = None
        self.began: float | None = None
        self.heard = 0.0
        """When a WebSocket's client sent anything last, in the loop's time."""
        self.on_closing: Callable[[], None] = lambda: None
        """Called when a WebSocket closes because of what arrived."""

    def check_timeouts(self) -> None:
        """Ends a request that takes too long to arrive; asks itself again after a while."""
        http, now = self._http, self.loop.time()
        # Before its first request an Http has no `request_body`; and a body that was refused is still read to its end.
        arriving = http is not None and (http.stage is Stage.REQUEST or bool(getattr(http, "request_body", None)))
        if arriving and self.began is None:
            self.began = now  # its first bytes came with the last request
        if arriving and self._task is not None and now - (self.began or now) > self.request_timeout:
            http.exception = RequestTimeout("the request took too long to arrive")
            self._task.cancel()
            self.loop.call_later(ABORT_SECONDS, self._abort)  # Sanic answers, and then would read the body to its end
            return
        super().check_timeouts()  # type: ignore[no-untyped-call]

    def data_received(self, data: bytes) -> None:
        """Hands on what is within the budget."""
        if self._is_over:
            return
        if self.websocket is None:
            if self.began is None:
                self.began = self.loop.time()
            super().data_received(data)  # type: ignore[no-untyped-call]
            return
        if self._budget is None:
            self._budget = FrameBudget()
        self.heard = self.loop.time()
        if self._budget.allows(data, self.heard):
            super().data_received(data)  # type: ignore[no-untyped-call]
            if self.websocket is not None and self.websocket.ws_proto.state is not State.OPEN:
                self.on_closing()
        else:
            self._is_over = True
            self.on_closing()
            self.websocket.end_connection(int(CloseCode.TOO_MUCH), "too many frames")  # type: ignore[no-untyped-call]
            self.loop.call_later(ABORT_SECONDS, self._abort)

    def pause_writing(self) -> None:
        """The client does not read: it has a while to begin again."""
        super().pause_writing()  # type: ignore[no-untyped-call]
        if self.websocket is not None and self._stall is None:
            seconds = self.app.ctx.runtime.settings.viewer_stall_seconds
            self._stall = self.loop.call_later(seconds, self._abort)

    def resume_writing(self) -> None:
        """It reads again, or is gone."""
        super().resume_writing()  # type: ignore[no-untyped-call]
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


class Assembler(WebsocketFrameAssembler):
    """Sanic's assembler, which closes for text that is not UTF-8 instead of leaving the connection hanging."""

    protocol: WebsocketImplProtocol

    async def put(self, frame: Frame) -> None:
        """Adds a frame to the next message."""
        try:
            await super().put(frame)
        except UnicodeDecodeError:
            self.protocol.end_connection(int(CloseCode.NOT_TEXT), "text must be UTF-8")  # type: ignore[no-untyped-call]
