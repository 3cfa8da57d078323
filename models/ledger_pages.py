"""Reads the ledger in pages, newest entries first."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from models.database import Database, Row, sql
from models.entry import FOREVER_MS, Entry, Kind
from models.ids import EntryId, UserId, is_slug, is_uuid, uuid7_ms
from models.ledger import decode_entry

OF_PLAYER = sql("ledger_of_player")
STRETCH = sql("ledger_stretch")
OLDEST = sql("oldest_entry")

COMMON = frozenset({Kind.REDEEM, Kind.AWARD})
"""Kinds that the index of rare ones leaves out."""
RARE = "AND l.kind NOT IN ('redeem', 'award')"
"""Has the index of the others used."""
FIRST_STRETCH_MS = 1_000
LONGEST_STRETCH_MS = 30 * 86_400_000
GROWTH = 8
"""Each stretch without enough entries makes the next so many times as long: a month back in eight steps."""
SEARCH_SECONDS = 1.0
"""After this no further stretch is searched for one page."""
SLACK_MS = 60_000
"""An entry may be stamped earlier than its id says, by clocks that differ."""
FIRST_ID = EntryId("00000000-0000-0000-0000-000000000000")
LAST_ID = EntryId("ffffffff-ffff-ffff-ffff-ffffffffffff")
LAST_VERSION = 2**62


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """The entry that a page ends with; `stretch` is how far back the search goes on at once, in milliseconds."""

    at: int
    entry_id: str
    user_version: int
    stretch: int = FIRST_STRETCH_MS

    @property
    def is_sound(self) -> bool:
        """Whether this can be the place of an entry."""
        known = is_uuid(self.entry_id) and 0 < self.user_version <= LAST_VERSION
        return known and 0 <= self.at <= FOREVER_MS and 0 < self.stretch <= LONGEST_STRETCH_MS


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; times are Unix milliseconds, `to_ms` is exclusive, None lets everything pass.

    Raises ValueError for an action whose id is none.
    """

    user_id: UserId | None = None
    action_id: str | None = None
    kind: Kind | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def __post_init__(self) -> None:
        if self.action_id is not None and not is_slug(self.action_id):
            raise ValueError("not the id of an action")

    @property
    def words(self) -> str:
        """The conditions on action and kind, as SQL: a slug and a kind have nothing in them to be escaped."""
        conditions = [] if self.kind is None or self.kind in COMMON else [RARE]
        if self.kind is not None:
            conditions.append(f"AND l.kind = '{self.kind.value}'")
        if self.action_id is not None:
            conditions.append(f"AND l.action_id = '{self.action_id}'")
        return " ".join(conditions)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry, and whether a void has reversed it."""

    entry: Entry
    voided: bool

    @property
    def cursor(self) -> Cursor:
        """Where a page that ends with this entry goes on."""
        return Cursor(self.entry.at, self.entry.entry_id, self.entry.user_version)


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first, and where the next page goes on; None when there are no more."""

    entries: list[Recorded]
    following: Cursor | None


async def page(database: Database, wanted: Wanted, now_ms: int, limit: int, after: Cursor | None) -> Page:
    """The newest entries wanted, behind a cursor.

    A search that finds little in a large ledger stops after a while: then the page is short, but not the last.
    """
    if wanted.user_id is not None:
        return _page(await _of_player(database, wanted.user_id, wanted, limit + 1, after), limit)
    oldest = await database.rows(OLDEST)
    if not oldest:
        return Page([], None)
    low = max(uuid7_ms(oldest[0]["entry_id"]) - SLACK_MS, wanted.from_ms or 0)
    high = now_ms + SLACK_MS
    if wanted.to_ms is not None:
        high = min(high, wanted.to_ms)
    if after is not None:
        high = min(high, after.at + 1)
    if wanted.kind is not None and wanted.kind not in COMMON:
        whole = (wanted.from_ms or 0, high)
        return _page(await _stretch(database, wanted, whole, limit + 1, after), limit)
    return await _searched(database, wanted, (low, high), limit, after)


async def _searched(
    database: Database, wanted: Wanted, whole: tuple[int, int], limit: int, after: Cursor | None
) -> Page:
    found: list[Recorded] = []
    until = time.monotonic() + SEARCH_SECONDS
    for start, end in stretches(*whole, FIRST_STRETCH_MS if after is None else after.stretch):
        found += await _stretch(database, wanted, (start, end), limit + 1 - len(found), after)
        if len(found) > limit:
            break
        if start > whole[0] and time.monotonic() > until:
            return Page(found, Cursor(start, FIRST_ID, 1, longer(end - start)))
    return _page(found, limit)


def _page(found: list[Recorded], limit: int) -> Page:
    """A page of what was found, one more than the limit having been asked for."""
    return Page(found[:limit], found[limit - 1].cursor if len(found) > limit else None)


def longer(length_ms: int) -> int:
    """How long the stretch after one without enough entries is."""
    return min(length_ms * GROWTH, LONGEST_STRETCH_MS)


def stretches(low_ms: int, high_ms: int, length: int = FIRST_STRETCH_MS) -> Iterator[tuple[int, int]]:
    """Stretches of time from the newest back, each longer than the one before: little is read to find few."""
    while high_ms > low_ms:
        start = max(low_ms, high_ms - length)
        yield start, high_ms
        high_ms, length = start, longer(length)


async def _of_player(
    database: Database, user_id: UserId, wanted: Wanted, limit: int, after: Cursor | None
) -> list[Recorded]:
    version = LAST_VERSION if after is None else after.user_version
    times = [None if ms is None else _time(ms) for ms in (wanted.from_ms, wanted.to_ms)]
    return _recorded(await database.rows(OF_PLAYER, user_id, version, wanted.action_id, wanted.kind, *times, limit))


async def _stretch(
    database: Database, wanted: Wanted, stretch: tuple[int, int], limit: int, after: Cursor | None
) -> list[Recorded]:
    start, end = stretch
    at, entry_id = (end, LAST_ID) if after is None else (after.at, after.entry_id)
    statement = STRETCH.replace("{words}", wanted.words)
    return _recorded(await database.rows(statement, _time(start), _time(end), _time(at), entry_id, limit))


def _recorded(rows: list[Row]) -> list[Recorded]:
    return [Recorded(decode_entry(row["entry"]), row["voided"]) for row in rows]


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)
