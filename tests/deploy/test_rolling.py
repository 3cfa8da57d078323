"""Three pods behind the project's proxy: restarts one by one under load, affinity, slow clients.

More restarts: RESTARTS=20 pytest tests/deploy/test_rolling.py
"""

import asyncio
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from loadtests.client import Client, Player
from models.migrate import migrate
from server.embedded.servers import EmbeddedServers
from tests.caller import Caller, segment
from tests.deploy.programs import proxy
from tests.e2e.invariants import assert_whole
from tests.laurel_process import free_ports, temporary_folder, until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets

RESTARTS = int(os.environ.get("RESTARTS", "3"))
PLAYERS = 12
VIEWERS = 6
BACK_SECONDS = 5.0
BEAT_SECONDS = 0.05
"""Between a player's redemptions, so that tops change all the time and two cores suffice."""
STRANGERS = 40
"""Players who ask once, so that it is seen how they are spread."""
SLOW_CLIENT_SECONDS = 10
"""`timeout http-request` of deploy/haproxy.cfg."""


@dataclass
class Deployment:
    """Pods, the proxy's address and the database, as `assert_whole` wants them."""

    pods: list[ServedPod]
    url: str
    database_url: str
    urls: list[str] = field(default_factory=list)

    def config(self) -> dict[str, Any]:
        return {"databaseUrl": self.database_url}


@pytest.fixture(scope="module")
def deployment(embedded: EmbeddedServers, database_url: str) -> Iterator[Deployment]:
    folder = temporary_folder()
    asyncio.run(prepare(database_url))
    environ = secrets() | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": embedded.redis.url.replace("/0", "/7"),
        "LAUREL_LOAD_TEST": "true",
        "LAUREL_TRUSTED_PROXIES": "1",
        "LAUREL_GRACE_SECONDS": "15",
    }
    first = free_ports(4)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        pods = [stack.enter_context(ServedPod(folder, environ, first + number)) for number in range(3)]
        stack.enter_context(proxy(folder, [pod.port for pod in pods], first + 3))
        for pod in pods:
            pod.await_ready()
            until(lambda pod=pod: checks(pod))
        yield Deployment(pods, f"http://127.0.0.1:{first + 3}", database_url, [pod.url for pod in pods])


async def prepare(database_url: str) -> None:
    await migrate(database_url)
    await (await migrated(database_url, simple_catalogue({"sprint": 3}))).close()


def counted(pod: ServedPod, name: str, **labels: str) -> float:
    text = httpx.get(f"{pod.url}/metrics", trust_env=False, verify=False).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def checks(pod: ServedPod) -> bool:
    """Whether the proxy has found a pod ready."""
    return counted(pod, "laurel_requests_total", route="/readyz", code="200") >= 2


async def play(player: Player, stop: asyncio.Event, acknowledged: dict[str, dict[str, Any]]) -> None:
    """Redeems until told to stop; what is not answered in the end fails the test."""
    while not stop.is_set():
        ticket = await player.start("sprint")
        answer = await player.redeem(ticket.ticket)
        acknowledged[answer.ticket_id] = msgspec.to_builtins(answer)
        await asyncio.sleep(BEAT_SECONDS)


async def watch(client: Client, gaps: list[float]) -> None:
    """Notes the times without a newer top, of which there is one every moment."""
    last = time.monotonic()
    async for _ in client.live():
        now = time.monotonic()
        gaps.append(now - last)
        last = now


async def restart(pods: list[ServedPod], times: int) -> None:
    for number in range(times):
        pod = pods[number % len(pods)]
        assert await asyncio.to_thread(pod.stop) == 0
        pod.start()
        await asyncio.to_thread(pod.await_ready)
        await asyncio.to_thread(until, lambda pod=pod: checks(pod))


