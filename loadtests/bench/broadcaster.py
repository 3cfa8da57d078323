"""A minimal picows broadcaster: the same bytes to everybody, and nothing else."""

import asyncio
import sys

import uvloop
from picows import WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from server.embedded.ports import LOOPBACK

viewers: set[WSTransport] = set()


class Viewer(WSListener):
    """One connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        viewers.add(transport)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        viewers.discard(transport)


def accept(request: WSUpgradeRequest) -> Viewer:
    """Takes everybody."""
    del request
    return Viewer()


async def serve(port: int, size: int, interval: float) -> None:
    """Sends a payload of `size` bytes every `interval` seconds, for ever."""
    payload = b"x" * size
    await ws_create_server(accept, LOOPBACK, port, backlog=1_024)
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due += interval
        await asyncio.sleep(max(0.0, due - loop.time()))
        for viewer in viewers:
            viewer.send(WSMsgType.TEXT, payload)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
