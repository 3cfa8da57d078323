"""The Ingress in a real HAProxy: its annotations rendered as the ingress controller does, before two pods.

The controller's own defaults are the rest of the configuration. Short times are shortened here, those that must be
long are left.
"""

import asyncio
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import httpx
import pytest

from k8s import validate
from server.embedded.servers import EmbeddedServers
from tests.deploy.programs import haproxy
from tests.deploy.test_k8s import manifests
from tests.deploy.test_rolling import STRANGERS, checks, dribble, prepare, shares, taken
from tests.laurel_process import free_ports, temporary_folder, until
from tests.served import ServedPod, secrets

IDLE_SECONDS = 2
"""In place of the 45 and 50 s after which an idle request ends."""
SLOW_CLIENT_SECONDS = 4
"""In place of the 10 s that a request may take to arrive."""
PREFIX = "haproxy.org/"
KNOWN = {"check", "check-http", "check-interval", "forwarded-for", "load-balance", "backend-config-snippet"}
"""Annotations that a backend has in every version of the controller; others it passes over without a word."""

pytestmark = pytest.mark.skipif(
    validate.renderer() is None,
    reason="!! neither kustomize nor kubectl is here, so this was NOT tested: apt-get install kubernetes-client",
)


def rendered(annotations: Mapping[str, str], port: int, pods: list[int]) -> str:
    """What the controller writes for the Ingress."""
    given = {name.removeprefix(PREFIX): value for name, value in annotations.items() if name.startswith(PREFIX)}
    assert set(given) <= KNOWN
    checked = f" check inter {given['check-interval']}" if given["check"] == "true" else ""
    backend = [
        "mode http",
        f"balance {given['load-balance']}",
        f"option httpchk {given['check-http']}",
        *(["option forwardfor"] if given["forwarded-for"] != "false" else []),
        *given["backend-config-snippet"].splitlines(),
        f"default-server{checked}",
        *(f"server SRV_{number} 127.0.0.1:{pod}" for number, pod in enumerate(pods, start=1)),
    ]
    defaults = [
        *("log stdout format raw local0 notice", "option redispatch", "option dontlognull", "option http-keep-alive"),
        *("timeout http-request 5s", "timeout check 15s", "timeout connect 5s", "timeout queue 5s"),
        *(f"timeout client {IDLE_SECONDS}s", "timeout server 50s", "timeout tunnel 1h", "timeout http-keep-alive 1m"),
    ]
    frontend = [
        *("mode http", f"bind 127.0.0.1:{port}", "http-request set-header X-Forwarded-Proto http"),
        "default_backend laurel",
    ]
    sections = {"defaults": defaults, "frontend http": frontend, "backend laurel": backend}
    return "".join(f"{name}\n" + "".join(f"    {line}\n" for line in lines) for name, lines in sections.items())


def shortened(text: str) -> str:
    text, servers = re.subn("timeout server 45s", f"timeout server {IDLE_SECONDS}s", text)
    text, requests = re.subn("timeout http-request 10s", f"timeout http-request {SLOW_CLIENT_SECONDS}s", text)
    assert (servers, requests) == (1, 1)
    return text


@dataclass
class Entrance:
    """Where the ingress listens, and the pods behind it."""

    url: str
    pods: list[ServedPod]
    folder: Path


@pytest.fixture(scope="module")
def ingress(embedded: EmbeddedServers, database_url: str) -> Iterator[Entrance]:
    annotations = manifests("prod")["Ingress", "laurel"]["metadata"]["annotations"]
    folder, first = temporary_folder(), free_ports(3)
    asyncio.run(prepare(database_url))
    environ = secrets() | {
        "LAUREL_DATABASE_URL": database_url,
        "LAUREL_REDIS_URL": embedded.redis.url.replace("/0", "/8"),
        "LAUREL_TRUSTED_PROXIES": "1",
    }
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        pods = [stack.enter_context(ServedPod(folder, environ, first + number)) for number in range(2)]
        configuration = folder / "ingress.cfg"
        configuration.write_text(shortened(rendered(annotations, first + 2, [pod.port for pod in pods])))
        for pod in pods:
            pod.await_ready()
        stack.enter_context(haproxy(folder, configuration, {}, first + 2))
        yield Entrance(f"http://127.0.0.1:{first + 2}", pods, folder)


def test_haproxy_understands_every_line_and_asks_whether_pods_are_ready(ingress: Entrance) -> None:
    until(lambda: all(checks(pod) for pod in ingress.pods))
    said = (ingress.folder / "haproxy.log").read_text()
    assert "config" not in said, said


def test_a_player_stays_with_one_pod(ingress: Entrance) -> None:
    assert sorted(taken(ingress.url, ingress.pods)) == [0, 4], "one player's requests went to several pods"


def test_players_are_spread(ingress: Entrance) -> None:
    assert min(shares(ingress.url, ingress.pods)) > STRANGERS / 10


async def test_a_quiet_viewer_outlives_the_short_times(ingress: Entrance) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{ingress.url}/api/v1/live") as ws:
        assert (await ws.receive_json())["type"] == "leaderboard.snapshot"
        with pytest.raises(TimeoutError):
            await ws.receive(timeout=1.5 * IDLE_SECONDS)
        await ws.send_json({"type": "ping"})
        assert (await ws.receive_json(timeout=5))["type"] == "pong"


async def test_a_client_that_dribbles_is_ended_in_time(ingress: Entrance) -> None:
    """The controller bounds the head of a request, the snippet its body, one byte a second being sent meanwhile."""
    start = (
        b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    answer, seconds = await dribble(ingress.url, start)
    assert b" 408 " in answer
    assert SLOW_CLIENT_SECONDS - 1 < seconds < SLOW_CLIENT_SECONDS + 2


def test_nobody_gets_numbers_or_says_who_they_are(ingress: Entrance) -> None:
    """The header that chooses the pod, and the address, are the proxy's: what a client sends of them is dropped."""
    assert httpx.get(f"{ingress.url}/metrics", trust_env=False).status_code == 404
    for number in range(4):
        headers = {"X-Laurel-User": "somebody", "X-Forwarded-For": f"192.0.2.{number}"}
        answer = httpx.get(f"{ingress.url}/api/v1/boards", headers=headers, trust_env=False)
        assert answer.status_code == 200
    left = int(re.search(r"r=(\d+)", answer.headers["RateLimit"])[1])
    assert left < 599, "each made-up address was believed"
