"""Where everything is measured: embedded servers, databases made afresh, pods."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import asyncpg
from redis import Redis

from loadtests.bench.minting import Mint, Player
from loadtests.bench.pods import running
from loadtests.bench.processes import BenchError, Contestant, cpu_seconds, machine_seconds
from models.catalogue_file import seed_if_empty
from models.ids import UserId, uuid7
from models.migrate import migrate
from server.embedded.folder import DataFolder
from server.embedded.pods import Pod
from server.embedded.secrets import ensure_secrets
from server.embedded.servers import EmbeddedServers
from server.settings import Settings

COMMAND_SECONDS = 600
TEMPLATE = "laurel"
MAINTENANCE = "postgres"
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds used so far, by whom."""

    server: float
    postgres: float
    redis: float
    machine: float
    """Everybody on this machine, ours or not."""

    @property
    def total(self) -> float:
        """All of ours but the generator."""
        return self.server + self.postgres + self.redis

    def plus(self, other: "Cpu") -> "Cpu":
        """What was used in two times."""
        return Cpu(
            self.server + other.server,
            self.postgres + other.postgres,
            self.redis + other.redis,
            self.machine + other.machine,
        )

    def since(self, earlier: "Cpu") -> "Cpu":
        """What was used between two readings."""
        return Cpu(
            self.server - earlier.server,
            self.postgres - earlier.postgres,
            self.redis - earlier.redis,
            self.machine - earlier.machine,
        )


