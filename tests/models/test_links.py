"""Connections to PostgreSQL that are kept: used again at once, and left to the pool when anything is wrong."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from models.database import Database
from models.errors import DatabaseUnavailable, DataRejected
from models.links import KEPT

BACKEND = "SELECT pg_backend_pid() AS pid"
SLEEP = "SELECT pg_backend_pid() AS pid, pg_sleep($1::text::float8)"
CONNECTIONS = 3


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, hot_connections=CONNECTIONS, connections=CONNECTIONS)
    await database.open()
    yield database
    async with asyncio.timeout(2):  # a pool waits for what was not given back
        await database.close()


async def backend(database: Database) -> int:
    return int((await database.hot(BACKEND))[0]["pid"])


def in_use(database: Database, pool: str = "hot") -> int:
    return next(busy for name, busy, _ in database.pools() if name == pool)


async def test_a_connection_is_used_again(database: Database) -> None:
    assert await backend(database) == await backend(database)
    assert in_use(database) == 0


async def test_statements_off_the_redemption_path_have_kept_connections_of_their_own(database: Database) -> None:
    pids = [(await database.rows(BACKEND))[0]["pid"] for _ in range(3)]
    assert len(set(pids)) == 1
    assert await backend(database) not in pids
    assert in_use(database, "default") == 0


async def test_queries_of_models_find_a_connection_beside_those_that_are_kept(database: Database) -> None:
    await asyncio.gather(*(database.rows(SLEEP, "0.01") for _ in range(CONNECTIONS)))
    async with asyncio.timeout(2):
        await asyncio.gather(*(database.orm.execute_query_dict(SLEEP, ["0.01"]) for _ in range(10)))
    assert in_use(database, "default") == 0


async def test_who_waits_gets_the_next_connection_that_is_free(database: Database) -> None:
    await asyncio.gather(*(database.rows(SLEEP, "0.01") for _ in range(CONNECTIONS)))  # some are kept from now on
    short = asyncio.create_task(database.rows(SLEEP, "0.2"))
    others = [asyncio.create_task(database.rows(SLEEP, "1.5")) for _ in range(CONNECTIONS - 1)]
    await asyncio.sleep(0.05)
    async with asyncio.timeout(1):
        await database.rows(BACKEND)
    assert short.done()
    assert not any(other.done() for other in others)
    await asyncio.gather(*others)


async def test_what_is_under_way_when_all_is_closed_comes_to_its_end(database_url: str) -> None:
    database = Database(database_url)
    await database.open()
    under_way = [asyncio.create_task(run(SLEEP, "0.3")) for run in (database.hot, database.rows)]
    await asyncio.sleep(0.1)
    async with asyncio.timeout(2):  # Tortoise would wait for ten, and then cut everything off
        await database.close()
    assert all(len(rows) == 1 for rows in await asyncio.gather(*under_way))


async def test_many_at_once_are_all_served_by_as_many_as_there_may_be(database: Database) -> None:
    found = await asyncio.gather(*(database.hot(SLEEP, "0.01") for _ in range(10 * CONNECTIONS)))
    assert len({rows[0]["pid"] for rows in found}) == CONNECTIONS
    assert in_use(database) == 0


async def test_a_transaction_finds_a_connection_beside_those_that_are_kept(database: Database) -> None:
    await asyncio.gather(*(database.hot(SLEEP, "0.01") for _ in range(CONNECTIONS)))
    async with asyncio.timeout(2), database.transaction() as transaction:
        own = (await transaction.hot(BACKEND))[0]["pid"]
        others = await asyncio.gather(*(database.hot(SLEEP, "0.01") for _ in range(KEPT)))
        assert own not in {rows[0]["pid"] for rows in others}


async def test_a_pool_of_one_serves_transactions_and_statements(database_url: str) -> None:
    database = Database(database_url, hot_connections=1)
    await database.open()
    async with asyncio.timeout(5):
        await backend(database)
        async with database.transaction() as transaction:
            await transaction.hot(BACKEND)
        await backend(database)
        await database.close()


async def test_backends_that_ended_while_idle_are_not_used(database: Database, database_url: str) -> None:
    found = await asyncio.gather(*(database.hot(SLEEP, "0.01") for _ in range(KEPT)))
    connection = await asyncpg.connect(database_url)
    for rows in found:
        await connection.execute("SELECT pg_terminate_backend($1, 5000)", rows[0]["pid"])
    await connection.close()
    await asyncio.sleep(0.1)
    assert await backend(database) not in {rows[0]["pid"] for rows in found}


async def test_a_backend_that_ends_under_a_statement_is_replaced(database: Database, database_url: str) -> None:
    pid = await backend(database)
    task = asyncio.create_task(database.hot(SLEEP, "5"))
    await asyncio.sleep(0.1)
    connection = await asyncpg.connect(database_url)
    await connection.execute("SELECT pg_terminate_backend($1, 5000)", pid)
    await connection.close()
    with pytest.raises(DatabaseUnavailable):
        await task
    assert await backend(database) != pid
    assert in_use(database) == 0


async def test_a_refused_statement_leaves_the_next_one_whole(database: Database) -> None:
    with pytest.raises(DataRejected):
        await database.hot("SELECT 1 / $1::text::int AS n", "0")
    assert await backend(database)
    assert in_use(database) == 0


async def test_a_cancelled_statement_leaves_the_next_one_whole(database: Database) -> None:
    await backend(database)
    task = asyncio.create_task(database.hot(SLEEP, "5"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2):
        assert await backend(database)
    assert in_use(database) == 0
