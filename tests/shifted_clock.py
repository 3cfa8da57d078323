"""A database whose clock a test drives, and with it those of the pods."""

from models.database import Database
from tests.pods import Pod

SCHEMA = """
CREATE SCHEMA testclock;
CREATE TABLE testclock.shift (ms bigint NOT NULL);
INSERT INTO testclock.shift VALUES (0);
CREATE FUNCTION testclock.now() RETURNS timestamptz LANGUAGE sql STABLE AS
    $$ SELECT pg_catalog.now() + (SELECT ms FROM testclock.shift) * interval '1 millisecond' $$;
CREATE FUNCTION testclock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
    $$ SELECT pg_catalog.clock_timestamp() + (SELECT ms FROM testclock.shift) * interval '1 millisecond' $$;
"""
PATH = """
DO $$ BEGIN
    EXECUTE format('ALTER DATABASE %I SET search_path = public, testclock, pg_catalog', current_database());
END $$
"""


class ShiftedClock:
    """Shadows the server's `now()` and `clock_timestamp()` in one database; connections made later see it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def install(cls, url: str) -> None:
        """Prepares a migrated database; to be called before it is opened."""
        database = Database(url)
        await database.open()
        known = (await database.rows("SELECT to_regnamespace('testclock') IS NOT NULL AS known"))[0]["known"]
        for statement in () if known else filter(str.strip, SCHEMA.split(";\n")):
            await database.rows(statement)
        await database.rows(PATH)
        await database.close()

    async def advance(self, ms: int, *pods: Pod) -> None:
        """Moves the clock on, and lets the pods measure it."""
        await self._database.rows("UPDATE testclock.shift SET ms = ms + $1", ms)
        for pod in pods:
            await pod.clock.measure(self._database)
