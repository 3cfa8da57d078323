"""What one client may do to a pod: connections, floods and broken frames."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import aiohttp
import psutil
import pytest

from server.connections import BEAT_SECONDS
from tests.e2e.test_slow_viewers import connections
from tests.laurel_process import LaurelProcess

PER_ADDRESS = 20
PER_USER = 5
SECONDS = 10
PING = b"\x89\x80\0\0\0\0"
PONG = b"\x8a\x80\0\0\0\0"
FLOODERS = 10
FLOOD_BYTES = 4 << 20
SPARE_BYTES = 16 << 20
"""What a process may gain that has served for a while; one flood without a budget made 87 MB."""


@pytest.fixture(scope="module")
def strict() -> Iterator[LaurelProcess]:
    """Two pods with their limits."""
    with LaurelProcess() as process:
        yield process.start(pods=2, load_test=False)


@pytest.fixture(scope="module")
def lifted() -> Iterator[LaurelProcess]:
    with LaurelProcess() as process:
        yield process.start()


def live(laurel: LaurelProcess, number: int = 0) -> str:
    """The live board of one of the pods, which take turns."""
    return laurel.urls[number % len(laurel.urls)].replace("http", "ws", 1) + "/api/v1/live"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def nobody_left(laurel: LaurelProcess) -> None:
    """Until the pods have noticed that everybody went."""
    async with asyncio.timeout(SECONDS):
        for pid, url in zip(laurel.pods(), laurel.urls, strict=True):
            while connections(pid, urlsplit(url).port or 0) > 0:
                await asyncio.sleep(0.05)


async def test_connections_of_one_address_are_limited(strict: LaurelProcess) -> None:
    async with aiohttp.ClientSession() as session:
        events = f"{strict.urls[0]}/api/v1/live/events"
        sockets = [await session.ws_connect(live(strict, number)) for number in range(PER_ADDRESS - 1)]
        async with session.get(events) as stream:
            assert stream.status == 200
            for number in range(2):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await session.ws_connect(live(strict, number))
                assert refused.value.status == 429
            assert int(refused.value.headers["Retry-After"]) > 0
            async with session.get(events) as answer:
                assert (answer.status, (await answer.json(content_type=None))["code"]) == (429, "rate_limited")
        await sockets[0].close()
        async with asyncio.timeout(SECONDS):
            while True:
                async with session.get(events) as answer:
                    if answer.status == 200:
                        break
        for one in sockets:
            await one.close()
    await nobody_left(strict)


async def test_connections_of_one_player_are_limited(strict: LaurelProcess) -> None:
    _, token = strict.mint_tokens(1)[0]
    async with aiohttp.ClientSession() as session:
        held = [await session.ws_connect(live(strict, number), headers=bearer(token)) for number in range(PER_USER)]
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(live(strict), headers=bearer(token))
        assert refused.value.status == 429
        async with session.ws_connect(live(strict)) as stranger:
            await stranger.send_json({"type": "auth", "token": token})
            async for _ in stranger:
                pass
            assert stranger.close_code == 4429
        await held[0].send_json({"type": "auth", "token": token})  # one that is counted already
        for one in held:
            await one.close()
    await nobody_left(strict)


async def upgraded(laurel: LaurelProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket of which every byte is ours."""
    address = urlsplit(laurel.urls[0])
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(
        f"GET /api/v1/live HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {b64encode(os.urandom(16)).decode()}\r\n\r\n".encode()
    )
    assert b"101" in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The first byte and the payload of the next frame."""
    first, size = await reader.readexactly(2)
    if size == 126:
        size = int.from_bytes(await reader.readexactly(2))
    return first, await reader.readexactly(size)


async def close_code(reader: asyncio.StreamReader) -> int:
    """The code of the close frame; what comes before it is passed over."""
    async with asyncio.timeout(SECONDS):
        while True:
            first, payload = await frame(reader)
            if first == 0x88:
                assert await reader.read() == b""
                return int.from_bytes(payload[:2])


def masked(first: int, payload: bytes) -> bytes:
    """A frame with a mask of zeros."""
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2)
    return bytes([first]) + size + bytes(4) + payload


TEXT, MORE, LAST = 0x01, 0x00, 0x80


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (PING * 21, 4429),
        (PONG * 21, 4429),
        (masked(TEXT, b"") + masked(MORE, b"") * 20, 4429),
        (masked(TEXT, b"x" * 4_000) + masked(LAST, b"x" * 97), 1009),
        (masked(0x81, b"x" * 4_097), 1009),
        (masked(0x81, b'"\xff"'), 1007),
        (masked(TEXT, b'"\xe2\x82') + masked(LAST, b'"'), 1007),
        (masked(0x89, b"x" * 126), 1002),
        (masked(0x09, b""), 1002),
        (masked(0x83, b""), 1002),
        (masked(0xC1, b""), 1002),
        (masked(LAST, b""), 1002),
        (masked(TEXT, b"") + masked(0x81, b""), 1002),
        (b"\x81\x02{}", 1002),
        (masked(0x81, b"{}"), 4400),
    ],
    ids=lambda value: value if isinstance(value, int) else value[:12].hex(),
)
async def test_broken_or_too_many_frames_close_with_their_code(lifted: LaurelProcess, sent: bytes, code: int) -> None:
    reader, writer = await upgraded(lifted)
    writer.write(sent)
    assert await close_code(reader) == code
    writer.close()


async def test_fragments_are_put_together(lifted: LaurelProcess) -> None:
    reader, writer = await upgraded(lifted)
    for piece in (masked(TEXT, b'{"type": '), PING, masked(LAST, b'"ping"}')):
        for at in range(len(piece)):
            writer.write(piece[at : at + 1])
            await writer.drain()
    async with asyncio.timeout(SECONDS):
        received = b""
        while b'{"type":"pong"}' not in received:
            received += await reader.read(4096)
    assert b"\x8a\x00" in received
    writer.close()


@pytest.mark.alone
async def test_floods_of_control_frames_leave_no_memory_behind(lifted: LaurelProcess) -> None:
    pid = lifted.pods()[0]

    async def flood(frame: bytes) -> int:
        reader, writer = await upgraded(lifted)
        writer.write(frame * (FLOOD_BYTES // len(frame)))
        try:
            return await close_code(reader)
        except (ConnectionError, asyncio.IncompleteReadError):
            return 4429  # the pod had no patience with what was still under way
        finally:
            writer.transport.abort()

    await flood(PING)
    before = psutil.Process(pid).memory_info().rss
    for frame in (PING, PONG, masked(0x89, b"x" * 125)):
        codes = await asyncio.gather(*(flood(frame) for _ in range(FLOODERS)))
        assert set(codes) == {4429}
    await nobody_left(lifted)
    assert psutil.Process(pid).memory_info().rss - before < SPARE_BYTES


@pytest.mark.timeout(120)
async def test_who_answers_no_ping_is_gone(lifted: LaurelProcess) -> None:
    """One answers, one only talks, one is silent: after two beats that one is told to come back."""

    async def code_of(reply: bytes) -> tuple[int | None, int]:
        """The close code, if it is closed within three beats, and how many pings came."""
        reader, writer = await upgraded(lifted)
        pings, code = 0, None
        with suppress(TimeoutError):
            async with asyncio.timeout(2.5 * BEAT_SECONDS):
                while code is None:
                    first, payload = await frame(reader)
                    if first == 0x88:
                        code = int.from_bytes(payload[:2])
                    elif first == 0x89:
                        pings += 1
                        writer.write(reply)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        return code, pings

    found = await asyncio.gather(*map(code_of, (PONG, masked(0x81, b'{"type":"ping"}'), b"")))
    assert found == [(None, 2), (None, 2), (4408, 1)]


LEAVING = 60


@asynccontextmanager
async def moving(laurel: LaurelProcess) -> AsyncIterator[None]:
    """The top changes all the while."""
    user_id, token = laurel.mint_admin()
    score = f"{laurel.urls[0]}/api/v1/admin/users/{user_id}/score"
    async with aiohttp.ClientSession(headers=bearer(token)) as admin:

        async def move() -> None:
            await admin.post(score, json={"score": 1_000_000, "reason": "r"})
            while True:
                async with admin.patch(score, json={"change": 1, "reason": "r"}) as answer:
                    assert answer.status == 200

        task = asyncio.create_task(move())
        yield
        assert not task.done()
        task.cancel()


async def test_nothing_follows_a_close(lifted: LaurelProcess) -> None:
    """Browsers complain of what comes behind a close frame, whoever closed."""
    _, token = lifted.mint_tokens(1)[0]
    async with moving(lifted), aiohttp.ClientSession() as session:

        async def behind(closing: bytes) -> bytes:
            """What comes behind the close frame until the connection ends."""
            reader, writer = await upgraded(lifted)
            writer.write(masked(0x81, json.dumps({"type": "auth", "token": token}).encode()))
            while b"authenticated" not in (await frame(reader))[1]:
                pass
            everybody.release()
            await closes.wait()
            writer.write(closing)
            while (await frame(reader))[0] != 0x88:
                pass
            async with asyncio.timeout(SECONDS):
                rest = await reader.read()
            writer.close()
            return rest

        everybody, closes = asyncio.Semaphore(0), asyncio.Event()
        goodbye = masked(0x88, (1000).to_bytes(2))
        tasks = [asyncio.create_task(behind(goodbye if number % 2 else b"")) for number in range(LEAVING)]
        for _ in tasks:
            await everybody.acquire()
        closes.set()
        await session.post(f"{lifted.urls[0]}/api/v1/auth/logout", headers=bearer(token))
        assert set(await asyncio.gather(*tasks)) == {b""}
