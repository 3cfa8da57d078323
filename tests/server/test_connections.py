"""Live connections beat in the order in which they came, each in its own time."""

import asyncio
from collections.abc import Callable

import pytest

from server.auth import Revoked
from server.closing import CloseCode
from server.connections import BEAT_SECONDS, Connections


class Beating:
    """A connection that notes when it beats."""

    session = None

    def __init__(self, *, is_closed: bool = False) -> None:
        self.beats: list[float] = []
        self._is_closed = is_closed

    def beat(self) -> None:
        self.beats.append(asyncio.get_running_loop().time())
        if self._is_closed:
            raise RuntimeError("the transport is closed")

    def close(self, code: CloseCode, reason: str = "") -> bool:
        raise AssertionError(f"closed: {code} {reason}")

    def review(self) -> None:
        raise AssertionError("reviewed")


@pytest.fixture
async def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the loop's time."""
    times = [0.0]
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: times[-1], raising=False)
    return times.append


async def test_each_beats_in_its_own_time(at: Callable[[float], None]):
    connections = Connections(Revoked())
    first, gone, closed, later = Beating(), Beating(), Beating(is_closed=True), Beating()
    for one in (first, gone, closed):
        connections.add(one)
    at(BEAT_SECONDS / 2)
    connections.add(later)
    connections.discard(gone)
    for quarter in range(2, 13):
        at(quarter * BEAT_SECONDS / 4)
        connections.beat()
    assert first.beats == closed.beats == [BEAT_SECONDS, 2 * BEAT_SECONDS, 3 * BEAT_SECONDS]
    assert later.beats == [1.5 * BEAT_SECONDS, 2.5 * BEAT_SECONDS]
    assert not gone.beats
    assert len(connections) == 3
