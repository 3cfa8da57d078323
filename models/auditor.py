"""Walks every player's history as the ledger has it."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

import asyncpg
import msgspec

from models.archive import Archive, Archives, Line
from models.audit import Fault, Link, Mark, Memo, Subject, Written
from models.base import Base
from models.board import Board
from models.chain import Chain
from models.database import CONNECT_TIMEOUT_SECONDS, INDEX_PLANS, UNHURRIED, credentials, pooled, sql
from models.errors import typed
from models.history import History
from models.ids import ActionId, UserId
from models.ledger import decode_entry
from models.state import ActionMemory, Standing

PLAYERS = sql("audit_players")
ENTRIES = sql("audit_entries").replace("{entry}", sql("entry"))
STRAYS = sql("audit_strays")

PAGE = 500
"""Players read at once."""
BATCH = 5_000
"""Entries read at once, of one player or of many."""
STATEMENT_SECONDS = 3_600
"""One statement looks for strays in the whole ledger."""
WHOLE_TABLE_PLANS = "SET LOCAL enable_seqscan = on; SET LOCAL enable_hashjoin = on; SET LOCAL enable_mergejoin = on"
LAST_ID = UUID(int=2**128 - 1)

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Span: TypeAlias = tuple[Subject, int, int]
"""A stretch of a player's versions: after which, up to which."""

_standings = msgspec.json.Decoder(list[tuple[str, str, int, int, bool, bool, int]])
_memories = msgspec.json.Decoder(dict[str, tuple[int, int, int]])


@asynccontextmanager
async def reading(database_url: str) -> AsyncIterator[Connection]:
    """A connection of its own that only reads, without the limits of the redemption path.

    Behind a pooler, which takes no such settings, those of the role hold. Raises DatabaseUnavailable, also for what
    happens inside.
    """
    settings = {} if pooled(database_url) else {**UNHURRIED, **INDEX_PLANS, "default_transaction_read_only": "on"}
    settings["application_name"] = "laurel-audit"
    try:
        connection = await asyncpg.connect(
            timeout=CONNECT_TIMEOUT_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            server_settings=settings,
            **credentials(database_url),
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=CONNECT_TIMEOUT_SECONDS)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError) as error:
        raise typed(error) from error


@dataclass(slots=True)
class Verdict:
    """What was looked at, and the first fault; `settled` players had standings to compare, `archived` begin in an
    archive that was not given.
    """

    players: int = 0
    entries: int = 0
    settled: int = 0
    archived: int = 0
    fault: Fault | None = None


