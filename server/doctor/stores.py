"""How it stands with PostgreSQL, with Redis, and between them."""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from actors.auditor import Auditor
from actors.checkpoints import MARK as CHECKPOINT_MARK
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import LINEAGE_KEY, MIRROR_MARK, pointer_of
from actors.loader import Loader
from actors.mirror import Mirror
from actors.ordering import AWAY, Ordering
from actors.rebuilder import SETTLED_MARK, Rebuilder
from models import boards, lineage, marks
from models.database import Database, Row, sql
from models.errors import DatabaseUnavailable, ModelError
from models.lineage import Lineage
from models.migrate import missing, unknown
from server.doctor.finding import Finding, bounded, ok, weak, wrong
from server.settings import Settings

EXAMINE = sql("examine")

LEAST_POSTGRES = 140_000
LEAST_REDIS = (6, 2)
PASSES = 3
"""Samples of players compared."""
LAG_SECONDS = (60.0, 300.0)
"""Of a mark that moves on every five seconds and stays twenty behind: from when weak, from when wrong."""
CHECKPOINT_SECONDS = (1_800.0, 86_400.0)
SKEW_MS = (500.0, 5_000.0)
FULL = (0.8, 0.95)
"""Shares of connections or memory in use."""
AHEAD_MONTHS = 1
LONG_HOURS = 48


