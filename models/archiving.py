"""Takes a month out of the ledger, into a file, and leaves what younger entries are folded on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import asyncpg

from models.archive import Archive, Header, Line, Writer
from models.auditor import Connection
from models.base import Base
from models.board import Board
from models.catalogue import MAX_SECONDS
from models.chain import Chain
from models.database import sql
from models.entry import Kind
from models.errors import ArchiveRefused
from models.ids import UserId
from models.state import HistoryFold, PlayerState

GOING = sql("archive_going")
LINES = f"""
    SELECT l.user_id::text, l.user_version, l.entry_id::text, ({sql("entry")})::text AS entry,
           encode(l.hash, 'hex') AS seal, l.hash_version, l.audit_key
    FROM going g JOIN ledger l USING (entry_id) ORDER BY l.user_id, l.user_version
"""  # noqa: S608 — a fragment of our own
PARTITIONS = """
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'ledger'::regclass AND c.relname ~ '^ledger_\\d{4}_\\d{2}$' ORDER BY c.relname
"""
BASES = """
    SELECT DISTINCT ON (b.user_id) b.user_id::text, b.version, b.boards, b.state, b.audit_key, b.seal
    FROM ledger_bases b JOIN ledger_archives a ON a.month = b.month
    WHERE b.user_id = ANY($1::uuid[]) ORDER BY b.user_id, b.month DESC
"""
KNOWN = "SELECT count(*) FROM going WHERE entry_id = ANY($1::uuid[])"
VOIDED = "SELECT user_id::text, target_id::text FROM ledger WHERE user_id = ANY($1::uuid[]) AND kind = 'void'"
CLOSE = """
    INSERT INTO marks (name, at) VALUES ('closed', $1)
    ON CONFLICT (name) DO UPDATE SET at = greatest(marks.at, excluded.at)
"""
# Found beforehand, so that the lock is short: what stays of the month, and what goes from among entries of no month.
STAYING = (
    "CREATE TEMPORARY TABLE staying ON COMMIT DROP AS SELECT p.* FROM {partition} p"
    " WHERE NOT EXISTS (SELECT FROM going g WHERE g.entry_id = p.entry_id)",
    "CREATE TEMPORARY TABLE strays ON COMMIT DROP AS SELECT o.entry_id FROM ledger_other o JOIN going USING (entry_id)",
)
LATE = "SELECT count(*) FROM ledger v JOIN going g ON g.entry_id = v.target_id WHERE v.kind = 'void' AND v.at > now()"
KEPT_DAYS = MAX_SECONDS // 86_400 + 1
"""A month stays so long after its end: its tickets have expired then, and stay single-use without their rows."""
CLOSING_SECONDS = 20.0
"""Longer than a void of an entry that was just looked up can be under way."""
LOCK_TRIES = 600
LOCK_PAUSE_SECONDS = 0.2
PLAYERS = 500
PAGE = 5_000
"""Entries of a file looked for at once."""


async def months(connection: Connection, before: date) -> list[date]:
    """The months in the ledger before one, oldest first."""
    names = [row["relname"] for row in await connection.fetch(PARTITIONS)]
    found = [date(int(name[7:11]), int(name[12:14]), 1) for name in names]
    return [month for month in found if month < before]


def following(month: date) -> date:
    """The first day of the month after."""
    return (month + timedelta(days=32)).replace(day=1)


def moment(day: date) -> datetime:
    """The first instant of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def name_of(month: date) -> str:
    """The name of a month's file."""
    return f"ledger-{month:%Y-%m}.jsonl.gz"


