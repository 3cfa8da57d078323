"""Rows of a board as answers, with their players' names."""

from actors.frames import rfc3339
from actors.reading import Page
from models.board import Board
from models.ranking import Row
from server.runtime import Runtime
from server.wire.standings import EntryAnswer, TopAnswer


async def top_answer(runtime: Runtime, board: Board, period: str, page: Page, following: str | None) -> TopAnswer:
    """A page of a board; `following` is the cursor of the next one."""
    await runtime.profiles.load_soon([row.user_id for row in page.rows])
    return TopAnswer(
        board_id=board.board_id,
        period=period,
        epoch=page.epoch,
        version=page.version,
        as_of=rfc3339(page.as_of),
        degraded=page.degraded,
        total_users=page.total,
        entries=[entry_answer(runtime, row, rank) for rank, row in enumerate(page.rows, page.first_rank)],
        next=following,
    )


def entry_answer(runtime: Runtime, row: Row, rank: int) -> EntryAnswer:
    """One row, of a player whose profile is loaded."""
    profile = runtime.profiles.get(row.user_id)
    return EntryAnswer(
        rank=rank,
        user_id=row.user_id,
        username=profile.username,
        display_name=profile.display_name,
        avatar_url=profile.avatar_url,
        score=row.score,
        reached_at=rfc3339(row.reached_at),
    )
