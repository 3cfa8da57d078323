"""The statement takes an entry only about the time of its stamp, so that no period gets one long after its end."""

from collections.abc import AsyncIterator

import pytest

from models import ledger
from models.database import Database
from models.entry import Kind
from models.ids import EntryId, UserId, uuid7
from models.proposal import Draft, Proposal, propose
from models.state import PlayerState
from tests.pods import CHAIN, history_of, migrated, new_players

NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url)
    yield database
    await database.close()


def stamped(user_id: UserId, at_ms: int) -> Proposal:
    draft = Draft(EntryId(uuid7(at_ms)), Kind.ADJUST, 1, None, None, ())
    return propose(PlayerState(user_id, ()), draft, at_ms, CHAIN)


@pytest.mark.parametrize(
    ("off_ms", "wins"),
    [
        (-10_001, False),  # older still when the statement runs
        (-7_000, True),
        (0, True),
        (10_000, True),
        (13_000, False),
    ],
)
async def test_an_entry_wins_within_ten_seconds_of_its_stamp(database: Database, off_ms: int, wins: bool):
    user, other = await new_players(database, 2)
    now = (await database.rows(NOW))[0]["ms"]
    proposal, beside = stamped(user, now + off_ms), stamped(other, now)
    won = await ledger.commit(database, [proposal, beside])
    assert won == {one.entry.entry_id for one in ((proposal, beside) if wins else (beside,))}
    assert len(await history_of(database, user)) == wins
