"""Embedded servers: started, killed, found again, protected."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from server.embedded.errors import EmbeddedError, FolderInUse
from server.embedded.folder import DataFolder
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.processes import ProcessKey, working_in
from server.embedded.redis import EmbeddedRedis
from server.embedded.runtime import RunningPod, Runtime, write_runtime
from server.embedded.secrets import ensure_secrets, read_secrets
from server.embedded.servers import EmbeddedServers, end_leftovers
from server.settings import Settings
from tests.laurel_process import ROOT, temporary_folder, until


@pytest.fixture
def folder() -> Iterator[DataFolder]:
    root = temporary_folder()
    folder = DataFolder.prepare(root / "data")
    yield folder
    end_leftovers(folder)
    shutil.rmtree(root)


def start(folder: DataFolder) -> EmbeddedServers:
    servers = EmbeddedServers.choose(folder, ensure_secrets(folder))
    servers.start()
    return servers


def query(url: str, *statements: str) -> object:
    async def run() -> object:
        connection = await asyncpg.connect(url)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close()

    return asyncio.run(run())


def survivors(folder: DataFolder) -> list[psutil.Process]:
    return working_in(folder.postgres, "postgres") + working_in(folder.redis, "redis-server")


def test_second_start_finds_data_and_ports(folder: DataFolder):
    first = start(folder)
    query(first.postgres.url, "CREATE TABLE kept AS SELECT 42 AS n")
    first.stop()
    assert survivors(folder) == []
    second = start(folder)
    assert query(second.postgres.url, "SELECT n FROM kept") == 42
    assert (second.postgres.url, second.redis.url) == (first.postgres.url, first.redis.url)
    second.stop()


def test_start_after_everything_was_killed(folder: DataFolder):
    first = start(folder)
    query(first.postgres.url, "CREATE TABLE kept AS SELECT 42 AS n")
    for server in first.all:
        os.kill(server.pid, signal.SIGKILL)
        assert until(server.exit_code) == -signal.SIGKILL
    assert (folder.postgres / "postmaster.pid").exists()
    second = start(folder)
    assert query(second.postgres.url, "SELECT n FROM kept") == 42
    second.stop()


def test_start_ends_what_a_killed_holder_left(folder: DataFolder):
    script = (
        "import os, pathlib, signal; from server.embedded.folder import DataFolder;"
        "from server.embedded.secrets import ensure_secrets; from server.embedded.servers import EmbeddedServers;"
        f"folder = DataFolder.prepare(pathlib.Path({str(folder.root)!r}));"
        "EmbeddedServers.choose(folder, ensure_secrets(folder)).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == -signal.SIGKILL
    left = {process.pid for process in survivors(folder)}
    assert left
    second = start(folder)
    assert left.isdisjoint(process.pid for process in survivors(folder))
    assert query(second.postgres.url, "SELECT 1") == 1
    second.stop()


def test_postmaster_pid_of_an_unrelated_process_is_no_obstacle(folder: DataFolder):
    first = start(folder)
    first.stop()
    (folder.postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{folder.postgres}\n")
    second = start(folder)
    assert query(second.postgres.url, "SELECT 1") == 1
    second.stop()


def test_recorded_pod_is_ended_but_not_a_pid_used_again(folder: DataFolder):
    pod, other = (
        subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
        for _ in range(2)
    )
    key = ProcessKey.of(pod.pid)
    pods = (RunningPod("http://a", key.pid, key.create_time), RunningPod("http://b", other.pid, key.create_time - 60))
    write_runtime(folder, Runtime(1, "postgresql://a/b", "redis://a", pods=pods))
    end_leftovers(folder)
    assert key.find() is None
    assert other.poll() is None
    assert not folder.runtime.exists()
    for process in (pod, other):
        process.communicate()


def test_servers_ask_for_passwords_and_hear_loopback_only(embedded: EmbeddedServers):
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(f"postgresql://laurel:wrong@127.0.0.1:{embedded.postgres.port}/laurel", "SELECT 1")
    with Redis(port=embedded.redis.port) as stranger, pytest.raises(AuthenticationError):
        stranger.ping()
    for server in embedded.all:
        listening = [c.laddr.ip for c in psutil.Process(server.pid).net_connections("inet") if c.status == "LISTEN"]
        assert listening == ["127.0.0.1"]


def test_servers_are_set_as_promised(embedded: EmbeddedServers):
    version = query(embedded.postgres.url, "SHOW server_version_num")
    assert version.startswith("18")
    assert query(embedded.postgres.url, "SHOW fsync") == "on"
    assert query(embedded.postgres.url, "SHOW max_connections") == "200"
    assert query(embedded.postgres.url, "SHOW unix_socket_directories") == ""
    with Redis.from_url(embedded.redis.url, decode_responses=True) as client:
        assert client.config_get("save") == {"save": ""}
        assert client.info()["redis_version"].startswith("6.2")


def test_wrong_password_is_one_clear_line(folder: DataFolder):
    first = start(folder)
    first.stop()
    with pytest.raises(EmbeddedError, match=r"the password in .* is not that of"):
        EmbeddedPostgres(folder, first.postgres.port, "wrong").start()
    assert survivors(folder) == []


def test_failing_initdb_points_to_its_log(folder: DataFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.embedded.postgres.USER", "pg_reserved")
    with pytest.raises(EmbeddedError, match=r"initdb failed: see .*initdb\.log"):
        start(folder)
    assert "pg_reserved" in folder.log_path("initdb").read_text()
    assert not folder.postgres.exists()


def test_missing_program_says_how_to_get_it(folder: DataFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for server in (EmbeddedPostgres(folder, 1, "x"), EmbeddedRedis(folder, 1, "x")):
        with pytest.raises(EmbeddedError, match="make setup"):
            server.start()


def test_place_of_the_cluster_taken_by_something_else(folder: DataFolder):
    folder.postgres.mkdir()
    (folder.postgres / "in-the-way").touch()
    with pytest.raises(EmbeddedError, match=r"cannot make .*postgres"):
        start(folder)
    assert survivors(folder) == []


def test_secrets_are_kept_complete_and_private(folder: DataFolder):
    first = ensure_secrets(folder)
    assert ensure_secrets(folder) == first
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.root.stat().st_mode) & 0o066 == 0
    Settings.from_mapping(first).require_secrets()
    kept = [line for line in folder.secrets.read_text().splitlines() if not line.startswith("LAUREL_AUDIT_KEYS")]
    folder.secrets.write_text("\n".join(kept))
    again = ensure_secrets(folder)
    assert again["LAUREL_AUDIT_KEYS"] != first["LAUREL_AUDIT_KEYS"]
    assert again["LAUREL_JWT_KEYS"] == first["LAUREL_JWT_KEYS"]


def test_environment_wins_over_the_file_and_is_not_written(folder: DataFolder):
    assert ensure_secrets(folder, {"LAUREL_JWT_KEYS": "given"})["LAUREL_JWT_KEYS"] == "given"
    assert read_secrets(folder)["LAUREL_JWT_KEYS"] != "given"


def test_strange_line_among_secrets_is_named(folder: DataFolder):
    folder.secrets.write_text("# a comment\nLAUREL_PORT=1\n")
    with pytest.raises(EmbeddedError, match="line 2"):
        read_secrets(folder)


def test_folder_below_a_file_is_one_clear_line(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="cannot write to the data folder"):
        DataFolder.prepare(tmp_path / "file" / "data")


def test_lock_ends_with_its_holder(folder: DataFolder):
    script = (
        "import pathlib; from server.embedded.folder import DataFolder;"
        f"lock = DataFolder(pathlib.Path({str(folder.root)!r})).locked(); lock.__enter__(); print(flush=True); input()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdout.readline()
    assert folder.is_held()
    with pytest.raises(FolderInUse), folder.locked():
        pass
    holder.kill()
    holder.communicate()
    until(lambda: not folder.is_held())
    with folder.locked():
        assert folder.is_held()


def test_long_log_is_put_aside(folder: DataFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.embedded.folder.LOG_LIMIT_BYTES", 3)
    folder.log_path("a").write_text("long")
    folder.open_log("a").close()
    assert (folder.log / "a.log.1").read_text() == "long"
    assert folder.log_path("a").read_text() == ""
