"""The servers a data folder embeds, started and stopped together."""

import signal
import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Self

from server.embedded.folder import DataFolder, Pause
from server.embedded.ports import choose_port
from server.embedded.postgres import EmbeddedPostgres, end_leftover_postgres
from server.embedded.processes import ProcessKey, end_processes
from server.embedded.redis import EmbeddedRedis, end_leftover_redis
from server.embedded.runtime import RunningServer, read_runtime
from server.embedded.secrets import POSTGRES_PASSWORD, REDIS_PASSWORD
from server.settings import Settings

LEFTOVER_POD_STEPS = ((signal.SIGTERM, 20.0), (signal.SIGKILL, 5.0))


class EmbeddedServers:
    """PostgreSQL and Redis, or the one that is not configured.

    Whoever uses it holds the folder's lock.
    """

    def __init__(self, postgres: EmbeddedPostgres | None, redis: EmbeddedRedis | None) -> None:
        self.postgres = postgres
        self.redis = redis

    @classmethod
    def choose(
        cls,
        folder: DataFolder,
        secrets: Mapping[str, str],
        *,
        postgres: bool = True,
        redis: bool = True,
        avoid: Collection[int] = (),
    ) -> Self:
        """Ends leftovers, then names the wanted ones; starts nothing yet.

        `avoid` holds ports that somebody else is about to take.
        """
        end_leftovers(folder)
        database, order = None, None
        if postgres:
            database = EmbeddedPostgres(folder, choose_port(folder, "postgres", avoid), secrets[POSTGRES_PASSWORD])
        if redis:
            order = EmbeddedRedis(folder, choose_port(folder, "redis", avoid), secrets[REDIS_PASSWORD])
        return cls(database, order)

    @property
    def all(self) -> list[EmbeddedPostgres | EmbeddedRedis]:
        """In the order of their start."""
        return [server for server in (self.postgres, self.redis) if server]

    def fill_in(self, settings: Settings) -> Settings:
        """The settings with the addresses of what is embedded."""
        return replace(
            settings,
            database_url=self.postgres.url if self.postgres else settings.database_url,
            redis_url=self.redis.url if self.redis else settings.redis_url,
        )

    def start(self, pause: Pause = time.sleep) -> None:
        try:
            for server in self.all:
                server.start(pause)
        except BaseException:
            self.stop()
            raise

    def stop(self, pause: Pause = time.sleep) -> None:
        for server in reversed(self.all):
            server.stop(pause)


def end_leftovers(folder: DataFolder) -> None:
    """Ends what a killed holder of the folder left running."""
    if runtime := read_runtime(folder):
        end_processes([process for pod in runtime.pods if (process := pod.key.find())], LEFTOVER_POD_STEPS)
        folder.runtime.unlink(missing_ok=True)
    end_leftover_redis(folder)
    end_leftover_postgres(folder)


def record(server: EmbeddedPostgres | EmbeddedRedis | None) -> RunningServer | None:
    """What `runtime.json` says of a server."""
    if server is None or server.pid is None:
        return None
    return RunningServer(server.pid, ProcessKey.of(server.pid).create_time, server.port)
