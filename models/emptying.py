"""Makes room for a restore, and takes it back when the restore fails."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from models.auditor import Connection
from models.database import CONNECT_TIMEOUT_SECONDS, UNHURRIED, credentials
from models.errors import typed
from models.migrate import ASIDE

TABLES = "SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p')"
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'laurel' AND pid <> pg_backend_pid()
"""


@asynccontextmanager
async def administering(database_url: str) -> AsyncIterator[Connection]:
    """A connection of its own without time limits; raises DatabaseUnavailable, also for what happens inside."""
    try:
        settings = {**UNHURRIED, "application_name": "laurel-admin"}
        connection = await asyncpg.connect(
            timeout=CONNECT_TIMEOUT_SECONDS, server_settings=settings, **credentials(database_url)
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise typed(error) from error


async def server_major(connection: Connection) -> int:
    """The server's version, such as 18."""
    return int(await connection.fetchval("SELECT current_setting('server_version_num')::int / 10000"))


async def pods_connected(connection: Connection) -> int:
    """How many connections of pods there are; states in their memory would outlive a restore."""
    return int(await connection.fetchval(OTHERS))


async def is_empty(connection: Connection) -> bool:
    """Whether no table stands in the way; first ends what a restore that was killed left half-way."""
    if await connection.fetchval(TABLES, ASIDE):
        await (put_back if not await connection.fetchval(TABLES, "public") else forget)(connection)
    return not await connection.fetchval(TABLES, "public")


async def put_aside(connection: Connection) -> None:
    """Moves everything out of the way, in one instant."""
    async with connection.transaction():
        await connection.execute(f"ALTER SCHEMA public RENAME TO {ASIDE}")
        await connection.execute("CREATE SCHEMA public")


async def put_back(connection: Connection) -> None:
    """Undoes `put_aside`."""
    async with connection.transaction():
        await connection.execute("DROP SCHEMA public CASCADE")
        await connection.execute(f"ALTER SCHEMA {ASIDE} RENAME TO public")


async def forget(connection: Connection) -> None:
    """Drops what was put aside."""
    await connection.execute(f"DROP SCHEMA {ASIDE} CASCADE")