class Auditor:
    """Reads players in pages, each page in one snapshot, then their entries up to the versions read.

    The ledger is append-only, so what is committed meanwhile changes nothing that was read: it may run at any time.
    """

    def __init__(
        self,
        connection: Connection,
        boards: Iterable[Board],
        chain: Chain,
        observe: Callable[[Verdict], None] = lambda _: None,
        archives: Sequence[Archive] = (),
    ) -> None:
        self._connection = connection
        self._boards = tuple(boards)
        self._chain = chain
        self._observe = observe
        self._archives = archives

    async def verify(self, user_id: UserId | None = None, marks: Iterable[Mark] = ()) -> Verdict:
        """Walks one player or all, against a checkpoint's marks in the order of their players."""
        verdict = Verdict()
        of_interest = (mark for mark in marks if user_id is None or mark.user_id == user_id)
        archives = Archives(self._archives)
        verdict.fault = await self._walk(user_id, of_interest, verdict, archives) or await self._stray(user_id)
        if verdict.fault is None and user_id is None:
            verdict.fault = archives.rest()
        return verdict

    async def _walk(
        self, user_id: UserId | None, marks: Iterator[Mark], verdict: Verdict, archives: Archives
    ) -> Fault | None:
        mark = next(marks, None)
        async for page in self._pages(user_id):
            histories: dict[str, History] = {}
            for subject in page:
                if mark is not None and mark.user_id < subject.user_id:
                    break
                own = mark if mark is not None and mark.user_id == subject.user_id else None
                mark = next(marks, None) if own else mark
                lines = archives.of(subject.user_id, skipping=user_id is not None)
                if isinstance(lines, Fault):
                    return lines
                history = self._history(subject, own, lines, whole=archives.given, verdict=verdict)
                if isinstance(history, Fault):
                    return history
                histories[subject.user_id] = history
            for spans in _batches([subject for subject in page if subject.user_id in histories]):
                if fault := await self._compare(spans, histories, verdict):
                    return fault
            if len(histories) < len(page):
                break
        return None if mark is None else Fault(mark.user_id, mark.version, None, "the player is gone")

    def _history(
        self, subject: Subject, mark: Mark | None, lines: Sequence[Line], *, whole: bool, verdict: Verdict
    ) -> History | Fault:
        """A player's history up to the base: taken from the archive, or on trust in the base's seal."""
        links = [line.link() for line in lines]
        gone = {link.entry.target_id for link in links if link.entry is not None and link.entry.target_id}
        subject = replace(subject, voided=subject.voided | gone)
        history = History(subject, self._boards, self._chain, mark, whole=whole)
        if fault := history.base_fault():
            return fault
        for link in links:
            if fault := history.add(link):
                return fault
            verdict.entries += 1
        if subject.base is not None:
            verdict.archived += not whole
            if fault := history.reached(subject.base.version):
                return fault
        return history

    async def _compare(self, spans: Sequence[Span], histories: dict[str, History], verdict: Verdict) -> Fault | None:
        links = await self._links(spans)
        for subject, _, high in spans:
            history = histories[subject.user_id]
            for link in links.get(subject.user_id, ()):
                if fault := history.add(link):
                    return fault
                verdict.entries += 1
            if fault := history.reached(high):
                return fault
            if high >= subject.version:
                if fault := history.end():
                    return fault
                verdict.players += 1
                verdict.settled += subject.settled
        self._observe(verdict)
        return None

    async def _pages(self, user_id: UserId | None) -> AsyncIterator[list[Subject]]:
        low, last = (UUID(int=0), LAST_ID) if user_id is None else (UUID(user_id), UUID(user_id))
        while True:
            rows = await self._connection.fetch(PLAYERS, low, last, PAGE)
            if not rows:
                return
            yield [_subject(row) for row in rows]
            reached = UUID(rows[-1]["user_id"])
            if reached >= last:
                return
            low = UUID(int=reached.int + 1)

    async def _links(self, spans: Sequence[Span]) -> dict[str, list[Link]]:
        ids, lows, highs = zip(*((subject.user_id, low, high) for subject, low, high in spans), strict=True)
        links: dict[str, list[Link]] = {}
        for row in await self._connection.fetch(ENTRIES, ids, lows, highs):
            links.setdefault(row["user_id"], []).append(_link(row))
        return links

    async def _stray(self, user_id: UserId | None) -> Fault | None:
        async with self._connection.transaction(readonly=True):
            await self._connection.execute(WHOLE_TABLE_PLANS)
            row = await self._connection.fetchrow(STRAYS, user_id)
        return None if row is None else Fault(*row.values())


def _batches(subjects: Iterable[Subject]) -> Iterator[list[Span]]:
    """Stretches that hold so many entries together; a player without entries has an empty one."""
    batch: list[Span] = []
    room = BATCH
    for subject in subjects:
        low = 0 if subject.base is None else subject.base.version
        while True:
            high = min(subject.version, low + room)
            batch.append((subject, low, high))
            room -= max(high - low, 0)
            low = high
            if room == 0:
                yield batch
                batch, room = [], BATCH
            if low >= subject.version:
                break
    if batch:
        yield batch


def _link(row: asyncpg.Record) -> Link:
    try:
        entry = decode_entry(row["entry"])
    except msgspec.MsgspecError:
        entry = None
    return Link(row["user_version"], row["entry_id"], entry, row["hash"], row["hash_version"], row["audit_key"])


def _base(row: asyncpg.Record) -> Base | None:
    if row["base_version"] is None:
        return None
    boards = tuple(row["base_boards"])
    return Base(
        UserId(row["user_id"]), row["base_version"], boards, row["base_state"], row["base_key"], row["base_seal"]
    )


def _subject(row: asyncpg.Record) -> Subject:
    memo = None
    if row["memo_version"] is not None:
        memories = _memories.decode(row["memo_actions"])
        actions = {ActionId(action_id): ActionMemory(*memory) for action_id, memory in memories.items()}
        memo = Memo(row["memo_version"], frozenset(row["memo_boards"]), actions)
    return Subject(
        user_id=UserId(row["user_id"]),
        version=row["version"],
        score=row["score"],
        last_at=row["last_at"],
        last_hash=row["last_hash"],
        region=row["region"],
        groups=tuple(row["groups"]),
        banned_until=row["banned_until"],
        memo=memo,
        standings={
            (board, period): Written(Standing(score, reached_at), present, hidden, version)
            for board, period, score, reached_at, present, hidden, version in _standings.decode(row["standings"])
        },
        voided=frozenset(row["voided"]),
        stray=None if row["stray_id"] is None else (row["stray_version"], row["stray_id"]),
        now_ms=row["now"],
        base=_base(row),
    )
