"""Debian's PostgreSQL and Redis, which take nothing but TLS, with a password, and a certificate made here."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import httpx
import pytest

from loadtests.client import Client, Player
from server.cli.main import main
from tests.deploy.certificates import certificate
from tests.deploy.programs import postgres, redis
from tests.laurel_process import free_ports, temporary_folder, until
from tests.pods import migrated, simple_catalogue
from tests.served import ServedPod, secrets

PASSWORD = "correct-horse"
TRIES = 30
"""A rank that is not there within 50 ms is left out, as on a busy machine."""
REFUSED = "certificate verify failed"
ENCRYPTED = """
    SELECT bool_and(s.ssl) AND count(*) > 1 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid)
    WHERE a.usename = 'laurel'
"""


@dataclass(frozen=True)
class Servers:
    """Their ports, and the certificate that they show."""

    postgres: int
    redis: int
    trusted: Path

    def environ(self, trusted: Path | None = None) -> dict[str, str]:
        """Settings that trust this certificate, or another."""
        file = trusted or self.trusted
        database = f"postgresql://laurel:{PASSWORD}@127.0.0.1:{self.postgres}/postgres"
        return {
            "LAUREL_DATABASE_URL": f"{database}?sslmode=verify-full&sslrootcert={file}",
            "LAUREL_REDIS_URL": f"rediss://:{PASSWORD}@127.0.0.1:{self.redis}/0?ssl_ca_certs={file}",
        }


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    first, folder, other = free_ports(2), temporary_folder(), temporary_folder()
    trusted, _ = certificate(folder)
    shutil.copytree(folder, other, dirs_exist_ok=True)
    with postgres(folder, first, PASSWORD), redis(other, first + 1, PASSWORD):
        yield Servers(first, first + 1, trusted)
    shutil.rmtree(folder)
    shutil.rmtree(other)


@pytest.fixture(scope="module")
def keys() -> dict[str, str]:
    return secrets()


def test_a_pod_redeems_and_nothing_of_it_is_in_clear(
    servers: Servers, keys: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = servers.environ()
    assert main(["migrate"], environ) == 0
    with ServedPod(tmp_path, keys | environ) as pod:
        asyncio.run(play(pod, environ["LAUREL_DATABASE_URL"]))
        capsys.readouterr()
        assert main(["doctor"], keys | environ | {"LAUREL_DATA": str(tmp_path)}) == 0
        assert "wrong" not in capsys.readouterr().out


async def play(pod: ServedPod, url: str) -> None:
    await (await migrated(url, simple_catalogue({"sprint": 3}))).close()
    await asyncio.to_thread(pod.await_ready)
    async with Client([pod.url]) as client:
        player = Player(client, "ada", "correct horse")
        await player.enter()
        for number in range(1, TRIES + 1):
            answer = await player.redeem((await player.start("sprint")).ticket)
            assert answer.new_score == 3 * number
            if answer.leaderboard_position:
                break
    assert answer.leaderboard_position == 1, "Redis gave no rank"
    connection = await asyncpg.connect(url)
    try:
        assert await connection.fetchval(ENCRYPTED)
    finally:
        await connection.close()


def test_a_clear_connection_is_refused_by_the_server_in_one_line(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    url = servers.environ()["LAUREL_DATABASE_URL"].partition("?")[0]
    assert main(["migrate", "--check"], {"LAUREL_DATABASE_URL": f"{url}?sslmode=disable"}) == 1
    assert "no encryption" in capsys.readouterr().err


def test_who_shows_another_certificate_is_named_by_the_doctor_and_in_the_log(
    servers: Servers, keys: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = keys | servers.environ(certificate(tmp_path)[0])
    assert main(["doctor"], environ | {"LAUREL_DATA": str(tmp_path)}) == 1
    said = capsys.readouterr().out
    for name in ("postgresql", "redis"):
        assert [line for line in said.splitlines() if line.startswith("wrong") and f"{name} " in line], said
    assert said.count(REFUSED) == 2, said
    assert "missing: 0001" not in said
    with ServedPod(tmp_path, environ) as pod:
        until(lambda: listens(pod.url))
        answer = httpx.get(f"{pod.url}/readyz", trust_env=False)
        assert answer.status_code == 503
        assert answer.json()["degraded"] == ["database", "redis"]
        for words in ("without the database", "redis is away"):
            until(lambda words=words: REFUSED in next((line for line in lines(pod) if words in line), ""))


def lines(pod: ServedPod) -> list[str]:
    return pod.log.read_text().splitlines()


def listens(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
