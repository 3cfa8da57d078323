"""Redis, which only orders: the connection, its scripts and whether it is there."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from typing import Any, TypeAlias

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from actors.keys import BOARD_PATTERN, LINEAGE_KEY, MIRROR_MARK
from actors.links import Command, Links

ScriptCall: TypeAlias = tuple[str, Sequence[str], Sequence[Any]]
"""A script's name, its keys and its arguments."""

log = logging.getLogger("laurel.ordering")

LUA_FOLDER = Path(__file__).with_name("lua")
SCRIPTS = ("apply", "around", "frequency", "load", "page", "place", "seats", "slice", "spend", "subset", "touch")
TIMEOUT_SECONDS = 2.0
LINKS = 10
"""Connections for scripts, and for what is asked each second."""
CONNECTIONS = 6
"""And for all else."""
SCAN_COUNT = 1_000
RUN_ID = "run_id:"
RETRIES = 1
"""Once is enough for a connection that was closed while idle; every script may run twice."""

AWAY = (RedisError, OSError, asyncio.TimeoutError)
"""What redis-py raises when Redis does not answer as it should."""


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script, sent whole once and by its digest from then on."""

    text: str
    sha: str

    @classmethod
    def read(cls, name: str) -> "Script":
        """The script in `actors/lua/<name>.lua`."""
        text = (LUA_FOLDER / f"{name}.lua").read_text()
        return cls(text, sha1(text.encode()).hexdigest())  # noqa: S324 — Redis names scripts so


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found at once: the id of the running server, another one after every restart; values; answers."""

    run: str
    values: list[str | None]
    answers: list[list[Any]]


class Ordering:
    """Redis as the boards use it; whoever finds it gone says so, and the watch says when it is back."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.there = asyncio.Event()
        self._missed = False
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), RETRIES),
            decode_responses=True,
        )
        self.redis: Redis = Redis.from_pool(pool)
        self._links = self.links(LINKS)
        self._scripts = {name: Script.read(name) for name in SCRIPTS}

    @property
    def away(self) -> bool:
        """Whether Redis did not answer when last asked."""
        return not self.there.is_set()

    def lost(self, error: BaseException) -> None:
        """Takes note that Redis does not answer."""
        if not self._missed:  # said once, also by who never found it
            log.warning("redis is away: %s", error)
            self._missed = True
        self.there.clear()

    def found(self) -> bool:
        """Takes note that Redis answers; whether it was away before."""
        was_away = self.away
        if self._missed:
            log.info("redis answers again")
        self._missed = False
        self.there.set()
        return was_away

    def listening_client(self) -> Redis:
        """A client of its own that is told what happens; its owner closes it."""
        return Redis.from_url(
            self.url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            decode_responses=True,
        )

    def links(self, count: int) -> Links:
        """Connections of their own, also for reads that block, less than `TIMEOUT_SECONDS`; their owner closes them."""
        return Links(self.url, count, TIMEOUT_SECONDS)

    async def run(self, calls: Sequence[ScriptCall]) -> list[list[Any]]:
        """The answers of scripts (name, keys, arguments), in one round trip; raises as `AWAY` says."""
        return await self._answers((), calls)

    async def survey(self, keys: Sequence[str], calls: Sequence[ScriptCall]) -> Survey:
        """Which server this is, what keys hold and what scripts say, in one round trip; raises as `AWAY` says."""
        asked: list[Command] = [("INFO", "server")]
        if keys:
            asked.append(("MGET", *keys))
        server, *found = await self._answers(asked, calls)
        return Survey(server.partition(RUN_ID)[2].partition("\r")[0], found.pop(0) if keys else [], found)

    async def _answers(self, asked: Sequence[Command], calls: Sequence[ScriptCall]) -> list[Any]:
        """What commands and scripts answer; asked again where the server did not know a script."""
        commands = [*asked, *map(self._evaluation, calls)]
        try:
            return await self._links.exchange(commands)
        except NoScriptError:
            for name in {name for name, _, _ in calls}:
                await self.redis.script_load(self._scripts[name].text)
            return await self._links.exchange(commands)

    def _evaluation(self, call: ScriptCall) -> Command:
        name, keys, arguments = call
        return ("EVALSHA", self._scripts[name].sha, len(keys), *keys, *arguments)

    async def ask(self, *command: str | int | bytes) -> Any:
        """The answer of one command, which may be sent twice; raises as `AWAY` says."""
        (answer,) = await self._links.exchange([command])
        return answer

    async def server_run_id(self) -> str:
        """The id of the running server; raises as `AWAY` says."""
        return (await self.survey((), ())).run

    def pool(self) -> tuple[int, int]:
        """Connections in use, and how many there may be."""
        rare = sum(1 for _ in self.redis.connection_pool._get_in_use_connections())
        return rare + self._links.used, CONNECTIONS + self._links.count

    async def forget_boards(self) -> None:
        """Removes every board of every epoch; raises as `AWAY` says."""
        async for key in self.redis.scan_iter(match=BOARD_PATTERN, count=SCAN_COUNT):
            await self.redis.unlink(key)
        await self.redis.delete(MIRROR_MARK, LINEAGE_KEY)

    async def close(self) -> None:
        """Closes every connection."""
        await self._links.close()
        await self.redis.aclose()