class Stage:
    """PostgreSQL and Redis as `laurel up` embeds them, in a folder of their own that is removed afterwards.

    The migrated database with its players is the template that each round's database is copied from.
    """

    def __init__(self, root: Path, players: int) -> None:
        self._root = root
        self._count = players
        self._stack = ExitStack()
        self._folder = DataFolder.prepare(root / "data")
        self._environ: dict[str, str] = {}
        self._servers: EmbeddedServers
        self.players: list[Player] = []

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _open(self) -> None:
        self._stack.callback(shutil.rmtree, self._root, ignore_errors=True)
        self._stack.enter_context(self._folder.locked())
        secrets = ensure_secrets(self._folder)
        self._servers = EmbeddedServers.choose(self._folder, secrets)
        self._stack.callback(self._servers.stop)
        self._servers.start()
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("LAUREL_")}
        self._environ |= {name: value for name, value in secrets.items() if "EMBEDDED" not in name}
        self._environ |= {
            "LAUREL_DATA": str(self._folder.root),
            "LAUREL_REDIS_URL": str(self._servers.redis.url if self._servers.redis else ""),
            "LAUREL_LOAD_TEST": "true",
        }
        url = self.url(TEMPLATE)
        asyncio.run(migrate(url))
        asyncio.run(seed_if_empty(url))
        # One board, as the compared servers have; the row on boards defines its own.
        self.script(TEMPLATE, "DELETE FROM boards WHERE board_id <> 'global'")
        self.mint = Mint(Settings.from_mapping(self.environ(TEMPLATE)))
        self.players = self.mint.players(self.add_players(TEMPLATE, self._count))
        settings = self.rows(TEMPLATE, "SELECT name, setting FROM pg_settings WHERE name = ANY($1)", DURABLE)
        if any(row["setting"] != "on" for row in settings):
            raise BenchError(f"not durable: {[tuple(row) for row in settings]}")

    def add_players(self, database: str, count: int) -> list[UserId]:
        """New players with accounts."""
        ids = [UserId(uuid7(0)) for _ in range(count)]
        self.rows(database, "INSERT INTO players (id) SELECT unnest($1::uuid[])", ids)
        self.rows(
            database,
            "INSERT INTO accounts (user_id, username, username_key, display_name) SELECT id, name, name, name FROM "
            "(SELECT id, 'player-' || right(id::text, 12) AS name FROM unnest($1::uuid[]) AS u (id)) AS p",
            ids,
        )
        return ids

    @property
    def work(self) -> Path:
        """A folder for files of the generators and logs."""
        folder = self._root / "work"
        folder.mkdir(exist_ok=True)
        return folder

    def url(self, database: str) -> str:
        """The address of one database of the server."""
        if self._servers.postgres is None:
            raise BenchError("there is no PostgreSQL")
        return urlsplit(self._servers.postgres.url)._replace(path=f"/{database}").geturl()

    def redis_url(self, number: int) -> str:
        """The address of one database of Redis: pods of different databases must not share a board."""
        if self._servers.redis is None:
            raise BenchError("there is no Redis")
        return urlsplit(self._servers.redis.url)._replace(path=f"/{number}").geturl()

    def environ(self, database: str) -> dict[str, str]:
        """The environment of a server that works on a database."""
        return {**self._environ, "LAUREL_DATABASE_URL": self.url(database)}

    def on(self, database: str, work: "Callable[[asyncpg.Connection[Any]], Awaitable[T]]") -> T:
        """Runs something on a connection of its own."""

        async def connected() -> T:
            connection = await asyncpg.connect(self.url(database), timeout=10, command_timeout=COMMAND_SECONDS)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())

    def rows(self, database: str, statement: str, *values: object) -> "list[asyncpg.Record]":
        """The rows of one statement."""
        return self.on(database, lambda connection: connection.fetch(statement, *values))

    def script(self, database: str, statements: str) -> None:
        """Runs statements without parameters."""
        self.on(database, lambda connection: connection.execute(statements))

    @contextmanager
    def fresh(self, name: str, template: str = TEMPLATE) -> Iterator[str]:
        """A copy of a template, gone afterwards; Redis is emptied and the disk at rest."""
        self.rows(MAINTENANCE, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self.rows(MAINTENANCE, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        self.settle()
        try:
            yield name
        finally:
            self.rows(MAINTENANCE, f'DROP DATABASE "{name}" WITH (FORCE)')

    def settle(self) -> None:
        """Empties Redis and writes everything down, so that no measurement pays for the one before."""
        if self._servers.redis is None:
            raise BenchError("there is no Redis")
        with Redis.from_url(self._servers.redis.url) as client:
            client.flushall()
        self.rows(MAINTENANCE, "CHECKPOINT")

    def pods(
        self, database: str, count: int = 1, settings: Mapping[str, str] | None = None
    ) -> AbstractContextManager[Sequence[Pod]]:
        """Ready pods whose boards are in Redis, stopped afterwards."""
        return running(self._folder, self.environ(database) | dict(settings or {}), count)

    def contestant(self, name: str, database: str, *arguments: str) -> Contestant:
        """A compared server, `loadtests/bench/<name>.py`, on a database."""
        return Contestant(f"loadtests.bench.{name}", arguments, self.work / f"{name}.log", self.environ(database))

    def cpu(self, *pids: int) -> Cpu:
        """CPU used so far by these servers, PostgreSQL and Redis."""
        postgres, redis = self._servers.postgres, self._servers.redis
        if postgres is None or redis is None or postgres.pid is None or redis.pid is None:
            raise BenchError("the servers do not run")
        return Cpu(sum(map(cpu_seconds, pids)), cpu_seconds(postgres.pid), cpu_seconds(redis.pid), machine_seconds())

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """Redis is away, meanwhile."""
        if self._servers.redis is None:
            raise BenchError("there is no Redis")
        self._servers.redis.stop()
        try:
            yield
        finally:
            self._servers.redis.start()

    @contextmanager
    def commit_times(self) -> Iterator[None]:
        """PostgreSQL remembers when each transaction was committed, meanwhile."""
        self._restart_with("ALTER SYSTEM SET track_commit_timestamp = on")
        try:
            yield
        finally:
            self._restart_with("ALTER SYSTEM RESET track_commit_timestamp")

    def _restart_with(self, statement: str) -> None:
        self.rows(MAINTENANCE, statement)
        if self._servers.postgres is not None:
            self._servers.postgres.stop()
            self._servers.postgres.start()
