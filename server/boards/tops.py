"""Pages of a board from the top: of its present period, or of a past one."""

from models import past, periods
from models.board import Place
from models.periods import Result
from models.ranking import Row
from server import cursors
from server.boards import asked as asking
from server.boards.asked import Asked
from server.boards.rows import top_answer
from server.cursors import ResultCursor
from server.errors import InvalidRequest
from server.runtime import Runtime
from server.wire.standings import TopAnswer


async def top(runtime: Runtime, asked: Asked, limit: int, cursor: str | None) -> TopAnswer:
    """A page of what is asked for, behind a cursor or from the top; raises NotFound and InvalidRequest."""
    match await asking.find(runtime, asked):
        case Result() as found:
            return await _of_result(runtime, asked, found, limit, cursor)
        case place:
            return await _of_place(runtime, asked, place, limit, cursors.read(cursor, Row))


async def _of_place(runtime: Runtime, asked: Asked, place: Place, limit: int, after: Row | None) -> TopAnswer:
    page = await runtime.reading.top(place, limit, after)
    more = bool(page.rows) and page.first_rank + len(page.rows) <= page.total
    return await top_answer(runtime, asked.board, place[1], page, cursors.written(page.rows[-1]) if more else None)


async def _of_result(runtime: Runtime, asked: Asked, found: Result, limit: int, cursor: str | None) -> TopAnswer:
    after = _after(cursor)
    if isinstance(after, ResultCursor) and after.revision != found.revision:
        of_cursor = await periods.result(runtime.database, asked.board.board_id, found.period.period_id, after.revision)
        if of_cursor is None:
            raise InvalidRequest("this cursor is not one of ours")
        found = of_cursor
    row = after.row if isinstance(after, ResultCursor) else after
    rows = await periods.page(runtime.database, found, limit, row)
    if isinstance(after, Row):
        first = await past.rank_of(runtime.database, found, rows[0] if rows else after)
    else:
        first = 1 if after is None else after.rank + 1
    last = first + len(rows) - 1
    more = bool(rows) and last < found.players
    following = cursors.written(ResultCursor(*rows[-1], last, found.revision)) if more else None
    page = asking.page_of(found, first, rows)
    return await top_answer(runtime, asked.board, found.period.period_id, page, following)


def _after(cursor: str | None) -> ResultCursor | Row | None:
    """Where a page of a result goes on; the page before may be from when the period still ran."""
    try:
        return cursors.read(cursor, ResultCursor)
    except InvalidRequest:
        return cursors.read(cursor, Row)
