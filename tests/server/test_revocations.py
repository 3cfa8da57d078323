"""What a pod hears of ended sessions, whatever it slept through."""

import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from models import sessions
from models.control import OVERLAP_SECONDS
from models.database import Database
from server.auth import Revoked
from server.revocations import Revocations
from tests.pods import migrated


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = await migrated(database_url)
    yield found
    await found.close()


async def ended(database: Database, ago_seconds: float = 0) -> str:
    """A session that ended a while ago."""
    name = str(uuid4())
    await sessions.end(database, name, time.time() + 3_600)
    await database.rows(
        "UPDATE revocations SET at = at - $2 * interval '1 second' WHERE subject = $1", name, ago_seconds
    )
    return name


async def test_all_that_counts_is_heard_at_the_start_and_after_an_outage(database: Database):
    known, told = Revoked(), list[None]()
    pod = Revocations(database, known, lambda: told.append(None))
    assert not pod.loaded
    long_ago = await ended(database, 10 * OVERLAP_SECONDS)
    await pod.poll()
    assert (pod.loaded, long_ago in known.sessions, len(told)) == (True, True, 1)
    just_now = await ended(database)
    during_the_outage = await ended(database, 2 * OVERLAP_SECONDS)
    await pod.poll()
    assert (just_now in known.sessions, during_the_outage in known.sessions, len(told)) == (True, False, 2)
    assert pod._last is not None
    pod._last -= OVERLAP_SECONDS  # no poll came through for so long
    await pod.poll()
    assert (during_the_outage in known.sessions, len(told)) == (True, 3)
    await pod.poll()
    assert len(told) == 3
