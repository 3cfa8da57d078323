"""What a pod hears of ended sessions, bans and changes, whatever it slept through."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import uuid4

import pytest

from actors.notices import Notices
from models import control, sessions
from models.control import OVERLAP_SECONDS, Notice, Topic
from models.database import Database
from models.errors import DatabaseUnavailable
from server.auth import Revoked
from server.revocations import Revocations
from tests.pods import migrated, new_players


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
    revocations, gaps = Revocations(known, lambda: told.append(None)), list[None]()

    async def read_anew() -> None:
        gaps.append(None)

    pod = Notices(database, {}, revocations.take, read_anew)
    assert not pod.loaded
    long_ago = await ended(database, 10 * OVERLAP_SECONDS)
    await pod.poll()
    assert (pod.loaded, long_ago in known.sessions, len(told)) == (True, True, 1)
    just_now = await ended(database)
    during_the_outage = await ended(database, 2 * OVERLAP_SECONDS)
    await pod.poll()
    assert (just_now in known.sessions, during_the_outage in known.sessions, len(told)) == (True, False, 2)
    pod._last -= OVERLAP_SECONDS  # no poll came through for so long
    await pod.poll()
    assert (during_the_outage in known.sessions, len(told)) == (True, 3)
    await pod.poll()
    assert (len(told), len(gaps)) == (3, 2)


async def test_who_is_banned_and_what_was_told_is_heard_once_and_in_order(database: Database):
    heard: list[str] = []

    async def hear(notice: Notice) -> None:
        heard.append(notice.subject)

    async def read_anew() -> None:
        heard.clear()

    first, second, erased = await new_players(database, 3)
    pod = Notices(database, {Topic.PROFILE: hear}, lambda _: None, read_anew)
    for subject in (second, first):
        await control.tell(database, Topic.PROFILE, subject)
    await control.tell(database, Topic.CATALOGUE, "of no concern")
    await database.rows("INSERT INTO control (topic, subject) VALUES ('weather', 'of a later version')")
    await database.rows("ALTER TABLE revocations DROP CONSTRAINT revocations_kind_check")  # as that would
    await database.rows(
        "INSERT INTO revocations (kind, subject, until) VALUES ('weather', 'rain', now() + interval '1 hour')"
    )
    await database.rows("UPDATE players SET banned_until = now() + interval '1 hour' WHERE id = $1", first)
    await database.rows("UPDATE players SET banned_until = now() - interval '1 hour' WHERE id = $1", second)
    await database.rows("UPDATE players SET banned_until = 'infinity' WHERE id = $1", erased)
    await pod.poll()
    assert heard == [second, first]
    assert pod.banned == {first: pytest.approx((time.time() + 3_600) * 1000, abs=60_000)}
    await control.tell(database, Topic.PROFILE, erased)
    await database.rows("UPDATE players SET banned_until = NULL WHERE id = $1", first)
    await pod.poll()
    assert (heard, pod.banned) == ([second, first, erased], {})


async def heard_of(database: Database, error: Exception) -> list[str]:
    """What a hearer is told of two players whom it hears of, when the first it is told of raises something once."""
    subjects = [str(user_id) for user_id in await new_players(database, 2)]
    heard: list[str] = []

    async def hear(notice: Notice) -> None:
        heard.append(notice.subject)
        if heard.count(subjects[0]) == 1 and notice.subject == subjects[0]:
            raise error

    async def read_anew() -> None:
        pass

    pod = Notices(database, {Topic.PROFILE: hear}, lambda _: None, read_anew)
    for subject in subjects:
        await control.tell(database, Topic.PROFILE, subject)
    for _ in range(3):
        with suppress(DatabaseUnavailable):
            await pod.poll()
    return ["first" if subject == subjects[0] else "second" for subject in heard if subject in subjects]


async def test_what_could_not_be_heard_is_told_again(database: Database):
    assert await heard_of(database, DatabaseUnavailable("gone for a moment")) == ["first", "first", "second"]


async def test_what_is_not_understood_keeps_nothing_else_from_being_heard(database: Database):
    """As an older pod with what only a newer one knows: it must go on hearing who is logged out."""
    assert await heard_of(database, ValueError("no such fold")) == ["first", "second"]
