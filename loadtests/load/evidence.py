"""What the stores and the API say after a run."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import aiohttp
import asyncpg
import msgspec
from redis.asyncio import Redis

from actors.keys import keys_of, pointer_of
from loadtests import client
from loadtests.load.told import Told, View
from loadtests.load.verdict import Continued, Entry, Stand, Stores, Top
from models.database import credentials
from models.ranking import row_of

BOARD, PERIOD = "global", "all"
MOST_CONTINUED = 20
"""Viewers whose last fold is led on to the present top."""
MOST_ASKED = 300
"""Players whose score is asked for over the API, when there is no other way."""
CONTINUE_SECONDS = 5.0
ANSWER_SECONDS = 20
CONFIG_SECONDS = 60
PATIENCE_SECONDS = 130.0
"""A minute's limit is used up by the run, and once more by what is asked here."""
NOT_FOUND = 404

T = TypeVar("T")

ENTRIES = """
    SELECT entry_id::text AS entry_id, kind, user_id::text AS user_id, delta AS change, score_after, user_version,
        extract(epoch FROM at)::float8 AS at
    FROM ledger WHERE user_id = ANY($1::uuid[])
"""
BROKEN = """
    WITH archived AS (
        SELECT b.user_id, max(b.version) AS version FROM ledger_bases b JOIN ledger_archives USING (month)
        GROUP BY b.user_id
    ), kept AS (
        SELECT user_id, sum(delta) AS sum, count(*) AS entries, max(user_version) AS last FROM ledger GROUP BY user_id
    )
    SELECT p.id::text AS id, p.score, p.version, coalesce(k.sum, 0) AS sum, coalesce(k.entries, 0) AS entries,
        coalesce(a.version, 0) AS archived
    FROM players p LEFT JOIN kept k ON k.user_id = p.id LEFT JOIN archived a ON a.user_id = p.id
    LEFT JOIN ledger f ON f.user_id = p.id AND f.user_version = a.version + 1
    WHERE p.version > 0 AND (
        p.version <> coalesce(a.version, 0) + coalesce(k.entries, 0)
        OR p.version <> k.last
        OR p.score <> k.sum + CASE WHEN a.version IS NULL THEN 0 ELSE f.score_after - f.delta END
    )
"""
"""The first entry kept tells what the archived ones before it came to."""
KEY = "SELECT board_id || '/' || revision FROM boards WHERE board_id = $1"
STANDS = """
    SELECT id::text AS id, score, version FROM players
    WHERE version > 0 AND (banned_until IS NULL OR banned_until <= now())
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the stores are, if anybody said."""

    database: str | None = None
    redis: str | None = None
    how: str = ""

    @classmethod
    def find(cls, hosts: Sequence[str], data: Path | None, environ: Mapping[str, str] = os.environ) -> "Addresses":
        """From a running `up` that has these pods, else from the environment, else nowhere."""
        config = _config(data) if data is not None else {}
        if {host.rstrip("/") for host in hosts} & {pod["url"] for pod in config.get("pods", ())}:
            return cls(config["databaseUrl"], config["redisUrl"], f"the running `laurel up` on {data}")
        if environ.get("LAUREL_DATABASE_URL"):
            return cls(environ["LAUREL_DATABASE_URL"], environ.get("LAUREL_REDIS_URL"), "the environment")
        return cls()


def _config(data: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "server", "config", "--json", "--data", str(data)]
    found = subprocess.run(command, capture_output=True, check=False, text=True, timeout=CONFIG_SECONDS)
    return json.loads(found.stdout) if found.returncode == 0 else {}


async def gather(told: Told, hosts: Sequence[str], addresses: Addresses) -> Stores:
    """Looks once everywhere."""
    stores = Stores()
    users = sorted({line.user_id for line in (*told.answers, *told.refused)})
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as http:
        if addresses.database is not None:
            await read_database(stores, addresses.database, users)
            stores.notes.append(f"Ledger and scores were read from the database ({addresses.how}).")
        else:
            await _public_stands(stores, http, hosts[0], users)
        if addresses.redis is not None and stores.board_key:
            stores.redis = await _redis(addresses.redis, stores.board_key)
        else:
            stores.notes.append("Redis was not looked into: its address is not known.")
        stores.tops = [await _top(http, host) for host in hosts]
        views = [view for view in told.views if view.finally_so][:MOST_CONTINUED]
        stores.continued = [
            await _continued(http, hosts[number % len(hosts)], view) for number, view in enumerate(views)
        ]
    return stores


