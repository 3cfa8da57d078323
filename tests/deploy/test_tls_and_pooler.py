"""PgBouncer in transaction mode before PostgreSQL, TLS on the way to it and to a Redis with a password.

The embedded servers are built without TLS: PgBouncer and HAProxy hold the certificates here, as they do in many a
deployment; what is tested is Laurel's side of it.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
import pytest

from actors.checkpoints import Checkpoints
from actors.clock import Clock
from loadtests.client import Client, Player
from models.auditor import reading
from models.checkpoint_files import CheckpointFiles
from models.database import INDEX_PLANS, SESSION, Database
from models.emptying import administering
from models.errors import DatabaseUnavailable
from models.migrate import migrate
from server.cli.main import main
from server.embedded.servers import EmbeddedServers
from tests.deploy.certificates import certificate
from tests.deploy.programs import haproxy, pgbouncer
from tests.e2e.invariants import assert_whole
from tests.laurel_process import free_ports, temporary_folder
from tests.pods import CHAIN, migrated, simple_catalogue
from tests.served import ServedPod, secrets

SERVER_CONNECTIONS = 3
"""Fewer than the pods' pools together: transactions hop from one connection to another all the time."""
PLAYERS = 16
ROUNDS = 12


@dataclass
class Behind:
    """The same servers, by their pooler and by TLS."""

    database_url: str
    direct_url: str
    redis_url: str
    folder: Path
    urls: list[str]

    def config(self) -> dict[str, Any]:
        return {"databaseUrl": self.direct_url}


@pytest.fixture(scope="module")
def behind(embedded: EmbeddedServers, database_url: str) -> Iterator[Behind]:
    folder = temporary_folder()
    cert, key = certificate(folder)
    first = free_ports(2)
    postgres, redis = urlsplit(database_url), urlsplit(embedded.redis.url)
    (folder / "tls.pem").write_text(cert.read_text() + key.read_text())
    (folder / "users.txt").write_text(f'"{postgres.username}" "{postgres.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host=127.0.0.1 port={postgres.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {first}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = transaction
default_pool_size = {SERVER_CONNECTIONS}
max_client_conn = 200
client_tls_sslmode = require
client_tls_cert_file = tls.crt
client_tls_key_file = tls.key
"""
    )
    (folder / "redis.cfg").write_text(
        f"""defaults
    mode tcp
    timeout connect 1s
    timeout client 1h
    timeout server 1h
listen redis
    bind 127.0.0.1:{first + 1} ssl crt tls.pem
    server redis 127.0.0.1:{redis.port}
"""
    )
    trusted = f"sslmode=verify-full&sslrootcert={cert}&pooler=transaction"
    pooled = urlunsplit(postgres._replace(netloc=f"{postgres.netloc.rpartition(':')[0]}:{first}", query=trusted))
    encrypted = f"rediss://:{redis.password}@127.0.0.1:{first + 1}/6?ssl_ca_certs={cert}"
    with (
        pgbouncer(folder, folder / "pgbouncer.ini", first),
        haproxy(folder, folder / "redis.cfg", {}, first + 1),
    ):
        yield Behind(pooled, database_url, encrypted, folder, [])
    shutil.rmtree(folder)


async def test_a_role_without_the_settings_is_noticed_and_one_with_them_is_not(behind: Behind) -> None:
    await (await migrated(behind.direct_url, simple_catalogue({"sprint": 3}))).close()
    database = Database(behind.database_url)
    await database.open()
    try:
        assert await database.unset() == sorted(SESSION | INDEX_PLANS)
    finally:
        await database.close()
    await give_the_role_its_settings(behind.direct_url)
    database = Database(behind.database_url)
    await database.open()
    try:
        assert await database.unset() == []
    finally:
        await database.close()


async def give_the_role_its_settings(url: str) -> None:
    """What the README tells to do, for this database alone; and PgBouncer's old connections end."""
    address = urlsplit(url)
    database = address.path.lstrip("/")
    connection = await asyncpg.connect(url)
    try:
        for name, value in (SESSION | INDEX_PLANS).items():
            await connection.execute(f"ALTER ROLE {address.username} IN DATABASE {database} SET {name} = '{value}'")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            database,
        )
    finally:
        await connection.close()


