"""The connections to PostgreSQL, in two pools."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.context import TortoiseContext, get_current_context
from tortoise.transactions import in_transaction

from models.errors import ModelError, typed
from models.links import Links

CONNECT_TIMEOUT_SECONDS = 3
STATEMENT_TIMEOUT_MS = 5_000
COMMAND_TIMEOUT_SECONDS = 6
"""A little more than the server's own limit, so that the server is the one who says no."""
COPY_TIMEOUT_SECONDS = 300
"""A million rows and their indexes are copied in about 20 s."""
SILENT_SECONDS = 30
"""So long a stream may bring nothing."""
HARD_TIMEOUT_SECONDS = 8
"""Also ends the wait for a connection and for a black-holed server's answer to a cancel."""

SESSION = {"statement_timeout": str(STATEMENT_TIMEOUT_MS), "idle_in_transaction_session_timeout": "10000"}
# Without these the prepared statement keeps the plan of a small table and scans a grown ledger.
INDEX_PLANS = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
# For a session of its own that may take its time, whatever the role has for the sake of a pooler.
UNHURRIED = dict.fromkeys(SESSION, "0") | dict.fromkeys(INDEX_PLANS, "on")

# For one transaction; behind a pooler `SESSION` and `INDEX_PLANS` are the role's.
PATIENT = (
    f"BEGIN; SET LOCAL statement_timeout = {COPY_TIMEOUT_SECONDS * 1000}; SET LOCAL enable_seqscan = on;"
    "SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"
)

log = logging.getLogger("laurel.database")

SLOW_STATEMENT_MS = 250
SHOWN_CHARACTERS = 80
"""As much of a slow statement as a line shows; never its values."""

READ_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name = ANY ($1) ORDER BY name"

Row: TypeAlias = dict[str, Any]
Sink: TypeAlias = Callable[[bytes], Awaitable[None]]
"""Takes a piece of a stream, which does not end where a line does."""


class Runs(Protocol):
    """Whatever runs a statement of the redemption path: the pool or an open transaction."""

    async def hot(self, statement: str, *values: object) -> list[Row]:
        """Rows of a statement."""
        ...


APP = "models"
MODULES = ["models.tables"]
SQL_FOLDER = Path(__file__).with_name("sql")


def sql(name: str) -> str:
    """The statement in `models/sql/<name>.sql`; `{entry}` in it stands for `entry.sql`."""
    text = (SQL_FOLDER / f"{name}.sql").read_text()
    return text.replace("{entry}", sql("entry")) if "{entry}" in text else text


