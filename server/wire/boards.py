"""The shapes of boards: as everybody sees them, and as administrators define them."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

from models.board import Board
from server.wire.fields import TEXT, Slug, Text, Wire
from server.wire.periods import PeriodAnswer, period_answer


class BoardAnswer(Wire, frozen=True):
    """A board's rules and its present period."""

    board_id: str
    title: str
    fold: str
    window: str
    time_zone: str
    filter: dict[str, str | list[str] | None]
    period: PeriodAnswer | None
    frozen: bool


class BoardsAnswer(Wire, frozen=True):
    """Every board."""

    boards: list[BoardAnswer]


class Season(Wire, frozen=True):
    """A season's ends; times without an offset are of the board's time zone, `id` is the board's unless given."""

    start: datetime
    end: datetime
    id: Slug | None = None


class BoardFilter(Wire, frozen=True):
    """Which entries count; null lets everything pass."""

    actions: Annotated[list[Slug], Meta(max_length=100)] | None = None
    region: Slug | None = None
    group: Slug | None = None


class BoardRules(Wire, frozen=True):
    """What a board is, but for its id."""

    title: Text
    fold: Literal["sum", "best", "last"]
    window: Literal["all", "day", "week", "month", "season"]
    time_zone: Annotated[str, Meta(max_length=64, pattern=TEXT)] = "UTC"
    season: Season | None = None
    filter: BoardFilter = BoardFilter()
    top_size: Annotated[int, Meta(ge=1, le=100)] = 10
    visibility: Literal["public", "hidden"] = "public"


class NewBoard(BoardRules, frozen=True, kw_only=True):
    """A board to define."""

    board_id: Slug


class AdminBoardAnswer(Wire, frozen=True):
    """A board with everything that an admin may set, its revision and its present period."""

    board_id: str
    title: str
    fold: str
    window: str
    time_zone: str
    season: PeriodAnswer | None
    filter: BoardFilter
    top_size: int
    visibility: str
    revision: int
    period: PeriodAnswer | None
    frozen: bool


class AdminBoardsAnswer(Wire, frozen=True):
    """Every board, for admins."""

    entries: list[AdminBoardAnswer]
    next: str | None


class FreezeAnswer(Wire, frozen=True):
    """Whether viewers see a frozen board."""

    board_id: str
    frozen: bool


def board_answer(board: Board, now_ms: int, *, admin: bool) -> BoardAnswer:
    """A board as its readers see it: while it is frozen, all but admins with the period of its copy."""
    still = board.frozen is not None and not admin
    period = board.period_named(board.frozen[1]) if still and board.frozen else board.period_at(now_ms)
    return BoardAnswer(
        board_id=board.board_id,
        title=board.title,
        fold=board.fold.value,
        window=board.window.value,
        time_zone=board.time_zone,
        filter={
            "actions": None if board.actions is None else sorted(board.actions),
            "region": board.region,
            "group": board.group,
        },
        period=None if period is None else period_answer(period),
        frozen=board.frozen is not None,
    )


def admin_board_answer(board: Board, now_ms: int) -> AdminBoardAnswer:
    """A board as administrators see it."""
    season, period = board.set_season, board.period_at(now_ms)
    return AdminBoardAnswer(
        board_id=board.board_id,
        title=board.title,
        fold=board.fold.value,
        window=board.window.value,
        time_zone=board.time_zone,
        season=None if season is None else period_answer(season),
        filter=BoardFilter(
            actions=None if board.actions is None else sorted(board.actions), region=board.region, group=board.group
        ),
        top_size=board.top_size,
        visibility="hidden" if board.hidden else "public",
        revision=board.revision,
        period=None if period is None else period_answer(period),
        frozen=board.frozen is not None,
    )
