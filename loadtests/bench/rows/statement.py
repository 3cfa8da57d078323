"""The one statement's time for a batch of 40, on a ledger that grows under its prepared plan."""

import asyncio
import random
import time
from statistics import median

import asyncpg

from loadtests.bench.figures import Figure
from loadtests.bench.fill import prepare
from loadtests.bench.plan import Plan
from loadtests.bench.processes import BenchError
from loadtests.bench.stage import Stage
from models import ledger
from models.chain import Chain
from models.database import Database
from models.entry import Kind
from models.ids import ActionId, EntryId, UserId, uuid7
from models.proposal import Draft, Proposal, propose
from models.state import PlayerState, apply_entry

SIZES = (0, 40_000, 160_000, 500_000)
BATCH = 40
BATCHES, WARM_BATCHES = 200, 60

STATES = "SELECT id::text, version, score, last_hash FROM players"
NO_AUTOVACUUM = """
    DO $$ DECLARE part regclass; BEGIN
        FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger'::regclass
        LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', part); END LOOP;
        ALTER TABLE players SET (autovacuum_enabled = off);
    END $$
"""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """The same connection from the first row on, nothing analysed: its plan was made for an empty ledger."""
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    for turn in range(plan.rounds):
        with stage.fresh("statement") as database:
            prepare(stage, database)
            stage.script(database, NO_AUTOVACUUM)
            for size, millis in asyncio.run(_round(stage.url(database))).items():
                found[size].append(millis)
        plan.say(f"round {turn + 1}: " + ", ".join(f"{size:,}: {found[size][-1]:.2f} ms" for size in SIZES))
    slowest = tuple(max(times) / times[0] for times in zip(*(found[size] for size in SIZES), strict=True))
    note = "one connection whose plan was made on the empty ledger; nothing is analysed meanwhile"
    return [
        Figure("statement of 40: slowest size ÷ empty ledger", slowest, "×", "at most", 1.2, None, note),
        *(Figure(f"statement of 40, {size:,} rows", tuple(found[size]), "ms") for size in SIZES),
    ]


async def _round(url: str) -> dict[int, float]:
    database = Database(url, hot_connections=1)
    await database.open()
    try:
        filled, found = 0, {}
        for size in SIZES:
            if size > filled:
                await _fill(url, size - filled)
                filled = size
            found[size] = await _time(database)
        return found
    finally:
        await database.close()


async def _fill(url: str, rows: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.fetchval("SELECT bench_fill($1)", rows)
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


async def _time(database: Database) -> float:
    """The median time of a batch in ms."""
    chain = Chain({"bench": b"b" * 32}, "bench")
    states = [
        PlayerState(UserId(row["id"]), version=row["version"], score=row["score"], last_hash=row["last_hash"])
        for row in await database.rows(STATES)
    ]
    by_id = {state.user_id: state for state in states}
    times = []
    for number in range(WARM_BATCHES + BATCHES):
        batch = [_proposal(state, chain) for state in random.sample(states, BATCH)]
        began = time.perf_counter()
        won = await ledger.commit(database, batch)
        if number >= WARM_BATCHES:
            times.append((time.perf_counter() - began) * 1e3)
        if len(won) != BATCH:
            raise BenchError(f"only {len(won)} of {BATCH} proposals won")
        for proposal in batch:
            state = by_id[proposal.entry.user_id]
            apply_entry(state, proposal.entry)
            state.last_hash = proposal.seal
    return median(times)


def _proposal(state: PlayerState, chain: Chain) -> Proposal:
    now = int(time.time() * 1000)
    draft = Draft(EntryId(uuid7(now)), Kind.REDEEM, 10, None, None, (), ActionId("sprint"), 1)
    return propose(state, draft, now, chain)