def credentials(url: str) -> dict[str, Any]:
    """What Tortoise wants to know of a `postgresql://` URL.

    Its query may hold `sslmode`, `sslrootcert` (a file), `pooler=transaction` and a socket's `host`.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    found: dict[str, Any] = {
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "host": query.get("host", parts.hostname),
        "port": parts.port or 5432,
        "database": parts.path.lstrip("/") or "postgres",
    }
    if "sslrootcert" in query:
        context = ssl.create_default_context(cafile=query["sslrootcert"])
        context.check_hostname = query.get("sslmode", "verify-full") == "verify-full"
        found["ssl"] = context
    elif "sslmode" in query:
        found["ssl"] = query["sslmode"]
    if pooled(url):
        found["statement_cache_size"] = 0  # the next transaction may run where nothing was prepared
    return found


def pooled(url: str) -> bool:
    """Whether a URL leads to a pooler in transaction mode.

    Such a one takes no settings of a session: those of `SESSION` and `INDEX_PLANS` must be the role's.
    """
    return dict(parse_qsl(urlsplit(url).query)).get("pooler") == "transaction"


def tortoise_config(url: str, *, hot_connections: int = 5, connections: int = 5) -> dict[str, Any]:
    """Two connections to one database: `hot` for the one statement and snapshots, `default` for all else."""
    common = {
        **credentials(url),
        "timeout": CONNECT_TIMEOUT_SECONDS,
        "command_timeout": COMMAND_TIMEOUT_SECONDS,
        "application_name": "laurel",
        "reset": _keep_session,
    }
    engine = "tortoise.backends.asyncpg"
    hot = {
        **common,
        "minsize": 1,
        "maxsize": hot_connections,
        "server_settings": {} if pooled(url) else {**SESSION, **INDEX_PLANS},
    }
    default = {**common, "minsize": 0, "maxsize": connections, "server_settings": {} if pooled(url) else {**SESSION}}
    return {
        "connections": {
            "hot": {"engine": engine, "credentials": hot},
            "default": {"engine": engine, "credentials": default},
        },
        "apps": {APP: {"models": MODULES, "default_connection": "default", "migrations": "models.migrations"}},
    }


async def _keep_session(connection: object) -> None:
    """Spares the round trip that resets a session: no statement leaves anything in one but what is `SET LOCAL`."""


class Transaction:
    """An open transaction: statements in one snapshot of locks."""

    def __init__(self, connection: BaseDBAsyncClient) -> None:
        self._connection = connection

    async def hot(self, statement: str, *values: object) -> list[Row]:
        """Rows of a statement inside the transaction."""
        return await _rows(self._connection.execute_query_dict(statement, list(values)))


class Database:
    """Both pools of one server; connections are made when first needed.

    `orm` is the connection for Tortoise queries (`using_db`). No call here may be made from a task that somebody else
    can cancel: the outcome of a cancelled statement is unknown.
    """

    def __init__(
        self,
        url: str,
        *,
        hot_connections: int = 5,
        connections: int = 5,
        slow_statement_ms: int = SLOW_STATEMENT_MS,
    ) -> None:
        self._url = url
        self._config = tortoise_config(url, hot_connections=hot_connections, connections=connections)
        self._slow_seconds = slow_statement_ms / 1000
        self._limits = {"hot": hot_connections, "default": connections}
        self._context = TortoiseContext()
        self._transactions = asyncio.Lock()

    async def open(self) -> None:
        """Prepares both pools; does not wait for the server."""
        # Requests run in tasks that inherit no context, so the first database opened is everybody's.
        alone = get_current_context() is None
        with self._context:
            await self._context.init(config=self._config, _enable_global_fallback=alone)
        self.orm = self._context.db("default")
        self._links = {name: Links(self._context.db(name), limit) for name, limit in self._limits.items()}

    async def close(self) -> None:
        """Closes both pools."""
        for links in self._links.values():
            await links.close()
        await self._context.close_connections()

    async def hot(self, statement: str, *values: object) -> list[Row]:
        """Rows of a statement of the redemption path.

        Raises DatabaseUnavailable when the outcome is unknown, DataRejected when nothing was written.
        """
        return await self._rows("hot", statement, values)

    async def rows(self, statement: str, *values: object) -> list[Row]:
        """Rows of any other statement; raises as `hot`."""
        return await self._rows("default", statement, values)

    async def unset(self) -> list[str]:
        """Settings that a connection of the redemption path should have and has not; raises DatabaseUnavailable."""
        wanted = SESSION | INDEX_PLANS
        rows = await self.hot(READ_SETTINGS, list(wanted))
        return [row["name"] for row in rows if row["setting"] != wanted[row["name"]]]

    async def _rows(self, pool: str, statement: str, values: Sequence[object]) -> list[Row]:
        began = time.perf_counter()
        try:
            return await _rows(self._links[pool].rows(statement, values))
        finally:
            seconds = time.perf_counter() - began
            if seconds > self._slow_seconds:
                shown = " ".join(statement.split())[:SHOWN_CHARACTERS]
                log.warning("slow statement", extra={"statement": shown, "seconds": round(seconds, 3)})

    def pools(self) -> list[tuple[str, int, int]]:
        """Each pool's name, connections in use, and how many there may be."""
        found = []
        for name, limit in self._limits.items():
            pool = getattr(self._context.db(name), "_pool", None)
            kept = len(self._links[name])
            found.append((name, pool.get_size() - pool.get_idle_size() - kept if pool else 0, limit))
        return found

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """One transaction on the `hot` connections, one at a time in this process; raises as `hot`.

        One at a time because Tortoise's context remembers a single entry.
        """
        async with self._transactions:
            try:
                async with asyncio.timeout(HARD_TIMEOUT_SECONDS):
                    with self._context:
                        async with in_transaction("hot") as connection:
                            yield Transaction(connection)
            except ModelError:
                raise
            except Exception as error:
                raise typed(error) from error

    async def alone(self, statement: str, *values: object) -> list[Row]:
        """Rows of a statement that copies whole boards, on a connection of its own; raises as `rows`."""
        try:
            async with self._patient() as connection:
                return [dict(row) for row in await connection.fetch(statement, *values)]
        except Exception as error:
            raise typed(error) from error

    async def stream(self, query: str, *values: object, take: Sink) -> None:
        """Gives rows as they come, as lines of fields with spaces between, on a connection of its own.

        PostgreSQL goes on while a piece is taken, as far as the socket holds. Raises as `rows`, also when it is silent
        for too long, and what `take` raises.
        """
        failed: Exception | None = None
        now = asyncio.get_running_loop().time

        async def taken(piece: bytes) -> None:
            nonlocal failed
            deadline.reschedule(None)
            try:
                await take(piece)
            except Exception as error:
                failed = error
                raise
            deadline.reschedule(now() + SILENT_SECONDS)

        try:
            async with asyncio.timeout(SILENT_SECONDS) as deadline, self._patient() as connection:
                await connection.copy_from_query(query, *values, output=taken, delimiter=" ")
        except Exception as error:
            if failed is not None:
                raise failed from None
            raise typed(error) from error

    @asynccontextmanager
    async def _patient(self) -> AsyncIterator["asyncpg.Connection[Any]"]:
        """A connection in a transaction whose statements may take minutes, whatever the role's own limits and plans.

        What fails ends the connection, and so the transaction: asyncpg may wait for ever for the rest of a stream.
        """
        connection = await asyncpg.connect(
            timeout=CONNECT_TIMEOUT_SECONDS, command_timeout=COPY_TIMEOUT_SECONDS, **credentials(self._url)
        )
        try:
            await connection.execute(PATIENT)
            yield connection
            await connection.execute("COMMIT")
        except BaseException:
            connection.terminate()
            raise
        await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)


async def _rows(answer: Awaitable[list[Row]]) -> list[Row]:
    try:
        async with asyncio.timeout(HARD_TIMEOUT_SECONDS):
            return await answer
    except Exception as error:
        raise typed(error) from error
