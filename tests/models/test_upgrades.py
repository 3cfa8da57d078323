"""Migrations are safe while the previous version of the server still runs.

`previous/` holds the statements of the version before, as it sends them. When a version is published they are
replaced by its own: until then every migration added has to leave them working.
"""

import asyncio
import importlib
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from models import migrations
from models.ids import uuid7
from models.migrate import migrate

PREVIOUS = {path.stem: path.read_text() for path in sorted((Path(__file__).parent / "previous").glob("*.sql"))}
MIGRATIONS = sorted(Path(migrations.__path__[0]).glob("[0-9]*.py"))[1:]

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'", re.DOTALL)
HARMFUL = {
    "takes away what the previous version uses": r"\bDROP\s+(TABLE|COLUMN|VIEW|TYPE|SCHEMA|SEQUENCE)\b|\bTRUNCATE\b",
    "renames what the previous version names": r"\bRENAME\b",
    "changes a type": r"\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b",
    "demands what the previous version does not write": r"\bSET\s+NOT\s+NULL\b",
    "adds a column that the previous version does not fill": (
        r"\bADD\s+COLUMN\b(?=[^,;]*\bNOT\s+NULL\b)(?![^,;]*\bDEFAULT\b)"
    ),
    "checks a whole table under a lock": r"\bADD\s+CONSTRAINT\b(?![^;]*\bNOT\s+VALID\b)",
    "holds a lock": r"\bLOCK\s+TABLE\b",
}
FRESH = re.compile(r"\bCREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", re.IGNORECASE)
INDEX = re.compile(r"\bCREATE\s+(?:UNIQUE\s+)?INDEX\s+(CONCURRENTLY\s+)?.*?\bON\s+(?:ONLY\s+)?(\w+)", re.IGNORECASE)


def faults(text: str) -> Iterator[str]:
    """What in a migration would hurt the version that still runs."""
    bare = QUOTED.sub("''", COMMENT.sub("", text))
    for fault, pattern in HARMFUL.items():
        if found := re.search(pattern, bare, re.IGNORECASE | re.DOTALL):
            yield f"{fault}: {found[0]}"
    made = {name.lower() for name in FRESH.findall(bare)}
    for concurrently, table in INDEX.findall(bare):
        if not concurrently and table.lower() not in made:
            yield f"locks {table} while it makes an index"


@pytest.mark.parametrize("path", MIGRATIONS, ids=lambda path: path.stem)
def test_a_migration_only_adds(path: Path):
    module = importlib.import_module(f"models.migrations.{path.stem}")
    for operation in module.Migration.operations:
        statement = getattr(operation, "sql", "")
        assert list(faults(statement if isinstance(statement, str) else "\n".join(statement))) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ALTER TABLE players DROP COLUMN region", "takes away"),
        ("ALTER TABLE players RENAME COLUMN region TO place", "renames"),
        ("ALTER TABLE players ALTER COLUMN score TYPE numeric", "changes a type"),
        ("ALTER TABLE players ALTER COLUMN region SET NOT NULL", "demands"),
        ("ALTER TABLE players ADD COLUMN a int NOT NULL, ADD COLUMN b int DEFAULT 0", "does not fill"),
        ("ALTER TABLE players ADD CONSTRAINT c CHECK (score > 0)", "checks a whole table"),
        ("CREATE INDEX i ON players (score)", "locks players"),
    ],
)
def test_what_hurts_is_recognised(text: str, words: str):
    assert any(words in fault for fault in faults(text))


def test_what_only_adds_is_let_through():
    text = """
        -- DROP TABLE players is only spoken of here.
        CREATE TABLE fresh (id uuid NOT NULL, words text DEFAULT 'DROP TABLE players'); CREATE INDEX i ON fresh (id);
        CREATE INDEX CONCURRENTLY j ON players (score);
        ALTER TABLE players ADD COLUMN a int NOT NULL DEFAULT 0, ADD COLUMN b text;
        CREATE OR REPLACE FUNCTION f() RETURNS void LANGUAGE sql AS $$ TRUNCATE players $$;
    """
    assert list(faults(text)) == []


@pytest.fixture(scope="module")
def migrated_url(database_url: str) -> str:
    asyncio.run(migrate(database_url))
    return database_url


@pytest.fixture
async def connection(migrated_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Everything is rolled back."""
    found = await asyncpg.connect(migrated_url)
    transaction = found.transaction()
    await transaction.start()
    yield found
    await transaction.rollback()
    await found.close()


@pytest.mark.parametrize("name", PREVIOUS)
async def test_a_statement_of_the_previous_version_is_still_understood(connection: asyncpg.Connection, name: str):
    await connection.prepare(PREVIOUS[name])


async def test_the_previous_version_still_writes_and_reads(connection: asyncpg.Connection):
    """Registers, issues, redeems, settles and reads, with the statements of the version before."""

    async def run(name: str, *values: object) -> list[asyncpg.Record]:
        return await connection.fetch(PREVIOUS[name], *values)

    user, entry = str(uuid4()), uuid7(0)
    now = await connection.fetchval("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    columns = (["sprint"], ["Sprint"], [10], [0], [60], [0], [None], ["allow"], ["required"], ["none"], [True])
    assert len(await run("save_actions", *columns)) == 1
    assert {row["action_id"] for row in await run("catalogue")} == {"sprint"}
    assert len(await run("register", user, "Ada", "ada", "Ada", None, None, "player", None)) == 1
    await run("create_named", [str(uuid4())], ["bob"], "player")
    await run("hold", str(uuid4()), user, "ticket", now)
    won = await run(
        "commit",
        *([user], [0], [10], [entry], ["redeem"], ["sprint"], [1], [10], [now], [now], [None], [None], ["{}"], [None]),
        *(["{}"], [b"x"], ["a"], [None], ["scope"], ["key"], [b"y"]),
    )
    assert [row["entry_id"] for row in won] == [entry]
    place = (["global/1"], ["all"], "{1}", "{1}", "{10}", f"{{{now}}}", "{t}")
    await run("settle", *place, [user], "{1}", [False], ["{global/1}"], ['{"sprint": [1, 1, 1]}'])
    (read,) = await run("snapshot", [user], [None], [entry], ["scope"], ["key"], ["global/1"], ["all"], 10)
    assert (read["version"], read["score"], read["memo_version"], read["request_hash"]) == (1, 10, 1, b"y")
    assert json.loads(read["recorded"])[0] == entry
    assert json.loads(read["standings"])[0][:3] == ["global/1", "all", 10]
    assert [row["score"] for row in await run("standings_page", "global/1", "all", None, None, None, 10)] == [10]
    assert [json.loads(row["entry"])[0] for row in await run("history", user, 0, 10)] == [entry]
    assert len(await run("lease", "work", "pod", 5.0)) == 1
