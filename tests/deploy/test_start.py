"""A pod that starts before its database: it lives, says what it lacks, and is ready when the database comes."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx

from server.embedded.servers import EmbeddedServers
from tests.caller import Caller
from tests.deploy.programs import haproxy
from tests.laurel_process import free_ports, temporary_folder, until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets

ALIVE_SECONDS = 15
"""Well within what the startup probe grants."""

WAY = """defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
listen postgresql
    bind 127.0.0.1:{port}
    server postgresql 127.0.0.1:{to}
"""


def status(url: str) -> int:
    try:
        return httpx.get(url, trust_env=False).status_code
    except httpx.TransportError:
        return 0


async def prepare(url: str) -> None:
    await (await migrated(url, simple_catalogue({"sprint": 3}))).close()


def test_a_pod_lives_without_its_database_and_is_ready_when_it_comes(
    embedded: EmbeddedServers, database_url: str, tmp_path: Path
) -> None:
    asyncio.run(prepare(database_url))
    address, port, folder = urlsplit(database_url), free_ports(1), temporary_folder()
    later = urlunsplit(address._replace(netloc=f"{address.netloc.rpartition(':')[0]}:{port}"))
    own = {"LAUREL_DATABASE_URL": later, "LAUREL_REDIS_URL": embedded.redis.url.replace("/0", "/9")}
    configuration = folder / "way.cfg"
    configuration.write_text(WAY.format(port=port, to=address.port))
    with ServedPod(tmp_path, secrets() | own) as pod:
        until(lambda: status(f"{pod.url}/healthz") == 200, ALIVE_SECONDS)
        answer = httpx.get(f"{pod.url}/readyz", trust_env=False)
        assert (answer.status_code, answer.json()["ready"]) == (503, False)
        assert "catalogue" in answer.json()["missing"]
        assert "database" in answer.json()["degraded"]
        with haproxy(folder, configuration, {}, port):
            pod.await_ready()
            account = {"username": "ada", "password": "correct horse"}
            with Caller(pod.url) as nobody:
                session = nobody.post("/api/v1/auth/register", account).json()
            with Caller(pod.url, session["accessToken"]) as caller:
                ticket = caller.issue("sprint")["ticket"]
                assert caller.post("/api/v1/tickets/redeem", {"ticket": ticket}).json()["newScore"] == 3
    shutil.rmtree(folder)