async def test_pods_behind_a_pooler_and_tls_redeem_exactly_once(behind: Behind, tmp_path: Path) -> None:
    environ = secrets() | {
        "LAUREL_DATABASE_URL": behind.database_url,
        "LAUREL_REDIS_URL": behind.redis_url,
        "LAUREL_LOAD_TEST": "true",
    }
    with ServedPod(tmp_path, environ) as one, ServedPod(tmp_path, environ) as other:
        pods = [one, other]
        for pod in pods:
            await asyncio.to_thread(pod.await_ready)
        behind.urls[:] = [pod.url for pod in pods]
        async with Client(behind.urls[:1]) as near, Client(behind.urls[1:]) as far:
            players = [Player(near, f"p{number}-{one.port}", "correct horse") for number in range(PLAYERS)]
            for player in players:
                await player.enter()
            answers = await asyncio.gather(*(play(player, near, far) for player in players))
        acknowledged = {answer["ticketId"]: answer for found in answers for answer in found}
        assert len(acknowledged) == PLAYERS * ROUNDS
        await assert_whole(behind, acknowledged)
        logs = "".join(pod.log.read_text() for pod in pods)
    assert "prepared statement" not in logs
    assert '"error"' not in logs, logs
    assert "behind a pooler" not in logs


async def play(player: Player, near: Client, far: Client) -> list[dict[str, Any]]:
    """Redeems each ticket at both pods at once: one change, one answer."""
    found = []
    for _ in range(ROUNDS):
        ticket = await player.start("sprint")
        asked = ("POST", "/api/v1/tickets/redeem", {"ticket": ticket.ticket}, player._headers)
        both = await asyncio.gather(near.ask(*asked), far.ask(*asked))
        first, second = (msgspec.json.decode(answer) for answer in both)
        assert first["newScore"] == second["newScore"]
        assert {first["replayed"], second["replayed"]} == {True, False}
        found.append(first)
    return found


@pytest.mark.parametrize("changed", ["localhost", "another certificate"])
async def test_a_server_that_cannot_prove_who_it_is_is_not_used(behind: Behind, changed: str, tmp_path: Path) -> None:
    url = behind.database_url
    if changed == "localhost":
        url = url.replace("@127.0.0.1:", "@localhost:")
    else:
        url = url.replace(str(behind.folder), str(certificate(tmp_path)[0].parent))
    database = Database(url)
    await database.open()
    try:
        with pytest.raises(DatabaseUnavailable, match=r"(?i)certificate"):
            await database.rows("SELECT 1 AS one")
    finally:
        await database.close()


def test_migrations_are_checked_but_not_made_through_a_pooler(
    behind: Behind, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = {"LAUREL_DATABASE_URL": behind.database_url}
    assert main(["migrate", "--check"], environ) == 0
    assert main(["migrate"], environ) == 1
    assert "not a pooler" in capsys.readouterr().err


async def test_the_roles_limits_do_not_end_what_takes_long(behind: Behind, tmp_path: Path) -> None:
    """The README has the role limited for the pooler's sake; migrations, archives and audits name PostgreSQL itself."""
    address = urlsplit(behind.direct_url)
    name = f"limited_{address.path.lstrip('/')}"
    url = urlunsplit(address._replace(path=f"/{name}"))
    admin = await asyncpg.connect(behind.direct_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        for setting in SESSION:
            await admin.execute(f"ALTER ROLE {address.username} IN DATABASE {name} SET {setting} = '1'")
        assert await migrate(url)
        for session in (administering(url), reading(url)):
            async with session as connection, connection.transaction():
                await connection.execute("SELECT pg_sleep(0.05)")
                await asyncio.sleep(0.05)
                await connection.execute("SELECT 1")
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


async def test_checkpoints_are_taken_through_a_pooler(behind: Behind, tmp_path: Path) -> None:
    database = Database(behind.database_url)
    await database.open()
    try:
        name = tmp_path / "laurel.checkpoint"
        checkpoints = Checkpoints(database, behind.database_url, CHAIN, Clock(), name, "pod")
        await database.rows("DELETE FROM marks WHERE name = 'checkpoint'")
        await database.rows("DELETE FROM leases WHERE name = 'checkpoint'")
        assert await checkpoints.look()
        assert CheckpointFiles(name).latest(CHAIN) is not None
    finally:
        await database.close()


@pytest.mark.parametrize(
    "command",
    ["backup file", "restore file", "audit verify", "audit checkpoint", "ledger archive --before 2020-01 ."],
)
def test_what_needs_a_session_says_that_a_pooler_gives_none(
    command: tuple[str, ...],
    behind: Behind,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    if command.startswith("restore"):
        (tmp_path / "file").touch()
    environ = secrets() | {"LAUREL_DATABASE_URL": behind.database_url, "LAUREL_REDIS_URL": behind.redis_url}
    assert main(command.split(), environ) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert "not a pooler" in said.err
    assert [path for path in tmp_path.iterdir() if path.stat().st_size] == []


def test_the_doctor_and_a_rebuild_work_through_a_pooler(
    behind: Behind, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environ = secrets() | {"LAUREL_DATABASE_URL": behind.database_url, "LAUREL_REDIS_URL": behind.redis_url}
    environ |= {"LAUREL_DATA": str(tmp_path)}
    assert main(["doctor"], environ) == 0, capsys.readouterr().out
    assert main(["rebuild"], environ) == 0
    assert "global" in capsys.readouterr().out
