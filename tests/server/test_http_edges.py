"""What stands around every request: its time, its headers, other origins, the log."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.caller import Caller
from tests.laurel_process import LaurelProcess

REQUEST_SECONDS = 1
SLACK_SECONDS = 2.0
GAME, EVIL = "https://game.example", "https://evil.example"
HEAD = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.fixture(scope="module")
def edged() -> Iterator[LaurelProcess]:
    environ = {"LAUREL_REQUEST_SECONDS": str(REQUEST_SECONDS), "LAUREL_ORIGINS": f"https://other.example,{GAME}"}
    with LaurelProcess() as process:
        yield process.start(load_test=False, env=environ)


@pytest.fixture
def nobody(edged: LaurelProcess) -> Iterator[Caller]:
    with Caller(edged.urls[0]) as caller:
        yield caller


async def connected(laurel: LaurelProcess) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(laurel.urls[0])
    return await asyncio.open_connection(address.hostname, address.port)


async def drip(writer: asyncio.StreamWriter, first: bytes, piece: bytes) -> None:
    """Sends something at once and the rest slowly, until the server has enough of it."""
    writer.write(first)
    while not writer.transport.is_closing():
        await asyncio.sleep(0.05)
        writer.write(piece)


SLOW = {
    "head": (b"GET /healthz HTTP/1.1\r\n", b"x-a: b\r\n", b"408"),
    "head in one line": (b"GET /healthz HTTP/1.1\r\nx: ", b"y", b"408"),
    "request line": (b"GET /", b"x", b"408"),
    "body": (HEAD + b"Content-Length: 10000\r\n\r\n", b" ", b"408"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n", b"408"),
    "one chunk": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n", b" ", b"408"),
    "body that is too large": (HEAD + b"Content-Length: 20000\r\n\r\n", b" ", b"413"),
    "second request": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /", b"x", b"200"),
}


LOGIN = b'{"username":"nobody","password":"whatever it is"}'
SIZED = HEAD + b"Content-Length: %d\r\n" % len(LOGIN)
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(LOGIN), LOGIN)

ARRIVALS = {
    "at once": [SIZED + b"\r\n" + LOGIN],
    "after its header": [SIZED + b"\r\n", LOGIN],
    "in two pieces": [SIZED + b"\r\n" + LOGIN[:10], LOGIN[10:]],
    "with the next request": [SIZED + b"\r\n" + LOGIN + b"GET /healthz HT", b"TP/1.1\r\nHost: x\r\n\r\n"],
    "in chunks": [CHUNKS],
    "when asked for": [SIZED + b"Expect: 100-continue\r\n\r\n", LOGIN],
    "before it is asked for": [SIZED + b"Expect: 100-continue\r\n\r\n" + LOGIN],
}


@pytest.mark.parametrize("arrival", ARRIVALS)
async def test_a_body_counts_however_it_arrives(edged: LaurelProcess, arrival: str):
    reader, writer = await connected(edged)
    for piece in ARRIVALS[arrival]:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)  # so that pieces are read apart
    if arrival != "with the next request":
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    found = b""
    async with asyncio.timeout(SLACK_SECONDS):
        while found.count(b"HTTP/1.1 200") < 1:
            found += await reader.readline()
    writer.close()
    assert found.count(b"HTTP/1.1 401") == 1, found
    assert (b"HTTP/1.1 100" in found) == ("asked for" in arrival)


ASKED = {
    "a read": b"GET /api/v1/actions HTTP/1.1\r\nHost: x\r\n",
    "with an id": b"GET /api/v1/actions HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n",
    "from another origin": b"GET /api/v1/actions HTTP/1.1\r\nHost: x\r\nOrigin: " + GAME.encode() + b"\r\n",
    "a board with its tag": b"GET /api/v1/boards/global/top HTTP/1.1\r\nHost: x\r\n",
    "a refusal": b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n",
}


async def answered(laurel: LaurelProcess, request: bytes) -> tuple[bytes, dict[bytes, bytes], bytes]:
    """The first line, the headers and the body of an answer."""
    reader, writer = await connected(laurel)
    writer.write(request)
    async with asyncio.timeout(SLACK_SECONDS):
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n").split(b"\r\n")
        headers = {name.lower(): value for name, value in (line.split(b": ", 1) for line in lines)}
        assert len(headers) == len(lines), lines
        body = await reader.readexactly(int(headers[b"content-length"]))
    writer.transport.abort()
    return first, headers, body


@pytest.mark.parametrize("asked", ASKED)
async def test_an_answer_is_the_same_whether_its_connection_stays_open(edged: LaurelProcess, asked: str):
    """Sanic puts together the one that closes."""
    stays = await answered(edged, ASKED[asked] + b"\r\n")
    closes = await answered(edged, ASKED[asked] + b"Connection: close\r\n\r\n")
    assert (stays[1][b"connection"], closes[1][b"connection"]) == (b"keep-alive", b"close")
    for _, headers, _ in (stays, closes):
        assert (b"ratelimit" in headers) == (b"ratelimit-policy" in headers)
        for name in (b"connection", b"ratelimit", *([b"x-request-id"] if asked == "a refusal" else [])):
            headers.pop(name, None)
    if asked == "a refusal":  # whose body has the id too
        assert stays[:2] == closes[:2]
    else:
        assert stays == closes


async def slowly(laurel: LaurelProcess, first: bytes, piece: bytes) -> tuple[bytes, float]:
    """The status of a slow request's answer, and the seconds until it is closed."""
    reader, writer = await connected(laurel)
    began = time.monotonic()
    dripping = asyncio.ensure_future(drip(writer, first, piece))
    try:
        async with asyncio.timeout(2 * REQUEST_SECONDS + SLACK_SECONDS):
            head = await reader.read(12)
            with suppress(ConnectionError):  # closed with something of ours unread
                while await reader.read(4096):
                    pass
    finally:
        dripping.cancel()
        writer.transport.abort()
    return head[-3:], time.monotonic() - began


