"""Pages of a board from the top: of its present period, or of a past one."""

from actors.reading import Page
from models import periods
from models.board import Board, Place
from models.ids import is_slug
from models.periods import Result
from models.ranking import Row
from server import cursors
from server.boards.rows import top_answer
from server.cursors import ResultCursor
from server.errors import InvalidRequest, NotFound
from server.runtime import Runtime
from server.wire.standings import TopAnswer

RESULT_EPOCH = "result"
"""Epoch of every frozen result; its version is the result's revision."""


async def present(runtime: Runtime, board: Board, place: Place, limit: int, after: Row | None) -> TopAnswer:
    """A page of what stands there now, after a row or from the top."""
    page = await runtime.reading.top_at(place, limit, after)
    more = bool(page.rows) and page.first_rank + len(page.rows) <= page.total
    return await top_answer(runtime, board, place[1], page, cursors.written(page.rows[-1]) if more else None)


async def past(
    runtime: Runtime,
    board: Board,
    period: str,
    revision: int | None,
    limit: int,
    cursor: str | None,
    *,
    open_too: bool,
) -> TopAnswer:
    """A past period's page: its frozen result, or for the seconds before there is one what the standings have."""
    known = is_slug(period.lower())
    found = await periods.result(runtime.database, board.board_id, period, revision) if known else None
    if found is not None:
        return await _of_result(runtime, board, found, limit, cursor)
    named = board.period_named(period) if known and open_too and revision is None else None
    if named is None or named.end_ms is None or named.end_ms > runtime.clock.now_ms():
        raise NotFound("there is no such period")
    shown = await present(runtime, board, (board.key, period), limit, cursors.read(cursor, Row))
    if shown.total_users == 0:
        raise NotFound("there is no such period")
    return shown


async def _of_result(runtime: Runtime, board: Board, found: Result, limit: int, cursor: str | None) -> TopAnswer:
    after = cursors.read(cursor, ResultCursor)
    if after is not None and after.revision != found.revision:
        of_cursor = await periods.result(runtime.database, board.board_id, found.period.period_id, after.revision)
        if of_cursor is None:
            raise InvalidRequest("this cursor is not one of ours")
        found = of_cursor
    rows = await periods.page(runtime.database, found, limit, None if after is None else after.row)
    first = 1 if after is None else after.rank + 1
    page = Page(RESULT_EPOCH, found.revision, found.made_at, False, found.players, first, tuple(rows))
    last = first + len(rows) - 1
    more = bool(rows) and last < found.players
    following = cursors.written(ResultCursor(*rows[-1], last, found.revision)) if more else None
    return await top_answer(runtime, board, found.period.period_id, page, following)
