"""A viewer that falls behind gets nothing more, then the newest state, once; one that leaves meanwhile gets nothing."""

import pytest

from actors.audience import Audience, Viewer
from actors.frames import Top
from actors.shown import Form, Shown, Wire, snapshot_of

FORM = Form(Wire.SOCKET, whole=False)
LIMIT = 1_000


def shown(version: int) -> Shown:
    return snapshot_of(Top("global", "all", "e1", version, 0, ()))


class Newest:
    """What those who fell behind are caught up from."""

    def __init__(self) -> None:
        self.version = 0

    def snapshot(self) -> Shown:
        return shown(self.version)


class Outlet:
    """A connection whose reader may stall: what is written then stays."""

    def __init__(self) -> None:
        self.is_stalled = False
        self.buffer = 0
        self.frames: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.frames.append(data)
        if self.is_stalled:
            self.buffer += len(data)

    def get_write_buffer_size(self) -> int:
        return self.buffer


@pytest.fixture
async def audience() -> Audience:
    return Audience(LIMIT, 10)


def show(audience: Audience, newest: Newest, frames: int) -> None:
    for _ in range(frames):
        newest.version += 1
        audience.show(shown(newest.version), newest)


def fallen_behind(audience: Audience, newest: Newest) -> tuple[Viewer, Outlet]:
    outlet = Outlet()
    viewer = Viewer(outlet, lambda: None, FORM)
    audience.join(viewer)
    outlet.is_stalled = True
    while outlet.buffer <= LIMIT:
        show(audience, newest, 1)
    audience.sweep(newest)
    return viewer, outlet


async def test_one_that_is_behind_gets_nothing_and_then_the_newest_once(audience: Audience):
    newest = Newest()
    viewer, outlet = fallen_behind(audience, newest)
    written = len(outlet.frames)
    show(audience, newest, 30)
    audience.sweep(newest)
    assert (len(outlet.frames), audience.conflated, len(audience)) == (written, 30, 1)
    outlet.is_stalled, outlet.buffer = False, 0
    audience.sweep(newest)
    assert outlet.frames[written:] == [shown(newest.version).frame(FORM)]
    show(audience, newest, 1)
    assert outlet.frames[written + 1 :] == [shown(newest.version).frame(FORM)]
    assert (audience.conflated, len(audience)) == (30, 1)
    audience.leave(viewer)
    assert len(audience) == 0


async def test_one_that_leaves_while_it_is_behind_is_gone(audience: Audience):
    newest = Newest()
    viewer, outlet = fallen_behind(audience, newest)
    written = len(outlet.frames)
    audience.leave(viewer)
    outlet.is_stalled, outlet.buffer = False, 0
    show(audience, newest, 1)
    audience.sweep(newest)
    assert (len(outlet.frames), len(audience)) == (written, 0)
