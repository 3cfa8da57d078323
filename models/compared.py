"""Whether what PostgreSQL derived still is what its ledger says."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import msgspec

from models.board import Board, Place
from models.database import Database, Row, sql
from models.ids import ActionId, UserId
from models.snapshot import refold
from models.state import ActionMemory, PlayerState, Standing

COMPARE = sql("compare")
SAMPLE = sql("compare_sample")
SEALS = sql("compare_seals")

LONGEST = 1_000
"""Entries folded for a comparison, 17 ms in four steps; longer histories are left to `laurel audit verify`."""

_standings = msgspec.json.Decoder(list[tuple[str, str, int, int, bool, bool]])
_memories = msgspec.json.Decoder(dict[str, tuple[int, int, int]])


@dataclass(frozen=True, slots=True)
class Compared:
    """A player's row, and the fold of the ledger up to it; None as fold when the history is too long.

    `broken` says that row and ledger disagree, `derived` that standings or memo are not what the ledger folds to.
    """

    user_id: UserId
    version: int
    last_at: int
    fold: PlayerState | None
    broken: bool
    derived: bool


async def sample(database: Database, count: int) -> list[UserId]:
    """Players by chance, among those with entries."""
    return [UserId(row["id"]) for row in await database.rows(SAMPLE, str(uuid4()), count)]


async def compare(
    database: Database, user_ids: Sequence[UserId], boards: Sequence[Board], places: Sequence[Place]
) -> list[Compared]:
    """Compares players' rows, memos and standings at places with their entries; raises DatabaseUnavailable."""
    keys, periods = [key for key, _ in places], [period for _, period in places]
    found = []
    for row in await database.rows(COMPARE, list(user_ids), keys, periods):
        user_id, version = UserId(row["user_id"]), row["version"]
        archived = version > 0 and row["base_version"] == version  # the last entry is no longer in the ledger
        broken = version > 0 and (row["hash"], row["score_after"]) != (row["last_hash"], row["score"]) and not archived
        fold, derived = None, False
        if version <= LONGEST:
            fold = await refold(database, user_id, version, boards)
            fold.last_hash = row["last_hash"]
            broken = broken or (fold.version, fold.score) != (version, row["score"])
            vouched = fold
            if 0 < row["memo_version"] < version:
                vouched = await refold(database, user_id, row["memo_version"], boards)
            comparable = vouched.version == row["memo_version"]
            derived = row["memo_version"] > 0 and not broken and comparable and not _fits(row, vouched, places)
            for place in places if derived else ():
                fold.standings.setdefault(place, None)  # so that a row too many is corrected
                fold.touched.add(place)
        found.append(Compared(user_id, version, row["last_at"] or 0, fold, broken, derived))
    return found


def _fits(row: Row, fold: PlayerState, places: Sequence[Place]) -> bool:
    """Whether memo and standings are those of a fold of the memo's version."""
    memories = _memories.decode(row["memo_actions"])
    if {ActionId(name): ActionMemory(*memory) for name, memory in memories.items()} != fold.actions:
        return False
    written = {(key, period): rest for key, period, *rest in _standings.decode(row["standings"])}
    for place in places:
        if place[0] not in row["memo_boards"]:
            continue
        should, has = fold.standings.get(place), written.get(place)
        shown = Standing(has[0], has[1]) if has is not None and has[2] else None
        if shown != should or (has is not None and has[3] != (fold.banned_until is not None)):
            return False
    return True


async def seals(database: Database, versions: Sequence[tuple[UserId, int]]) -> dict[UserId, tuple[int, bytes | None]]:
    """The present version of players, and the seals that their entries of the versions asked for have."""
    rows = await database.rows(SEALS, [user_id for user_id, _ in versions], [version for _, version in versions])
    return {UserId(row["user_id"]): (row["version"] or 0, row["seal"]) for row in rows}
