"""Who may see which board."""

from sanic import Request

from models.board import Board
from models.ids import BoardId
from server.auth import ADMIN
from server.errors import NotFound
from server.runtime import Runtime


def is_admin(request: Request) -> bool:
    """Whether an admin asks, who sees hidden boards and the live ones; a token that is sent must be good."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.optional(request)
    return session is not None and session.role == ADMIN


def visible_board(runtime: Runtime, board_id: str, *, admin: bool) -> Board:
    """The board of an id, if the caller may see it; raises NotFound."""
    leaderboard = runtime.views.live.get(BoardId(board_id))
    if leaderboard is None or (leaderboard.board.hidden and not admin):
        raise NotFound("there is no such board")
    return leaderboard.board
