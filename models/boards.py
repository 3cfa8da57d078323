"""The boards there are: read, defined, changed and deleted."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from models.board import GLOBAL, Board, Fold, Place, Window
from models.board_rules import check, check_change, encoded, rules_of
from models.database import Database, Transaction, sql
from models.errors import BoardConflict, typed
from models.ids import BoardId
from models.tables import BoardRow

MAX_BOARDS = 200
"""Every board costs something at every redemption."""

# One who defines boards at a time; those who read are not held up.
LOCK = "LOCK TABLE boards IN SHARE ROW EXCLUSIVE MODE"
PRESENT = "SELECT * FROM boards WHERE board_id = $1"
SAVE = sql("save_board")
DELETE = sql("delete_board")
FREEZE = sql("freeze_board")
SEASON = """
SELECT $3::timestamptz <= now() AS over, EXISTS (SELECT FROM results WHERE board_id = $1 AND period = $2) AS frozen
"""
UNFILLED = "SELECT board_id, revision FROM boards WHERE filled < revision ORDER BY board_id"
IS_UNFILLED = "SELECT board_id FROM boards WHERE board_id = $1 AND revision = $2 AND filled < revision"
FILLED = "UPDATE boards SET filled = revision WHERE board_id = $1 AND revision = $2"


async def load(database: Database) -> list[Board]:
    """Every board in its order; raises DatabaseUnavailable."""
    try:
        rows = await BoardRow.all().using_db(database.orm).order_by("position", "board_id").values()
    except Exception as error:
        raise typed(error) from error
    return [_board(row) for row in rows]


def _board(row: Mapping[str, Any]) -> Board:
    return Board(
        board_id=BoardId(row["board_id"]),
        revision=row["revision"],
        title=row["title"],
        fold=Fold(row["fold"]),
        window=Window(row["window"]),
        time_zone=row["time_zone"],
        starts_ms=_ms(row["starts_at"]),
        ends_ms=_ms(row["ends_at"]),
        season=row["season"],
        actions=frozenset(row["actions"]) if row["actions"] is not None else None,
        region=row["region"],
        group=row["group"],
        top_size=row["top_size"],
        hidden=row["hidden"],
        frozen=(row["frozen_key"], row["frozen_period"]) if row["frozen_key"] is not None else None,
        frozen_ms=_ms(row["frozen_at"]),
    )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC)


async def create(database: Database, board: Board) -> Board:
    """Defines a board; raises BoardInvalid and BoardConflict."""
    check(board)
    async with database.transaction() as transaction:
        await transaction.hot(LOCK)
        if await transaction.hot(PRESENT, board.board_id):
            raise BoardConflict("a board of this id exists")
        if (await transaction.hot("SELECT count(*) AS n FROM boards"))[0]["n"] >= MAX_BOARDS:
            raise BoardConflict(f"there are {MAX_BOARDS} boards, which is the most")
        return await _save(transaction, board, anew=True)


async def change(database: Database, board: Board) -> Board | None:
    """Changes a board, its rules under a new revision; None when there is none of this id.

    Raises BoardInvalid and BoardConflict.
    """
    check(board)
    async with database.transaction() as transaction:
        await transaction.hot(LOCK)
        rows = await transaction.hot(PRESENT, board.board_id)
        if not rows:
            return None
        before = _board(rows[0])
        anew = check_change(before, board)
        if anew:
            await _guard_seasons(transaction, before, board)
        return await _save(transaction, replace(board, revision=before.revision, frozen=before.frozen), anew=anew)


async def _guard_seasons(transaction: Transaction, before: Board, after: Board) -> None:
    """Neither may a season that is over be lost before its result stands, nor a frozen one begin again."""
    for board, frozen, sentence in (
        (before, False, "the season that is over is being frozen; try again in half a minute"),
        (after, True, "this season has its result already; give the new one another id"),
    ):
        season = board.set_season
        if season is None:
            continue
        rows = await transaction.hot(SEASON, board.board_id, season.period_id, _moment(season.end_ms))
        if rows[0]["frozen"] if frozen else rows[0]["over"] and not rows[0]["frozen"]:
            raise BoardConflict(sentence)


async def _save(transaction: Transaction, board: Board, *, anew: bool) -> Board:
    rules = rules_of(board)
    rows = await transaction.hot(
        SAVE,
        board.board_id,
        None if anew else board.revision,
        board.title,
        rules.fold.value,
        rules.window.value,
        rules.time_zone,
        rules.season,
        _moment(rules.starts_ms),
        _moment(rules.ends_ms),
        None if rules.actions is None else list(rules.actions),
        rules.region,
        rules.group,
        board.top_size,
        board.hidden,
        encoded(rules),
    )
    return _board(rows[0])


async def delete(database: Database, board_id: str) -> bool:
    """Deletes a board with its results; False when there is none. Raises BoardConflict for `global`."""
    if board_id == GLOBAL:
        raise BoardConflict("this board cannot be deleted")
    async with database.transaction() as transaction:
        await transaction.hot(LOCK)
        return bool(await transaction.hot(DELETE, board_id))


async def freeze(database: Database, board_id: str, place: Place | None) -> bool:
    """Shows everybody but admins another place, or the live one again; False when that was so already."""
    return bool(await database.rows(FREEZE, board_id, *(place or (None, None))))


async def unfilled(database: Database) -> list[tuple[str, int]]:
    """Ids and revisions of boards whose standings are not complete."""
    return [(row["board_id"], row["revision"]) for row in await database.rows(UNFILLED)]


async def is_filled(database: Database, board_key: str) -> bool:
    """Whether a board's standings are complete; so they are for keys that are no board's."""
    board_id, _, revision = board_key.rpartition("/")
    if not revision.isdecimal():
        return True
    return not await database.rows(IS_UNFILLED, board_id, int(revision))


async def mark_filled(database: Database, board_key: str) -> None:
    """Takes note that a board's standings are complete."""
    board_id, _, revision = board_key.rpartition("/")
    await database.rows(FILLED, board_id, int(revision))


async def ensure_regions(database: Database, regions: Iterable[str], defined: Iterable[Board]) -> bool:
    """Defines the standing board of each region that has none; whether any had none."""
    known = {board.board_id for board in defined}
    missing = [region for region in regions if f"region-{region}" not in known]
    for region in missing:
        board = Board(BoardId(f"region-{region}"), 0, f"Region {region}", Fold.SUM, Window.ALL, region=region)
        with suppress(BoardConflict):  # another pod was first
            await create(database, board)
    return bool(missing)
