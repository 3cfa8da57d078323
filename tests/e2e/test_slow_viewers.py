"""A viewer that does not read costs a bounded amount of memory, is cut off, and hurts nobody."""

import asyncio
import os
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from tests.e2e.invariants import assert_whole
from tests.e2e.players import Told, send_all
from tests.e2e.viewer import watching
from tests.laurel_process import LaurelProcess, until

STALLED = 40
STALL_SECONDS = 2
BUFFER_BYTES = 65_536
"""As much as makes the transport say that its reader is slow."""
MOST_BYTES_EACH = 256 * 1024

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def pod() -> Iterator[LaurelProcess]:
    """One pod that loses patience soon."""
    with LaurelProcess() as process:
        env = {"LAUREL_VIEWER_STALL_SECONDS": str(STALL_SECONDS), "LAUREL_VIEWER_BUFFER_BYTES": str(BUFFER_BYTES)}
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


async def left_out(pod: LaurelProcess) -> None:
    """Until a frame was left out for somebody who is slow."""
    async with aiohttp.ClientSession() as session, asyncio.timeout(30):

        async def count() -> float:
            async with session.get(f"{pod.urls[0]}/metrics") as answer:
                lines = (await answer.text()).splitlines()
            return sum(float(line.split()[-1]) for line in lines if line.startswith("laurel_conflations_total"))

        before = await count()
        while await count() == before:
            await asyncio.sleep(0.05)


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


class Drain(threading.Thread):
    """Reads a connection to its end, all the time."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self._connection = connection
        self.ended = False
        self.start()

    def run(self) -> None:
        try:
            while self._connection.recv(1 << 16):
                pass
        except OSError:  # reset, or closed at the test's end
            pass
        self.ended = True


async def test_who_reads_again_stays(pod: LaurelProcess) -> None:
    """The deadline that began when it stopped reading ends when it reads on."""
    pairs = pod.mint_tickets(40_000, 12)
    slow = stalled_viewer(pod.urls[0], "?format=full", 1)
    sending = asyncio.create_task(send_all(((pod.urls[0], *pair) for pair in pairs), Told(), connections=4))
    try:
        await left_out(pod)
        drain = Drain(slow)
        await asyncio.to_thread(drain.join, 2 * STALL_SECONDS)
        assert not drain.ended, "it was cut off although it reads"
    finally:
        sending.cancel()
        await asyncio.wait([sending])
        slow.shutdown(socket.SHUT_RDWR)
        slow.close()
