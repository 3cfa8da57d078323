"""Sessions in the database: exact under concurrency, and tidied."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from models import news, sessions
from models.database import Database
from models.ids import UserId
from models.outsiders import outsider
from models.players import Registration, password_of, register
from models.sessions import Lives, Renewed, Revocation, RevokedKind
from tests.pods import migrated

LIVES = Lives(refresh=1000, access=100)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    found = await migrated(database_url)
    yield found
    await found.close()


@pytest.fixture
async def user_id(database: Database) -> UserId:
    user_id, name = UserId(str(uuid4())), f"n{uuid4().hex[:20]}"
    assert await register(database, Registration(user_id, name, name, None, None, "hash"))
    assert await password_of(database, name.upper()) == (user_id, "hash")
    return user_id


def some() -> bytes:
    return secrets.token_bytes(32)


async def count(database: Database, table: str) -> int:
    return (await database.rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"]


async def test_of_many_uses_at_once_at_most_one_goes_on(database: Database, user_id: UserId):
    for _ in range(20):
        first = some()
        session = await sessions.start(database, user_id, first, LIVES)
        found = await asyncio.gather(*(sessions.renew(database, first, some(), LIVES) for _ in range(5)))
        assert found.count(Renewed(session, user_id)) == 1
        assert len([one for one in found if isinstance(one, Revocation)]) == 1
        assert found.count(None) == 3
        (row,) = await database.rows("SELECT ended_at FROM sessions WHERE session_id = $1", session)
        assert row["ended_at"] is not None


async def test_no_token_of_a_session_that_has_expired_does_anything(database: Database, user_id: UserId):
    first, second = some(), some()
    session = await sessions.start(database, user_id, first, LIVES)
    assert await sessions.renew(database, first, second, LIVES) == Renewed(session, user_id)
    await database.rows("UPDATE sessions SET expires_at = now() - interval '1 s' WHERE session_id = $1", session)
    for used in (first, second):
        assert await sessions.renew(database, used, some(), LIVES) is None


async def test_a_revocation_is_heard_until_its_access_tokens_end(database: Database, user_id: UserId):
    session = await sessions.start(database, user_id, some(), LIVES)
    ended = await sessions.end(database, session, time.time() + 5)
    assert abs(ended.until - time.time() - LIVES.access) < 5
    stranger = await sessions.end(database, "token:abc", time.time() + 7)
    heard = (await news.read(database, everything=False)).revocations
    assert {ended, stranger} <= set(heard)
    await database.rows("UPDATE revocations SET at = at - interval '1 hour'")
    assert (await news.read(database, everything=False)).revocations == []
    assert {ended, stranger} <= set((await news.read(database, everything=True)).revocations)
    await database.rows("UPDATE revocations SET until = now() - interval '1 second'")
    assert (await news.read(database, everything=True)).revocations == []


async def test_erasing_an_account_revokes_its_player_and_ends_its_sessions(database: Database, user_id: UserId):
    first = some()
    await sessions.start(database, user_id, first, LIVES)
    await database.rows("DELETE FROM accounts WHERE user_id = $1", user_id)
    assert await sessions.renew(database, first, some(), LIVES) is None
    heard = (await news.read(database, everything=False)).revocations
    (player,) = [one for one in heard if one.subject == user_id]
    assert player.kind is RevokedKind.PLAYER
    assert player.until > time.time() + 365 * 86_400


async def test_tidying_leaves_what_can_still_be_asked_for(database: Database, user_id: UserId):
    kept, lapsed = some(), some()
    await sessions.start(database, user_id, kept, LIVES)
    old = await sessions.start(database, user_id, lapsed, LIVES)
    following = some()
    await sessions.renew(database, kept, following, LIVES)
    await sessions.end(database, "token:old", time.time() - 3600)
    before, revoked = await count(database, "refresh_tokens"), (await news.read(database, everything=True)).revocations
    await sessions.tidy(database)
    assert await count(database, "refresh_tokens") == before
    assert (await news.read(database, everything=True)).revocations == revoked
    await database.rows("UPDATE sessions SET expires_at = now() - interval '2 days' WHERE session_id = $1", old)
    await database.rows("UPDATE refresh_tokens SET used_at = now() - interval '91 days' WHERE token_hash = $1", kept)
    await sessions.tidy(database)
    assert await count(database, "refresh_tokens") == before - 2
    assert isinstance(await sessions.renew(database, following, some(), LIVES), Renewed)
    (row,) = await database.rows("SELECT count(*) AS n FROM revocations WHERE subject = 'token:old'")
    assert row["n"] == 0


async def test_an_outsider_is_one_player_however_many_ask(database: Database, user_id: UserId):
    found = await asyncio.gather(*(outsider(database, "https://i.example", user_id) for _ in range(20)))
    assert len({one.user_id for one in found}) == 1
    assert found[0].user_id != user_id
    assert found[0].role == "player"
    other = await outsider(database, "https://other.example", user_id)
    assert other.user_id != found[0].user_id
