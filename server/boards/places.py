"""Where a player stands on a board, and who stands around them."""

from actors.frames import rfc3339
from models import past
from models.ids import UserId
from models.periods import Result
from models.standings import Place
from server.boards import asked as asking
from server.boards.asked import Asked
from server.boards.rows import top_answer
from server.errors import NotFound
from server.runtime import Runtime
from server.wire.standings import PlaceAnswer, TopAnswer

EDGE_RANK = 10
"""`pointsToTop10` is about this one."""
ABSENT = "this player is not on the board"


async def around(runtime: Runtime, asked: Asked, user_id: UserId, radius: int) -> TopAnswer:
    """The rows around a player; raises NotFound."""
    match await asking.find(runtime, asked):
        case Result() as result:
            rows = await past.around(runtime.database, result, user_id, radius)
            period, page = result.period.period_id, None if rows is None else asking.page_of(result, *rows)
        case where:
            period, page = where[1], await runtime.reading.around(where, user_id, radius)
    if page is None:
        raise NotFound(ABSENT)
    return await top_answer(runtime, asked.board, period, page, None)


async def place(runtime: Runtime, asked: Asked, user_id: UserId) -> PlaceAnswer:
    """A player's place; raises NotFound."""
    match await asking.find(runtime, asked):
        case Result() as result:
            period, found = result.period.period_id, await past.place(runtime.database, result, user_id, EDGE_RANK)
        case where:
            period, found = where[1], await runtime.reading.place(where, user_id)
    if found is None:
        raise NotFound(ABSENT)
    await runtime.profiles.load_soon([user_id])
    profile = runtime.profiles.get(user_id)
    return PlaceAnswer(
        board_id=asked.board.board_id,
        period=period,
        user_id=user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        rank=found.rank,
        score=found.row.score,
        reached_at=rfc3339(found.row.reached_at),
        percentile=percentile(found.rank, found.total),
        points_to_next_rank=None if found.next_score is None else found.next_score - found.row.score + 1,
        points_to_top10=points_to_edge(found),
        total_users=found.total,
    )


def percentile(rank: int, total: int) -> float:
    """100 × players ranked below ÷ (all − 1); 100 when alone."""
    return 100.0 if total <= 1 else 100 * (total - rank) / (total - 1)


def points_to_edge(found: Place) -> int:
    """Points to pass the tenth; 0 inside the top 10 or while it is not full."""
    if found.rank <= EDGE_RANK or found.edge_score is None:
        return 0
    return found.edge_score - found.row.score + 1
