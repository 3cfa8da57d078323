"""One thing to show: encoded once for each kind of viewer."""

from enum import Enum

import msgspec

from actors import frames
from actors.frames import Top


class Wire(Enum):
    """How frames travel."""

    SOCKET = "websocket"
    EVENTS = "events"


class Form(msgspec.Struct, frozen=True):
    """How a viewer wants its board: by which wire, as changes or `whole` each time."""

    wire: Wire = Wire.SOCKET
    whole: bool = False


def encoded(wire: Wire, kind: str, payload: bytes, position: str = "") -> bytes:
    """A message as bytes for a transport; `position` is where it leads to, if it does."""
    if wire is Wire.SOCKET:
        return frames.text_frame(payload)
    return frames.event_chunk(kind, payload, position)


class Shown:
    """A snapshot or delta that leads to a top; each form of it is made when first wanted, and kept."""

    __slots__ = ("_encoded", "_kind", "_payload", "_top")

    def __init__(self, kind: str, payload: bytes, top: Top) -> None:
        self._kind = kind
        self._payload = payload
        self._top = top
        self._encoded: dict[Form, bytes] = {}

    def frame(self, form: Form) -> bytes:
        """The bytes to write to every viewer of a form."""
        held = self._encoded.get(form)
        if held is None:
            held = self._encoded[form] = self._frame(form)
        return held

    def _frame(self, form: Form) -> bytes:
        position = f"{self._top.epoch}:{self._top.version}"
        if form.whole:
            return encoded(form.wire, "scoreboardUpdate", frames.whole(self._top), position)
        return encoded(form.wire, self._kind, self._payload, position)


def snapshot_of(top: Top) -> Shown:
    """A top from nothing."""
    return Shown("leaderboard.snapshot", frames.snapshot(top), top)