class Stores:
    """Asks both servers, writes nothing. Marks have to move on while pods run, as their leases show."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._working = False
        self._database = Database(str(settings.database_url))
        self._ordering = Ordering(str(settings.redis_url))
        self._clock = Clock()

    async def examine(self) -> AsyncIterator[Finding]:
        """Everything about the stores, whichever of them are there."""
        await self._database.open()
        try:
            try:
                async for finding in self._postgres():
                    yield finding
                there = True
            except ModelError as error:
                away = "does not answer: " if isinstance(error, DatabaseUnavailable) else ""
                yield wrong("postgresql", away + " ".join(str(error).split()))
                there = False
            try:
                for finding in await self._redis():
                    yield finding
                if there:
                    async for finding in self._between():
                        yield finding
            except ModelError as error:
                yield wrong("divergence", f"cannot be looked at: {' '.join(str(error).split())}")
            except AWAY as error:
                yield wrong("redis", f"does not answer: {' '.join(str(error).split())}")
        finally:
            await self._ordering.close()
            await self._database.close()

    async def _postgres(self) -> AsyncIterator[Finding]:
        (row,) = await self._database.rows(EXAMINE)
        url = str(self._settings.database_url)
        if lacking := await missing(url):
            yield wrong("migrations", f"missing: {', '.join(lacking)}; run laurel migrate")
        elif strange := await unknown(url):
            yield wrong("migrations", f"applied by a newer Laurel: {', '.join(strange)}")
        else:
            yield ok("migrations", "all applied")
        for finding in server_findings(row):
            yield finding
        await self._clock.measure(self._database)
        offset = self._clock.offset_ms
        yield bounded("clock", abs(offset), *SKEW_MS, f"this machine is {round(-offset):+d} ms from PostgreSQL's time")
        if lacking:
            raise ModelError("migrations are missing")
        for finding in ledger_findings(row):
            yield finding
        self._working = bool(await self._database.rows("SELECT FROM leases WHERE name = 'repair' AND until > now()"))
        for name, mark, bounds in (
            ("standings", SETTLED_MARK, LAG_SECONDS),
            ("checkpoint", CHECKPOINT_MARK, CHECKPOINT_SECONDS),
        ):
            yield self._lag(name, await marks.read(self._database, mark), bounds)

    def _lag(self, topic: str, at_ms: int, bounds: tuple[float, float]) -> Finding:
        if not at_ms:
            return ok(topic, "none yet")
        seconds = (self._clock.now_ms() - at_ms) / 1000
        text = f"complete up to {seconds:.0f} s ago" if topic != "checkpoint" else f"the last is {seconds:.0f} s old"
        return bounded(topic, seconds, *bounds, text) if self._working else ok(topic, f"{text}; no pod is at work")

    async def _redis(self) -> list[Finding]:
        found = redis_findings(await self._ordering.redis.info())
        self._ordering.found()
        held = await self._ordering.redis.get(MIRROR_MARK)
        return [*found, self._lag("boards", 0 if held is None else int(held), LAG_SECONDS)]

    async def _between(self) -> AsyncIterator[Finding]:
        """Samples of players compared, as the auditor does it, and nothing mended."""
        # Redis is read first: whatever it has was read from PostgreSQL before.
        known = await self._ordering.redis.get(LINEAGE_KEY)
        if known is not None and not (await lineage.read(self._database)).continues(Lineage.parse(str(known))):
            yield weak("history", "boards in Redis come from before a restore or failover; pods build them anew")
        epochs = Epochs()
        epochs.define(await boards.load(self._database))
        for board, place in epochs.present(self._clock.now_ms()):
            pointer = await self._ordering.redis.get(pointer_of(place))
            if pointer is not None:
                epochs.adopt(place, str(pointer))
            elif self._working:
                yield weak("boards", f"{board.board_id} is not in Redis; pods build it anew within a second")
        loader = Loader(self._database, self._clock, lambda: epochs.boards)
        mirror = Mirror(self._ordering, epochs, self._clock)
        rebuilder = Rebuilder(self._database, self._ordering, epochs, self._clock, loader)
        auditor = Auditor(
            self._database, self._ordering, epochs, self._clock, mirror, rebuilder, None, "doctor", mend=False
        )
        for _ in range(PASSES):
            await auditor.look_at_stores()
        for store in ("ledger", "standings", "redis"):
            count, all_ = auditor.diverged[store], auditor.compared[store]
            text = f"{store}: {count} of {all_} samples differ"
            yield wrong("divergence", text) if count else ok("divergence", text)


def server_findings(row: Row) -> Iterator[Finding]:
    """How PostgreSQL is set up."""
    version = row["server_version"]
    old = row["version_number"] < LEAST_POSTGRES
    yield wrong("postgresql", f"{version}: 14 is the least") if old else ok("postgresql", version)
    if row["in_recovery"]:
        yield wrong("postgresql", "is a replica that only reads")
    for name, loss in (
        ("fsync", "a crash may destroy the database"),
        ("full_page_writes", "a crash may destroy the database"),
        ("synchronous_commit", "a crash loses what was acknowledged"),
    ):
        yield (
            wrong("postgresql", f"{name} is off: {loss}")
            if row[name] == "off"
            else ok("postgresql", f"{name} {row[name]}")
        )
    if row["autovacuum"] == "off":
        yield wrong("postgresql", "autovacuum is off: the players' table grows without end")
    if row["data_checksums"] == "off":
        yield weak("postgresql", "data_checksums are off: a failing disk is not noticed")
    if row["superuser"]:
        yield weak("postgresql", "Laurel connects as a superuser: a role that owns its own database is enough")
    used, most = row["connections"], row["max_connections"]
    text = f"{used} of {most} connections in use, {row['own']} by Laurel ({row['active']} at work)"
    yield bounded("pools", used / most, *FULL, text)
    if row["stuck"]:
        yield wrong(
            "pools", f"{row['stuck']} transactions have been open for a minute: old rows cannot be cleared away"
        )


def ledger_findings(row: Row) -> Iterator[Finding]:
    """Whether the ledger has room for the months to come."""
    ahead, other = row["months_ahead"], row["other_rows"]
    text = f"{row['partitions']} months of the ledger, {ahead} ahead"
    yield (
        ok("partitions", text)
        if ahead >= AHEAD_MONTHS
        else wrong("partitions", f"{text}: any pod makes them, none did")
    )
    if other:
        yield weak("partitions", f"about {other} entries lie outside of every month")


def redis_findings(row: dict[str, Any]) -> Iterator[Finding]:
    """How Redis is set up; only INFO is asked, which hosted servers allow too."""
    version = str(row["redis_version"])
    old = tuple(int(part) for part in version.split(".")[:2]) < LEAST_REDIS
    yield wrong("redis", f"{version}: 6.2 is the least") if old else ok("redis", version)
    most, used, policy = row.get("maxmemory", 0), row["used_memory"], row.get("maxmemory_policy", "noeviction")
    mebibytes = f"{used / (1 << 20):.0f} MiB in use"
    if most:
        yield bounded("redis", used / most, *FULL, f"{mebibytes} of {most / (1 << 20):.0f}")
        if policy != "noeviction":
            yield weak("redis", f"maxmemory-policy is {policy}: evicted boards are built anew, again and again")
    else:
        yield ok("redis", f"{mebibytes}, no limit")
    if row.get("role") != "master":
        yield wrong("redis", "is a replica that only reads")
    hours = row.get("uptime_in_seconds", 0) / 3_600
    shown = f"{hours / 24:.0f} days" if hours >= LONG_HOURS else f"{hours:.1f} hours"
    yield ok("redis", f"up for {shown} at {time.strftime('%Y-%m-%d %H:%M', time.gmtime())} UTC")