@pytest.mark.alone
@pytest.mark.timeout(60 + 15 * RESTARTS)
async def test_restarts_one_by_one_lose_nothing_and_nobody(deployment: Deployment) -> None:
    acknowledged: dict[str, dict[str, Any]] = {}
    gaps: list[list[float]] = [[] for _ in range(VIEWERS)]
    stop = asyncio.Event()
    async with Client([deployment.url]) as client:
        players = [Player(client, f"r{os.getpid()}-{number}", "correct horse") for number in range(PLAYERS)]
        for player in players:
            await player.enter()
        viewers = [asyncio.create_task(watch(client, found)) for found in gaps]
        playing = [asyncio.create_task(play(player, stop, acknowledged)) for player in players]
        began = time.monotonic()
        await restart(deployment.pods, RESTARTS)
        seconds = time.monotonic() - began
        stop.set()
        await asyncio.gather(*playing)
        for viewer in viewers:
            assert not viewer.done() or not viewer.exception(), viewer.exception()
            viewer.cancel()
        await asyncio.wait(viewers)
    await assert_whole(deployment, acknowledged)
    longest = max(max(found) for found in gaps)
    print(f"{RESTARTS} restarts in {seconds:.0f} s: {len(acknowledged)} redemptions, longest gap {longest:.2f} s")
    assert len(acknowledged) > PLAYERS * RESTARTS
    assert longest < BACK_SECONDS


def test_a_player_stays_with_one_pod(deployment: Deployment) -> None:
    until(lambda: all(checks(pod) for pod in deployment.pods))
    assert sorted(taken(deployment.url, deployment.pods)) == [0, 0, 4], "one player's requests went to several pods"


def test_players_are_spread(deployment: Deployment) -> None:
    until(lambda: all(checks(pod) for pod in deployment.pods))
    assert min(shares(deployment.url, deployment.pods)) > STRANGERS / 10


def taken(url: str, pods: list[ServedPod]) -> list[float]:
    """How many of four requests of a new player each pod took."""
    account = {"username": f"a{pods[0].port}", "password": "correct horse"}
    with Caller(url) as nobody:
        session = nobody.post("/api/v1/auth/register", account).json()
    before = [issues(pod) for pod in pods]
    with Caller(url, session["accessToken"]) as caller:
        for _ in range(4):
            caller.issue("sprint")
    return [issues(pod) - was for pod, was in zip(pods, before, strict=True)]


def shares(url: str, pods: list[ServedPod]) -> list[float]:
    """How many of some players each pod took: the same at each run, as they are told apart by the `sub` of a token.

    The proxy does not verify a token, so anybody's will do.
    """
    before = [issues(pod, "401") for pod in pods]
    for number in range(STRANGERS):
        token = f"{segment({'alg': 'none'})}.{segment({'sub': f'stranger {number}'})}.{segment('')}"
        with Caller(url, token) as caller:
            assert caller.post("/api/v1/tickets", {"action": "sprint"}).status_code == 401
    return [issues(pod, "401") - was for pod, was in zip(pods, before, strict=True)]


def issues(pod: ServedPod, code: str = "201") -> float:
    return counted(pod, "laurel_requests_total", route="/api/v1/tickets", code=code)


def test_numbers_are_not_for_the_world(deployment: Deployment) -> None:
    assert httpx.get(f"{deployment.url}/metrics", trust_env=False).status_code == 404


async def test_clients_that_dribble_are_ended_in_time(deployment: Deployment) -> None:
    """One byte a second outlives every idle timer; the proxy bounds the total, of headers and of bodies."""
    start = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    begun = [start, start + b"Content-Length: 1000\r\n\r\n"]
    for answer, seconds in await asyncio.gather(*(dribble(deployment.url, one) for one in begun)):
        assert b" 408 " in answer
        assert SLOW_CLIENT_SECONDS - 2 < seconds < SLOW_CLIENT_SECONDS + 3


async def dribble(url: str, start: bytes) -> tuple[bytes, float]:
    """The first bytes of an answer and when they came, one byte a second being sent meanwhile."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
    began = time.monotonic()
    writer.write(start)
    answer = b""
    while not answer and time.monotonic() - began < 2 * SLOW_CLIENT_SECONDS:
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                answer = await reader.read(1_000)
        if not answer:
            writer.write(b"x")
    writer.close()
    return answer, time.monotonic() - began


async def test_viewers_get_frames_through_the_proxy_without_an_idle_cut(deployment: Deployment) -> None:
    """The WebSocket and the event stream both arrive; their timeouts are those of the pods' heartbeats."""
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(f"{deployment.url}/api/v1/live") as ws:
            assert (await ws.receive_json())["type"] == "leaderboard.snapshot"
        async with session.get(f"{deployment.url}/api/v1/live/events") as events:
            assert b"leaderboard.snapshot" in await events.content.readline()