class Archiving:
    """Archives months, oldest first; may be stopped anywhere and run again.

    The file is written, read again and compared before anything goes. Bases are prepared beforehand and count from the
    instant in which the month leaves the ledger, which takes one short lock.
    """

    def __init__(
        self,
        connection: Connection,
        boards: Sequence[Board],
        chain: Chain,
        observe: Callable[[str], None] = lambda _: None,
        closing_seconds: float | None = None,
    ) -> None:
        self._connection = connection
        self._boards = tuple(boards)
        self._chain = chain
        self._observe = observe
        self._closing_seconds = CLOSING_SECONDS if closing_seconds is None else closing_seconds

    @staticmethod
    def refuse_young(month: date, now: datetime) -> None:
        """Raises ArchiveRefused while tickets of a month may still be redeemed."""
        if moment(following(month)) + timedelta(days=KEPT_DAYS) > now:
            raise ArchiveRefused(f"{month:%Y-%m} is too young: tickets of it live up to {KEPT_DAYS} days after its end")

    async def close(self, before: date) -> None:
        """Ends voids of entries before a month, and waits for those under way."""
        await self._connection.execute(CLOSE, moment(before))
        self._observe("waiting for voids under way")
        await asyncio.sleep(self._closing_seconds)

    async def archive(self, month: date, folder: Path) -> Archive:
        """Takes one month, which is closed, to a file; raises ArchiveRefused or ArchiveInvalid, nothing gone."""
        end, connection = moment(following(month)), self._connection
        self.refuse_young(month, await connection.fetchval("SELECT now()"))
        await self._sweep()
        async with connection.transaction():
            await connection.execute("LOCK TABLE ledger_archives IN SHARE ROW EXCLUSIVE MODE")  # one at a time
            await connection.execute(GOING.replace("$1", f"timestamptz '{end.isoformat()}'"))
            await connection.execute("CREATE UNIQUE INDEX ON going (entry_id)")
            await connection.execute("ANALYZE going")
            for statement in STAYING:
                await connection.execute(statement.format(partition=_partition(month)))
            archive = await self._write(month, folder / name_of(month))
            await self._compare(archive)
            await connection.execute("DELETE FROM ledger_bases WHERE month = $1", month)
            await self._fold(archive, month)
            await self._take_out(month, archive)
        await self._sweep()
        return archive

    async def _write(self, month: date, path: Path) -> Archive:
        await self._spare(path)
        count = await self._connection.fetchval("SELECT count(*) FROM going")
        writer = Writer(path, Header(f"{month:%Y-%m}", count, self._chain.newest), self._chain)
        try:
            async for line in self._lines():
                writer.add(line)
            writer.finish()
        except BaseException:
            writer.discard()
            raise
        return Archive.open(path, self._chain)

    async def _spare(self, path: Path) -> None:
        """A file that is there must be of a run that was killed: of another ledger it may be the only copy."""
        lines = self._present(path)
        while page := [line.entry_id for line in islice(lines, PAGE)]:
            if await self._connection.fetchval(KNOWN, page) < len(page):
                raise ArchiveRefused(f"{path} is there, and has entries that are not of this month: move it away")

    def _present(self, path: Path) -> Iterator[Line]:
        return Archive.open(path, self._chain).lines() if path.exists() else iter(())

    async def _lines(self) -> AsyncIterator[Line]:
        done = 0
        async for row in self._connection.cursor(LINES, prefetch=1_000):
            done += 1
            if done % 1_000 == 0:
                self._observe(f"{done} entries")
            yield Line(*row.values())

    async def _compare(self, archive: Archive) -> None:
        """Holds the file, as it was read again, against the ledger."""
        written = archive.lines()
        async for line in self._lines():
            if next(written, None) != line:
                raise ArchiveRefused(f"{archive.path} does not have {line.entry_id} as it stands in the ledger")
        if next(written, None) is not None:
            raise ArchiveRefused(f"{archive.path} has more than the ledger")

    async def _fold(self, archive: Archive, month: date) -> None:
        """Prepares the bases; refuses a history that does not hold together."""
        page: list[tuple[UserId, list[Line]]] = []
        for user_id, lines in groupby(archive.lines(), key=lambda line: line.user_id):
            page.append((UserId(user_id), list(lines)))
            if len(page) == PLAYERS:
                await self._fold_page(page, month)
                page.clear()
        if page:
            await self._fold_page(page, month)

    async def _fold_page(self, page: Sequence[tuple[UserId, list[Line]]], month: date) -> None:
        ids = [user_id for user_id, _ in page]
        starts = {row["user_id"]: _base(row) for row in await self._connection.fetch(BASES, ids)}
        voided: dict[str, set[str]] = {}
        for row in await self._connection.fetch(VOIDED, ids):
            voided.setdefault(row["user_id"], set()).add(row["target_id"])
        bases = []
        for user_id, lines in page:
            state = self._folded(user_id, lines, starts.get(user_id), frozenset(voided.get(user_id, ())))
            base = Base.of(state, self._chain)
            bases.append((user_id, month, base.version, list(base.boards), base.content, base.audit_key, base.seal))
        await self._connection.executemany("INSERT INTO ledger_bases VALUES ($1, $2, $3, $4, $5, $6, $7)", bases)

    def _folded(self, user_id: UserId, lines: Sequence[Line], base: Base | None, voided: frozenset[str]) -> PlayerState:
        if base is not None and not base.holds(self._chain):
            raise ArchiveRefused(f"the base of player {user_id} is not sealed by us: run laurel audit verify")
        start = None if base is None else base.state(self._boards)
        state = start or PlayerState(user_id, self._boards)
        fold = HistoryFold(user_id, self._boards, voided, state)
        for line in lines:
            link = line.link()
            entry = link.entry
            whole = entry is not None and link.user_version == state.version + 1
            if entry is None or not whole or not self._chain.holds(state.last_hash, entry, link.audit_key, link.seal):
                text = f"entry {link.entry_id} of player {user_id} does not follow from the one before"
                raise ArchiveRefused(f"{text}: run laurel audit verify")
            fold.add(entry)
            state.last_hash = link.seal
            if entry.kind is not Kind.VOID:  # a void has its target's
                state.region, state.groups = entry.region, entry.groups
        return state

    async def _take_out(self, month: date, archive: Archive) -> None:
        """The instant: the month leaves, its bases count; stragglers move to where entries of no month are."""
        connection = self._connection
        await self._detach(_partition(month))
        if await connection.fetchval(LATE):
            raise ArchiveRefused(f"entries of {month:%Y-%m} were voided meanwhile: run it again")
        await connection.execute("INSERT INTO ledger SELECT * FROM staying")
        await connection.execute("DELETE FROM ledger_other WHERE entry_id IN (SELECT entry_id FROM strays)")
        await connection.execute(
            "INSERT INTO ledger_archives (month, entries, digest) VALUES ($1, $2, $3)"
            " ON CONFLICT (month) DO UPDATE SET entries = excluded.entries, digest = excluded.digest",
            month,
            archive.header.entries,
            archive.signature,
        )

    async def _detach(self, partition: str) -> None:
        """Waits for the lock a tenth of a second at a time, so that nobody queues up behind it for longer."""
        for _ in range(LOCK_TRIES):
            try:
                async with self._connection.transaction():
                    await self._connection.execute("SET LOCAL lock_timeout = '100ms'")
                    await self._connection.execute(f"ALTER TABLE ledger DETACH PARTITION {partition}")
                    return
            except asyncpg.LockNotAvailableError:
                self._observe("waiting for a moment without long readers")
                await asyncio.sleep(LOCK_PAUSE_SECONDS)
        raise ArchiveRefused("the ledger is read all the time, by a backup perhaps: run it again later")

    async def _sweep(self) -> None:
        """Drops months that have left: their files were verified before."""
        for row in await self._connection.fetch(
            "SELECT month FROM ledger_archives WHERE to_regclass('ledger_' || to_char(month, 'YYYY_MM')) IS NOT NULL"
            " AND NOT EXISTS (SELECT FROM pg_inherits"
            " WHERE inhrelid = to_regclass('ledger_' || to_char(month, 'YYYY_MM')))"
        ):
            await self._connection.execute(f"DROP TABLE ledger_{row['month']:%Y_%m}")


def _partition(month: date) -> str:
    return f"ledger_{month:%Y_%m}"


def _base(row: Any) -> Base:
    return Base(
        UserId(row["user_id"]), row["version"], tuple(row["boards"]), row["state"], row["audit_key"], row["seal"]
    )
