"""The one statement's time for a batch of 40 on ledgers of several sizes, each under a plan made when it was empty."""

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from statistics import median
from typing import Self

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
BATCHES = 200
PLANNED_BATCHES = 10
"""The plan that a connection keeps is made with the sixth."""
WARM_BATCHES = 150
"""After a checkpoint the first change of a page logs the whole page; that says nothing of the ledger's size. The 2,000
players write to as many pages of an index, of which so many batches have found nineteen in twenty."""
FILL_SECONDS = 300

STATES = "SELECT id::text, version, score, last_hash FROM players"
NO_AUTOVACUUM = """
    DO $$ DECLARE part regclass; BEGIN
        FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger'::regclass
        LOOP EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', part); END LOOP;
        ALTER TABLE players SET (autovacuum_enabled = off);
    END $$
"""


def measure(stage: Stage, plan: Plan) -> list[Figure]:
    """Ledgers side by side, a batch on each in turn: a host that slows down meanwhile slows all of them.

    Measured one after the other, ledgers of the same size were up to half apart.
    """
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    for turn in range(plan.rounds):
        with ExitStack() as stack:
            urls = {size: stage.url(_empty(stack, stage, size)) for size in SIZES}
            for size, millis in asyncio.run(_round(urls)).items():
                found[size].append(millis)
        plan.say(f"round {turn + 1}: " + ", ".join(f"{size:,}: {found[size][-1]:.2f} ms" for size in SIZES))
    slowest = tuple(max(times) / times[0] for times in zip(*(found[size] for size in SIZES), strict=True))
    note = "sizes in turns, batch by batch; each connection's plan was made on an empty ledger, and nothing is analysed"
    return [
        Figure("statement of 40: slowest size ÷ empty ledger", slowest, "×", "at most", 1.2, None, note),
        *(Figure(f"statement of 40, {size:,} rows", tuple(found[size]), "ms") for size in SIZES),
    ]


def _empty(stack: ExitStack, stage: Stage, size: int) -> str:
    database = stack.enter_context(stage.fresh(f"statement_{size}"))
    prepare(stage, database)
    stage.script(database, NO_AUTOVACUUM)
    return database


async def _round(urls: Mapping[int, str]) -> dict[int, float]:
    """The median time of a batch in ms, by size."""
    async with AsyncExitStack() as stack:
        ledgers = {size: await stack.enter_async_context(_Ledger(url)) for size, url in urls.items()}
        for size, grown in ledgers.items():
            await grown.grow(size)
        found: dict[int, list[float]] = {size: [] for size in ledgers}
        for number in range(WARM_BATCHES + BATCHES):
            for size in random.sample(list(ledgers), len(ledgers)):
                millis = await ledgers[size].commit()
                if number >= WARM_BATCHES:
                    found[size].append(millis)
    return {size: median(times) for size, times in found.items()}


class _Ledger:
    """A database, the one connection that commits to it, and its players as they stand."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._database = Database(url, hot_connections=1)
        self._chain = Chain({"bench": b"b" * 32}, "bench")
        self._states: dict[UserId, PlayerState] = {}

    async def __aenter__(self) -> Self:
        await self._database.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._database.close()

    async def grow(self, rows: int) -> None:
        """Has the plan made on what there is, then adds rows."""
        await self._load()
        for _ in range(PLANNED_BATCHES):
            await self.commit()
        connection = await asyncpg.connect(self._url, command_timeout=FILL_SECONDS)
        try:
            if rows:
                await connection.fetchval("SELECT bench_fill($1)", rows)
            await connection.execute("CHECKPOINT")
        finally:
            await connection.close()
        await self._load()

    async def _load(self) -> None:
        self._states = {
            UserId(row["id"]): PlayerState(
                UserId(row["id"]), version=row["version"], score=row["score"], last_hash=row["last_hash"]
            )
            for row in await self._database.rows(STATES)
        }

    async def commit(self) -> float:
        """Commits a batch of players by chance; its time in ms."""
        batch = [_proposal(state, self._chain) for state in random.sample(list(self._states.values()), BATCH)]
        began = time.perf_counter()
        won = await ledger.commit(self._database, batch)
        millis = (time.perf_counter() - began) * 1e3
        if len(won) != BATCH:
            raise BenchError(f"only {len(won)} of {BATCH} proposals won")
        for proposal in batch:
            state = self._states[proposal.entry.user_id]
            apply_entry(state, proposal.entry)
            state.last_hash = proposal.seal
        return millis


def _proposal(state: PlayerState, chain: Chain) -> Proposal:
    now = int(time.time() * 1000)
    draft = Draft(EntryId(uuid7(now)), Kind.REDEEM, 10, None, None, (), ActionId("sprint"), 1)
    return propose(state, draft, now, chain)
