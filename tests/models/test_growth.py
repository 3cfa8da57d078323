"""The one statement takes as long on a grown ledger as on an empty one."""

import statistics
import time
from collections.abc import AsyncIterator

import pytest

from models import ledger
from models.database import Database
from models.entry import Kind
from models.ids import EntryId, UserId, uuid7
from models.proposal import Draft, Proposal, propose
from models.state import PlayerState
from tests.pods import CHAIN, migrated, new_players

PLAYERS = 400
BATCH = 40
ROUNDS = 60
GROWN = 500_000
PARTS = 25
"""Filled in parts, each within the time that a statement may take."""
SLOWEST = 1.5
"""Most that a grown ledger may cost: a sequential scan would cost hundreds of times as much."""

# History that looks like redemptions of the last month, in the order of its ids, spread over all players.
FILL = """
    INSERT INTO ledger (entry_id, kind, user_id, user_version, delta, score_after, at, effective_at, groups, meta, hash,
                        hash_version, audit_key)
    SELECT (substr(uuid7_floor(t)::text, 1, 14) || '7' || substr(md5(n::text), 1, 3) || '-8'
            || substr(md5(n::text), 4, 3) || '-' || substr(md5(n::text), 7, 12))::uuid,
           'redeem', u.id, n, 1, n, t, t, '{}', '{}', '\\x00', 1, 'a'
    FROM generate_series($1::int, $2::int) n
    CROSS JOIN LATERAL (SELECT now() - interval '20 days' + n * interval '3 seconds' AS t) AS stamp
    JOIN (SELECT id, row_number() OVER () - 1 AS number FROM players) u ON u.number = n % $3::int
"""


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await migrated(database_url)
    yield database
    await database.close()


def next_proposal(state: PlayerState) -> Proposal:
    now = int(time.time() * 1000)
    draft = Draft(EntryId(uuid7(now)), Kind.REDEEM, 1, None, None, ())
    return propose(state, draft, now, CHAIN)


async def seconds_a_batch(database: Database, states: list[PlayerState]) -> float:
    """The time of a batch, free of what else the machine does: the lowest decile. Every proposal has to win."""
    times = []
    for number in range(ROUNDS):
        chosen = [states[(number * BATCH + i) % len(states)] for i in range(BATCH)]
        proposals = [next_proposal(state) for state in chosen]
        began = time.perf_counter()
        won = await ledger.commit(database, proposals)
        times.append(time.perf_counter() - began)
        assert len(won) == BATCH
        for state, proposal in zip(chosen, proposals, strict=True):
            state.version, state.score, state.last_hash = state.version + 1, state.score + 1, proposal.seal
    return statistics.quantiles(times, n=10)[0]


async def test_the_statements_time_does_not_grow_with_the_ledger(database: Database) -> None:
    players = await new_players(database, PLAYERS)
    states = [PlayerState(UserId(player)) for player in players]
    await seconds_a_batch(database, states)  # prepared and planned on a small ledger, as a young server has it
    empty = await seconds_a_batch(database, states)
    for part in range(PARTS):
        await database.rows(FILL, 1 + part * GROWN // PARTS, (part + 1) * GROWN // PARTS, PLAYERS)
    grown = await seconds_a_batch(database, states)
    print(f"{empty * 1000:.2f} ms a batch of {BATCH} on an empty ledger, {grown * 1000:.2f} ms at {GROWN:,} rows")
    assert grown <= SLOWEST * empty
