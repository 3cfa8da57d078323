"""A viewer that does not read costs a bounded amount of memory, is cut off, and hurts nobody."""

import asyncio
import os
import socket
import time
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.e2e.invariants import assert_whole
from tests.e2e.players import Told, send_all
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess, until

STALLED = 40
STALL_SECONDS = 2
MOST_BYTES_EACH = 256 * 1024

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def pod() -> Iterator[LaurelProcess]:
    """One pod that loses patience soon."""
    with LaurelProcess() as process:
        env = {"LAUREL_VIEWER_STALL_SECONDS": str(STALL_SECONDS), "LAUREL_VIEWER_BUFFER_BYTES": "16384"}
        yield process.start(pods=1, env=env)


def stalled_viewer(url: str, query: str = "", unread_bytes: int = 4096) -> socket.socket:
    """A connection that asked for the live board and never reads again."""
    address = urlsplit(url)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, unread_bytes)
    connection.connect((address.hostname, address.port))
    key = b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET /api/v1/live{query} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    return connection


def connections(pid: int, port: int) -> int:
    """Established connections that a pod holds."""
    held = psutil.Process(pid).net_connections("tcp")
    return sum(1 for c in held if c.status == psutil.CONN_ESTABLISHED and c.laddr.port == port)


async def test_stalled_viewers_are_cut_off_and_hurt_nobody(pod: LaurelProcess) -> None:
    pid, port = pod.pods()[0], urlsplit(pod.urls[0]).port
    assert port is not None
    pairs = pod.mint_tickets(40_000, 12)
    told, before = Told(), psutil.Process(pid).memory_info().rss
    stalled = [stalled_viewer(pod.urls[0]) for _ in range(STALLED)]
    try:
        async with watching(pod.urls[0]) as healthy:
            work = ((pod.urls[0], *pair) for pair in pairs)
            sending = asyncio.create_task(send_all(work, told, connections=4))
            most = 0
            deadline = time.monotonic() + 90
            while connections(pid, port) > STALLED and time.monotonic() < deadline:
                most = max(most, psutil.Process(pid).memory_info().rss - before)
                await asyncio.sleep(0.2)
            sending.cancel()
            await asyncio.wait([sending])
            await asyncio.to_thread(until, lambda: connections(pid, port) <= 10)
            assert most < STALLED * MOST_BYTES_EACH
            assert not told.others
            await assert_whole(pod, told.acknowledged(), [healthy])
            assert healthy.frames > 50
    finally:
        for connection in stalled:
            connection.close()
