"""What a board may be, and what makes it another one; pure."""

from functools import cache
from zoneinfo import available_timezones

import msgspec

from models.board import GLOBAL, Board, Fold, Window
from models.errors import BoardConflict, BoardInvalid
from models.ids import BoardId, is_slug

MAX_TITLE = 200
MAX_TOP_SIZE = 100
MAX_ACTIONS = 100
LEAST_GLOBAL_TOP = 10
"""`pointsToTop10` is about the board `global`."""
EARLIEST_MS = 946_684_800_000
LATEST_MS = 7_258_118_400_000
"""Seasons lie between the years 2000 and 2200."""


class Rules(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What decides how entries become scores; a board with other rules has another revision."""

    fold: Fold
    window: Window
    time_zone: str = "UTC"
    starts_ms: int | None = None
    ends_ms: int | None = None
    season: str | None = None
    actions: tuple[str, ...] | None = None
    region: str | None = None
    group: str | None = None


_decoder = msgspec.json.Decoder(Rules)


def rules_of(board: Board) -> Rules:
    """A board's rules as a value that can be compared and written down."""
    actions = None if board.actions is None else tuple(sorted(board.actions))
    return Rules(
        board.fold,
        board.window,
        board.time_zone,
        board.starts_ms,
        board.ends_ms,
        board.season,
        actions,
        board.region,
        board.group,
    )


def encoded(rules: Rules) -> str:
    """Rules as JSON."""
    return msgspec.json.encode(rules).decode()


def ruled(board_id: str, revision: int, text: str) -> Board:
    """The board that rules written down make, for folding by them."""
    rules = _decoder.decode(text)
    return Board(
        BoardId(board_id),
        revision,
        "",
        rules.fold,
        rules.window,
        time_zone=rules.time_zone,
        starts_ms=rules.starts_ms,
        ends_ms=rules.ends_ms,
        season=rules.season,
        actions=None if rules.actions is None else frozenset(rules.actions),
        region=rules.region,
        group=rules.group,
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def check(board: Board) -> None:
    """Raises BoardInvalid for a board that no board may be."""
    faults = (
        (not is_slug(board.board_id), "boardId must be 1 to 64 of a-z, 0-9 and -"),
        (not board.title.strip() or len(board.title) > MAX_TITLE, f"title must have 1 to {MAX_TITLE} characters"),
        (board.time_zone not in _zones(), f"there is no time zone {board.time_zone[:64]!r}"),
        (not 1 <= board.top_size <= MAX_TOP_SIZE, f"topSize must be from 1 to {MAX_TOP_SIZE}"),
        (board.actions is not None and not board.actions, "filter.actions must name an action, or be null"),
        (len(board.actions or ()) > MAX_ACTIONS, f"filter.actions must not be more than {MAX_ACTIONS}"),
        (not all(map(is_slug, board.actions or ())), "filter.actions must be ids of actions"),
        (not all(is_slug(word) for word in (board.region, board.group) if word is not None), "filters must be slugs"),
    )
    for wrong, sentence in (*faults, *_season_faults(board)):
        if wrong:
            raise BoardInvalid(sentence)


def _season_faults(board: Board) -> tuple[tuple[bool, str], ...]:
    start, end = board.starts_ms, board.ends_ms
    if board.window is not Window.SEASON:
        return (
            (start is not None or end is not None or board.season is not None, "only the window season has a season"),
        )
    if start is None or end is None:
        return ((start != end or board.season is not None, "a season has both its start and its end"),)
    return (
        (start >= end, "a season ends after its start"),
        (start < EARLIEST_MS or end > LATEST_MS, "a season lies between the years 2000 and 2200"),
        (board.season is not None and not is_slug(board.season), "season.id must be 1 to 64 of a-z, 0-9 and -"),
    )


def check_change(before: Board, after: Board) -> bool:
    """Whether a change makes a new revision; raises BoardConflict for what `global` may not become."""
    differs = rules_of(before) != rules_of(after)
    if before.board_id == GLOBAL:
        if differs or after.hidden:
            raise BoardConflict("only the title and the size of the top of this board can be changed")
        if after.top_size < LEAST_GLOBAL_TOP:
            raise BoardConflict(f"the top of this board has at least {LEAST_GLOBAL_TOP} rows")
    return differs