async def test_a_request_must_arrive_in_time(edged: LaurelProcess):
    found = await asyncio.gather(*(slowly(edged, first, piece) for first, piece, _ in SLOW.values()))
    assert [status for status, _ in found] == [status for _, _, status in SLOW.values()]
    assert min(seconds for status, seconds in found if status == b"408") > REQUEST_SECONDS


async def test_a_client_that_is_never_idle_is_left_alone(edged: LaurelProcess):
    reader, writer = await connected(edged)
    half = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea", b"lthz HTTP/1.1\r\nHost: x\r\n\r\n"
    until_time = time.monotonic() + 2.5 * REQUEST_SECONDS
    asked = 0
    while time.monotonic() < until_time:
        for piece in half:
            writer.write(piece)
            await asyncio.sleep(0.1)
        asked += 2
    received = b""
    async with asyncio.timeout(5):
        while received.count(b'{"status":"ok"}') < asked:
            received += await reader.read(65_536)
    assert received.count(b"HTTP/1.1 200") == asked
    writer.transport.abort()


async def test_an_event_stream_outlives_all_deadlines(edged: LaurelProcess):
    reader, writer = await connected(edged)
    writer.write(b"GET /api/v1/live/events HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"200" in await reader.readline()
    await reader.readuntil(b"leaderboard.snapshot")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5 * REQUEST_SECONDS):
            while await reader.read(4096):
                pass
    writer.transport.abort()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/boards"),
        ("GET", "/api/v1/boards/global/top"),
        ("GET", "/api/v1/nothing"),
        ("GET", "/api/v1/me"),
        ("PUT", "/api/v1/boards"),
        ("POST", "/api/v1/auth/login"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("OPTIONS", "/api/v1/boards"),
    ],
)
def test_every_answer_has_security_headers(nobody: Caller, method: str, path: str):
    answer = nobody.http.request(method, path)
    is_json = answer.headers.get("content-type") == "application/json"
    wanted = {"x-content-type-options": "nosniff"} if is_json else SECURITY  # no browser shows plain JSON
    assert {name: answer.headers.get(name) for name in wanted} == wanted


def test_an_answer_without_a_request_has_them_too(edged: LaurelProcess):
    answer = asyncio.run(exchanged(edged, b"nonsense\r\n\r\n")).decode().lower()
    assert all(f"{name}: {value}" in answer for name, value in SECURITY.items())


async def exchanged(laurel: LaurelProcess, request: bytes) -> bytes:
    reader, writer = await connected(laurel)
    writer.write(request)
    received = await reader.read()
    writer.close()
    await writer.wait_closed()
    return received


def test_the_page_has_a_strict_policy_of_its_own(nobody: Caller):
    answer = nobody.http.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/api/v1/boards/global/top", "/api/v1/nothing", "/api/v1/me"])
def test_an_origin_that_is_let_in_may_read(nobody: Caller, path: str):
    headers = nobody.http.get(path, headers={"Origin": GAME}).headers
    assert headers["access-control-allow-origin"] == GAME
    assert "access-control-allow-credentials" not in headers
    exposed = headers["access-control-expose-headers"].split(",")
    assert {"ratelimit", "ratelimit-policy", "etag", "retry-after"} <= set(exposed)
    assert headers["vary"].lower() == "origin"


@pytest.mark.parametrize(
    "origin", [EVIL, "null", GAME + ".evil.example", "https://gameXexample", GAME.upper(), "*", ""]
)
def test_any_other_origin_may_not(nobody: Caller, origin: str):
    answer = nobody.http.get("/api/v1/boards/global/top", headers={"Origin": origin})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
    assert answer.headers["vary"].lower() == "origin"
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in nobody.http.options("/api/v1/tickets", headers=asked).headers


def test_a_preflight_is_answered(nobody: Caller):
    wanted = "authorization,content-type,idempotency-key"
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": wanted + ",x-other"}
    answer = nobody.http.options("/api/v1/tickets/redeem", headers={"Origin": GAME, **asked})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == GAME
    assert "POST" in answer.headers["access-control-allow-methods"].split(",")
    assert set(answer.headers["access-control-allow-headers"].split(",")) == set(wanted.split(","))
    assert int(answer.headers["access-control-max-age"]) > 0


def test_a_request_leaves_no_secret_and_no_forged_line(edged: LaurelProcess, nobody: Caller):
    before = log_lines(edged)
    secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzZWNyZXQifQ.c2VjcmV0LXNlY3JldA"
    request = f'GET /api/v1/live?token={secret}\n{{"level":"forged"}}\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n'
    asyncio.run(exchanged(edged, request.encode() + b"x\r\n\r\n"))
    nobody.http.get("/api/v1/me", headers={"Authorization": f"Bearer {secret}"})
    nobody.post("/api/v1/auth/login", {"username": "forged", "password": "secret horse"})
    added = log_lines(edged)[len(before) :]
    assert all(json.loads(line).get("level") != "forged" for line in added)
    assert not any(secret in line or "secret horse" in line for line in added)


def log_lines(laurel: LaurelProcess) -> list[str]:
    (path,) = laurel.data.glob("log/pod-*.log")
    return path.read_text().splitlines()
