"""The schema in the database: what Tortoise believes of it, what it refuses, how it is made."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest
from tortoise import fields

from models import tables
from models.database import Database, sql
from models.errors import DatabaseUnavailable
from models.ids import uuid7
from models.migrate import migrate, missing
from tests.laurel_process import ROOT

MODELS = [tables.Account, tables.HeldTicket, tables.BoardRow, tables.Control]


@pytest.fixture(scope="module")
def migrated_url(database_url: str) -> Iterator[str]:
    assert asyncio.run(missing(database_url)) == asyncio.run(migrate(database_url)) != []
    yield database_url


@pytest.fixture
async def connection(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    found = await asyncpg.connect(migrated_url)
    yield found
    await found.close()


async def test_migrating_again_does_nothing(migrated_url: str):
    assert await missing(migrated_url) == []
    assert await migrate(migrated_url) == []


async def test_four_processes_migrate_one_database(postgres_url: str):
    name = f"test_{uuid4().hex}"
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        code = "import asyncio, sys; from models.migrate import migrate; print(asyncio.run(migrate(sys.argv[1])))"
        pipe = asyncio.subprocess.PIPE
        start = asyncio.create_subprocess_exec
        processes = [await start(sys.executable, "-c", code, url, cwd=ROOT, stdout=pipe) for _ in range(4)]
        told = [(await process.communicate())[0].decode() for process in processes]
        assert [process.returncode for process in processes] == [0] * 4
        assert await missing(url) == []
        found = await asyncpg.connect(url)
        try:
            assert await found.fetchval("SELECT count(*) FROM boards") == 5
        finally:
            await found.close()
        assert any("0001_initial" in text for text in told)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
async def test_models_fit_their_tables(connection: asyncpg.Connection, model: type):
    rows = await connection.fetch(
        "SELECT column_name, is_nullable = 'YES' AS nullable, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1",
        model._meta.db_table,
    )
    columns = {row["column_name"]: row for row in rows}
    believed = model._meta.fields_map
    assert {field.source_field or name for name, field in believed.items()} == set(columns)
    kinds = {
        fields.UUIDField: {"uuid"},
        fields.IntField: {"integer"},
        fields.BigIntField: {"bigint"},
        fields.TextField: {"text"},
        fields.CharField: {"text"},
        fields.DatetimeField: {"timestamp with time zone"},
        fields.BooleanField: {"boolean"},
    }
    for name, field in believed.items():
        column = columns[field.source_field or name]
        assert field.null == column["nullable"], name
        assert column["data_type"] in kinds.get(type(field), {"ARRAY"}), name


ENTRY = """
    INSERT INTO ledger (entry_id, kind, user_id, user_version, delta, score_after, at, effective_at, groups, meta,
                        hash, hash_version, audit_key)
    VALUES ($1, 'redeem', $2, 1, 1, 1, now(), now(), '{}', '{}', '', 1, 'a')
"""


async def test_the_same_entry_twice_fails_whatever_else_it_says(connection: asyncpg.Connection):
    entry = uuid7(1_790_000_000_000)
    await connection.execute(ENTRY, entry, str(uuid4()))
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(ENTRY, entry, str(uuid4()))


async def test_the_same_idempotency_key_twice_fails(connection: asyncpg.Connection):
    statement = "INSERT INTO idempotency_keys (scope, key, entry_id, request_hash) VALUES ($1, $2, $3, '')"
    await connection.execute(statement, "a", "k", str(uuid4()))
    await connection.execute(statement, "b", "k", str(uuid4()))
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute(statement, "a", "k", str(uuid4()))


async def account(connection: asyncpg.Connection, key: str, **more: str) -> None:
    user = str(uuid4())
    await connection.execute("INSERT INTO players (id) VALUES ($1)", user)
    columns = {"username": key, "username_key": key, "display_name": key} | more
    names, marks = ", ".join(columns), ", ".join(f"${number}" for number in range(2, len(columns) + 2))
    await connection.execute(f"INSERT INTO accounts (user_id, {names}) VALUES ($1, {marks})", user, *columns.values())


async def test_the_same_name_or_outside_subject_twice_fails(connection: asyncpg.Connection):
    await account(connection, "ann")
    with pytest.raises(asyncpg.UniqueViolationError):
        await account(connection, "ann", username="Ann")
    await account(connection, "bob", issuer="https://a.example", subject="1")
    await account(connection, "cat", issuer="https://b.example", subject="1")
    with pytest.raises(asyncpg.UniqueViolationError):
        await account(connection, "dan", issuer="https://a.example", subject="1")


@pytest.mark.parametrize("score", [2**53, -(2**53)])
async def test_a_score_beyond_a_double_is_refused(connection: asyncpg.Connection, score: int):
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute("INSERT INTO players (id, score) VALUES ($1, $2)", str(uuid4()), score)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"])
async def test_partitions_follow_the_months_in_utc_wherever_the_server_stands(
    connection: asyncpg.Connection, zone: str
):
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(f"SET LOCAL timezone = '{zone}'")
        months = [("2040-11-30T23:59:59.999", 5), ("2041-03-15T12:00:00.000", 4), ("2044-02-29T00:00:00.000", 5)]
        for text, made in months:
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
            assert await connection.fetchval("SELECT ledger_partitions($1, 5)", moment) == made
            assert await connection.fetchval("SELECT ledger_partitions($1, 5)", moment) == 0
        for text, name in [
            ("2040-11-01T00:00:00.000", "ledger_2040_11"),
            ("2040-11-30T23:59:59.999", "ledger_2040_11"),
            ("2040-12-31T23:59:59.999", "ledger_2040_12"),
            ("2041-01-01T00:00:00.000", "ledger_2041_01"),
            ("2041-03-31T23:59:59.999", "ledger_2041_03"),
            ("2041-04-01T00:00:00.000", "ledger_2041_04"),
            ("2041-07-31T23:59:59.999", "ledger_2041_07"),
            ("2041-08-01T00:00:00.000", "ledger_other"),
            ("2044-02-29T12:00:00.000", "ledger_2044_02"),
            ("2044-03-01T00:00:00.000", "ledger_2044_03"),
        ]:
            at = int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)
            entry = uuid7(at)
            await connection.execute(ENTRY, entry, str(uuid4()))
            where = await connection.fetchval("SELECT tableoid::regclass::text FROM ledger WHERE entry_id = $1", entry)
            assert where == name
    finally:
        await transaction.rollback()


async def test_the_ledger_is_ready_for_a_year(connection: asyncpg.Connection):
    statement = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'ledger'::regclass"
    assert await connection.fetchval(statement) == 15


async def test_every_statement_file_says_what_it_does(migrated_url: str):
    for path in sorted((ROOT / "models" / "sql").glob("*.sql")):
        assert sql(path.stem).startswith("-- "), path.name


async def test_a_closed_port_is_an_unavailable_database():
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    await database.open()
    with pytest.raises(DatabaseUnavailable):
        await database.rows("SELECT 1")
    with pytest.raises(DatabaseUnavailable):
        await database.hot("SELECT 1")
    with pytest.raises(DatabaseUnavailable):
        await migrate("postgresql://nobody@127.0.0.1:1/none")
    await database.close()
