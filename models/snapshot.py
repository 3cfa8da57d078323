"""Activation and reload: players' whole states in one snapshot."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from models import ledger
from models.base import Base
from models.base import find as find_base
from models.board import Board, Place
from models.database import Database, Row, Runs, sql
from models.entry import REFOLDED, Entry
from models.ids import ActionId, EntryId, UserId
from models.state import ActionMemory, HistoryFold, PlayerState, Standing, apply_entry

SNAPSHOT = sql("snapshot")

YOUNGER_LIMIT = 2_000
"""A player further behind than this is folded from the whole history, in pages."""

FOLDED_AT_ONCE = 250
"""Entries of a long history read and folded in one step: 1 to 4 ms of the loop, measured; of 1,000 it was 7 to 19."""

_entries = msgspec.json.Decoder(list[Entry])
_standings = msgspec.json.Decoder(list[tuple[str, str, int, int, bool]])
_memories = msgspec.json.Decoder(dict[str, tuple[int, int, int]])


class Question(msgspec.Struct, frozen=True):
    """Which player, what is known already, and which entry is asked for.

    `state` is continued if given, else read from scratch. `asked` is an entry id, `scope` and `key` an idempotency key.
    """

    user_id: UserId
    state: PlayerState | None = None
    asked: EntryId | None = None
    scope: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A player's state, and the recorded entry if the one asked for is in the ledger.

    `state` is None for a player that does not exist; `request_hash` belongs to the key asked for.
    """

    state: PlayerState | None
    recorded: Entry | None
    voided: bool
    request_hash: bytes | None


async def take(
    connection: Runs, database: Database, questions: Sequence[Question], boards: Sequence[Board], now_ms: int
) -> list[Snapshot]:
    """Answers all questions from one snapshot, in their order.

    `connection` is where the snapshot is taken: the pool, or a transaction that holds the player's lock.
    """
    places = current_places(boards, now_ms)
    rows = await connection.hot(
        SNAPSHOT,
        [q.user_id for q in questions],
        [None if q.state is None else q.state.version for q in questions],
        [q.asked for q in questions],
        [q.scope for q in questions],
        [q.key for q in questions],
        [place[0] for place in places],
        [place[1] for place in places],
        YOUNGER_LIMIT,
    )
    by_number = {row["n"]: row for row in rows}
    shared = {place: place for place in places}
    return [
        await _answer(database, question, by_number[number], boards, shared)
        for number, question in enumerate(questions, start=1)
    ]


def current_places(boards: Iterable[Board], now_ms: int) -> list[Place]:
    """Where entries of now and of a day ago belong, so that a period's last entries find their standings."""
    places: dict[Place, None] = {}
    for board in boards:
        for at in (now_ms, now_ms - 86_400_000):
            if period := board.period_at(at):
                places[(board.key, period.period_id)] = None
    return list(places)


async def _answer(
    database: Database, question: Question, row: Row, boards: Sequence[Board], places: Mapping[Place, Place]
) -> Snapshot:
    if not row["known"]:
        return Snapshot(None, None, False, None)
    recorded = ledger.decode_entry(row["recorded"]) if row["recorded"] else None
    younger = _entries.decode(row["younger"]) if row["younger"] else []
    state = _start(question, row, boards, places)
    if state is None or not _folds(state, younger, row["version"], boards, places):
        state = await refold(database, question.user_id, row["version"], boards)
    else:
        for entry in younger:
            apply_entry(state, entry)
    _adopt(state, row)
    return Snapshot(state, recorded, row["voided"], row["request_hash"])


def _start(question: Question, row: Row, boards: Sequence[Board], places: Mapping[Place, Place]) -> PlayerState | None:
    """The state to continue from, with the places that all share; None when it was not folded for every board."""
    if question.state is not None:
        return question.state if question.state.boards == tuple(boards) else None
    state = PlayerState(question.user_id, tuple(boards))
    if row["memo_version"] is None:
        return state
    if not {board.key for board in boards} <= set(row["memo_boards"]):
        return None
    state.version = row["memo_version"]
    for key, period, score, reached_at, present in _standings.decode(row["standings"] or "[]"):
        place = places.get((key, period), (key, period))
        state.standings[place] = Standing(score, reached_at) if present else None
    for action_id, memory in _memories.decode(row["memo_actions"]).items():
        state.actions[ActionId(action_id)] = ActionMemory(*memory)
    return state


def _folds(
    state: PlayerState, younger: Sequence[Entry], version: int, boards: Sequence[Board], places: Mapping[Place, Place]
) -> bool:
    """Whether younger entries can be added: all are there, none refolds, none is in a place that was not read."""
    if state.version + len(younger) != version:
        return False
    for entry in younger:
        if entry.kind in REFOLDED:
            return False
        for board in boards:
            period = board.period_at(entry.effective_at)
            if period and (board.key, period.period_id) not in places:
                return False
    return True


def _adopt(state: PlayerState, row: Row) -> None:
    """Takes the player's row for what it says better than the fold."""
    state.version = row["version"]
    state.score = row["score"]
    state.last_at = row["last_at"] or 0
    state.last_hash = row["last_hash"]
    state.region = row["region"]
    state.groups = tuple(row["groups"])
    state.banned_until = row["banned_until"]


async def refold(database: Database, user_id: UserId, version: int, boards: Sequence[Board]) -> PlayerState:
    """The state folded from the ledger alone, up to a version; every standing counts as touched."""
    while True:
        base = await find_base(database, user_id)
        state = await _refold(database, user_id, version, boards, base)
        # An archive takes entries away in the same instant in which its base counts: was it this instant?
        if await find_base(database, user_id) == base:
            return state


async def _refold(
    database: Database, user_id: UserId, version: int, boards: Sequence[Board], base: Base | None
) -> PlayerState:
    start = None if base is None else base.state(boards)
    fold = HistoryFold(user_id, boards, await ledger.voided_targets(database, user_id, version), start)
    while fold.state.version < version:
        page = await ledger.history(database, user_id, fold.state.version, FOLDED_AT_ONCE)
        for entry in page:
            if entry.user_version > version:
                break
            fold.add(entry)
        if not page:
            break
    return fold.state
