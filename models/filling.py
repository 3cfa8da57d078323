"""Standings of boards that are new: folded from the ledger, for players that others are settled for already."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from models.board import Board
from models.database import Database, sql
from models.entry import Entry
from models.ids import UserId
from models.settling import columns_of, settlement_of
from models.snapshot import refold
from models.state import PlayerState, fold_history

LACKING = sql("fill_lacking")
ENTRIES = sql("fill_entries")
VOUCH = sql("fill_vouch")

FIRST_ID = UserId("00000000-0000-0000-0000-000000000000")
BATCH_ENTRIES = 2_000
"""Entries folded in one go: about 10 ms of the loop's time."""
PLAYER_ENTRIES = 3
"""What a player costs beside the entries: as much as so many."""

_entries = msgspec.json.Decoder(list[Entry])


@dataclass(frozen=True, slots=True)
class Lacking:
    """A player settled up to a version for some boards only; version 0 has no memo at all."""

    user_id: UserId
    version: int
    boards: frozenset[str]


async def lacking(database: Database, boards: Iterable[Board]) -> AsyncIterator[list[Lacking]]:
    """All players who are not settled for all boards, by id, page by page."""
    keys = [board.key for board in boards]
    after = FIRST_ID
    while rows := await database.rows(LACKING, after, keys):
        found = [Lacking(UserId(r["user_id"]), r["version"], frozenset(r["boards"])) for r in rows if r["lacks"]]
        if found:
            yield found
        after = UserId(rows[-1]["user_id"])


async def anybody_lacks(database: Database, board: Board) -> bool:
    """Whether a player is not settled for a board."""
    async for _ in lacking(database, [board]):
        return True
    return False


def batches(found: Iterable[Lacking]) -> Iterator[list[Lacking]]:
    """Players together as long as they have few entries; one with many is alone."""
    batch: list[Lacking] = []
    room = BATCH_ENTRIES
    for one in found:
        if batch and one.version + PLAYER_ENTRIES > room:
            yield batch
            batch, room = [], BATCH_ENTRIES
        batch.append(one)
        room -= one.version + PLAYER_ENTRIES
    if batch:
        yield batch


async def fill(database: Database, batch: Sequence[Lacking], boards: Iterable[Board]) -> None:
    """Folds what is lacking up to the memo's own version; a memo that has moved on meanwhile lacks it still.

    So it cannot count twice what a redemption counts meanwhile, nor leave it out.
    """
    defined = tuple(boards)
    missing = {one.user_id: tuple(b for b in defined if b.key not in one.boards) for one in batch}
    states = await _folded(database, batch, missing)
    settlements = [settlement_of(state) for state in states]
    vouched = [(s.user_id, s.version, s.boards) for s in sorted(settlements, key=lambda s: s.user_id)]
    await database.rows(VOUCH, *columns_of(settlements), *zip(*vouched, strict=True))


async def _folded(
    database: Database, batch: Sequence[Lacking], missing: dict[UserId, tuple[Board, ...]]
) -> list[PlayerState]:
    if len(batch) == 1 and batch[0].version > BATCH_ENTRIES:
        (one,) = batch
        return [await refold(database, one.user_id, one.version, missing[one.user_id])]
    rows = await database.hot(ENTRIES, [one.user_id for one in batch], [one.version for one in batch])
    return [
        fold_history(UserId(row["user_id"]), _entries.decode(row["entries"]), missing[UserId(row["user_id"])])
        for row in rows
    ]
