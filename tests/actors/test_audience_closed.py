"""A viewer that has just gone costs nobody else a frame."""

import asyncio

import uvloop

from actors.audience import Audience, Viewer
from actors.frames import Top
from actors.shown import Form, Shown, Wire, snapshot_of

Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]
FORM = Form(Wire.SOCKET, False)
SHOWN = snapshot_of(Top("global", "all", "e1", 1, 0, ()))


class Source:
    """What those who fell behind are caught up from."""

    def snapshot(self) -> Shown:
        return SHOWN


class Accepted(asyncio.Protocol):
    """The server's side of connections, in the order of their arrival."""

    def __init__(self, transports: asyncio.Queue[asyncio.Transport]) -> None:
        self._transports = transports
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transports.put_nowait(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.lost.set()


def refuses(outlet: asyncio.Transport) -> bool:
    """Whether uvloop has let go of a connection, so that writing to it is an error."""
    try:
        outlet.write(b"")
    except RuntimeError:
        return True
    return False


async def show_with_a_closed_one() -> None:
    loop = asyncio.get_running_loop()
    transports: asyncio.Queue[asyncio.Transport] = asyncio.Queue()
    server = await loop.create_server(lambda: Accepted(transports), "127.0.0.1", 0)
    clients = [await asyncio.open_connection(*server.sockets[0].getsockname()) for _ in range(5)]
    outlets = [await transports.get() for _ in clients]
    try:
        await show(outlets, clients)
    finally:
        for _, writer in clients:
            writer.transport.abort()
        for outlet in outlets:
            outlet.abort()
        server.close()


async def show(outlets: list[asyncio.Transport], clients: list[Client]) -> None:
    audience, viewers = Audience(1_000, 10), []
    for outlet in outlets:
        viewers.append(Viewer(outlet, lambda: None, FORM))
        audience.join(viewers[-1])
    for outlet in outlets[:2]:
        outlet.abort()
        await outlet.get_protocol().lost.wait()
        while not refuses(outlet):
            await asyncio.sleep(0)
    outlets[4].write_eof()  # as Sanic does when either side closes a socket
    audience.show(SHOWN, Source())
    audience.start(viewers[0], SHOWN)
    audience._fall_behind(viewers[1])
    audience.sweep(Source())
    assert audience.delivered == 2
    for outlet in outlets[2:4]:
        outlet.close()
    assert sorted([await received(reader) for reader, _ in clients]) == [b"", b"", b"", *[SHOWN.frame(FORM)] * 2]


async def received(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def test_a_closed_viewer_costs_nobody_else_a_frame():
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(show_with_a_closed_one(), 20))
