"""The one statement takes as long on a grown ledger as on an empty one."""

import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import asyncpg

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
TRIES = 3
"""A machine that is busy with something else is given another chance; a plan that is slow stays slow."""
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


@asynccontextmanager
async def ledger_of_its_own(postgres_url: str) -> AsyncIterator[tuple[Database, list[PlayerState]]]:
    """A database whose statements were prepared and planned on a small ledger, as a young server has it."""
    admin, name = await asyncpg.connect(postgres_url), f"test_{uuid4().hex}"
    await admin.execute(f"CREATE DATABASE {name}")
    database = await migrated(f"{postgres_url.rpartition('/')[0]}/{name}")
    states = [PlayerState(UserId(player)) for player in await new_players(database, PLAYERS)]
    for number in range(ROUNDS):
        await seconds_of_a_batch(database, states, number)
    yield database, states
    await database.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


def next_proposal(state: PlayerState) -> Proposal:
    now = int(time.time() * 1000)
    draft = Draft(EntryId(uuid7(now)), Kind.REDEEM, 1, None, None, ())
    return propose(state, draft, now, CHAIN)


async def seconds_of_a_batch(database: Database, states: list[PlayerState], number: int) -> float:
    """The time of one batch, of which every proposal has to win."""
    chosen = [states[(number * BATCH + i) % len(states)] for i in range(BATCH)]
    proposals = [next_proposal(state) for state in chosen]
    began = time.perf_counter()
    won = await ledger.commit(database, proposals)
    took = time.perf_counter() - began
    assert len(won) == BATCH
    for state, proposal in zip(chosen, proposals, strict=True):
        state.version, state.score, state.last_hash = state.version + 1, state.score + 1, proposal.seal
    return took


async def test_the_statements_time_does_not_grow_with_the_ledger(postgres_url: str) -> None:
    async with ledger_of_its_own(postgres_url) as empty, ledger_of_its_own(postgres_url) as grown:
        for part in range(PARTS):
            await grown[0].rows(FILL, 1 + part * GROWN // PARTS, (part + 1) * GROWN // PARTS, PLAYERS)
        ratios = []
        for _ in range(TRIES):
            times: dict[str, list[float]] = {"empty": [], "grown": []}
            for number in range(ROUNDS):  # in turn, so that both have the same of what else the machine does
                for name, one in (("empty", empty), ("grown", grown)):
                    times[name].append(await seconds_of_a_batch(*one, number))
            low = {name: statistics.quantiles(taken, n=10)[0] for name, taken in times.items()}
            text = ", ".join(f"{seconds * 1000:.2f} ms {name}" for name, seconds in low.items())
            print(f"a batch of {BATCH}: {text} ({GROWN:,} rows)")
            ratios.append(low["grown"] / low["empty"])
            if ratios[-1] <= SLOWEST:
                break
        assert min(ratios) <= SLOWEST