async def read_database(stores: Stores, url: str, users: Sequence[str]) -> None:
    """Fills in what the ledger and the players' rows say."""
    connection = await asyncpg.connect(**credentials(url), timeout=10, command_timeout=60)
    try:
        stores.board_key = await connection.fetchval(KEY, BOARD)
        stores.entries = [Entry(**dict(row)) for row in await connection.fetch(ENTRIES, users)]
        stores.broken = [
            f"{row['id']}: score {row['score']}, version {row['version']}; {row['entries']} entries sum to {row['sum']}"
            + (f", those up to version {row['archived']} are archived" if row["archived"] else "")
            for row in await connection.fetch(BROKEN)
        ]
        stores.stands = {row["id"]: Stand(row["score"], row["version"]) for row in await connection.fetch(STANDS)}
    finally:
        await connection.close()


async def _public_stands(stores: Stores, http: aiohttp.ClientSession, host: str, users: Sequence[str]) -> None:
    asked = users[:MOST_ASKED]
    for user_id in asked:
        try:
            place = await _read(http, f"{host}/api/v1/boards/{BOARD}/users/{user_id}")
        except aiohttp.ClientResponseError as error:
            if error.status != NOT_FOUND:
                raise
        else:
            stores.stands[user_id] = Stand(place["score"])
    stores.notes.append(
        f"Only the public API was asked, for the scores of {len(asked):,} of {len(users):,} players: "
        "the ledger was not looked into."
    )


async def _read(http: aiohttp.ClientSession, url: str) -> Any:
    async def once() -> Any:
        async with http.get(url) as response:
            response.raise_for_status()
            return await response.json()

    return await _patiently(once)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Asks again where a limit is reached, when the server says."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                return await ask()
            except aiohttp.ClientResponseError as error:
                if error.status != client.LIMITED:
                    raise
                after = client.retry_after((error.headers or {}).get("Retry-After"))
            await asyncio.sleep(after + client.backoff(0))


async def _redis(url: str, board_key: str) -> dict[str, int]:
    """The whole board as Redis has it; nothing when it has none."""
    place = (board_key, PERIOD)
    async with aclosing(Redis.from_url(url, decode_responses=True)) as redis:
        epoch = await redis.get(pointer_of(place))
        if epoch is None:
            return {}
        rows = await redis.zrevrange(keys_of(place, epoch).rank, 0, -1, withscores=True)
    found = [row_of(member, repr(score)) for member, score in rows]
    return {str(row.user_id): row.score for row in found}


async def _top(http: aiohttp.ClientSession, host: str) -> Top:
    shown = await _read(http, f"{host}/api/v1/boards/{BOARD}/top?limit=100")
    rows = [(entry["userId"], entry["score"]) for entry in shown["entries"]]
    return Top(host, shown["epoch"], shown["version"], rows, shown["degraded"])


async def _continued(http: aiohttp.ClientSession, host: str, view: View) -> Continued:
    """Resumes where a viewer was, folding onto what it had folded."""
    rows = tuple(client.Row(user_id, score, rank) for rank, (user_id, score) in enumerate(view.rows, start=1))
    present = await _top(http, host)
    query = urlencode({"board": BOARD, "epoch": view.epoch, "version": view.version})

    async def once() -> client.Top:
        held: client.Top | None = client.Top(PERIOD, view.epoch, view.version, rows)
        async with asyncio.timeout(CONTINUE_SECONDS), http.ws_connect(f"{host}/api/v1/live?{query}") as socket:
            while held is None or (held.epoch, held.version) != (present.epoch, present.version):
                held = client.fold(held, await socket.receive_json())
        return held

    try:
        held = await _patiently(once)
    except (client.Diverged, TimeoutError, aiohttp.ClientError, TypeError, msgspec.MsgspecError) as error:
        return Continued(view.viewer, None, f"{type(error).__name__} {error}".strip())
    return Continued(view.viewer, Top(host, held.epoch, held.version, [(row.user_id, row.score) for row in held.rows]))
