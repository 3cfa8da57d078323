"""Where entries of a time belong on all boards."""

from dataclasses import dataclass

from models.board import GLOBAL, Board, Fold, Period, Place


@dataclass(frozen=True, slots=True)
class Places:
    """Each board that has a period at a time, with its place; the same for a whole stretch of time.

    Boards that count every redemption are told apart by what they do with it: `sums` and `lasts` always move when it
    has points (`moving`), `bests` seldom do. `filtered` have to be asked whether they count it.
    """

    stretch: Period
    all: tuple[tuple[Board, Place], ...]
    sums: tuple[Place, ...]
    lasts: tuple[Place, ...]
    bests: tuple[Place, ...]
    filtered: tuple[tuple[Board, Place], ...]
    moving: frozenset[Place]
    answering: Place | None
    """The place whose rank answers carry."""
    beside: frozenset[Place]
    """All others."""


# What was last asked for: nearly every entry falls into the same stretch of time.
_latest: list[tuple[tuple[Board, ...], Places]] = []


def places_at(boards: tuple[Board, ...], at_ms: int) -> Places:
    """The places of boards at a time."""
    if _latest:
        known, places = _latest[0]
        if known is boards and places.stretch.holds(at_ms):
            return places
    found = _places(boards, at_ms)
    _latest[:] = [(boards, found)]
    return found


def _places(boards: tuple[Board, ...], at_ms: int) -> Places:
    every = tuple((board, place) for board in boards if (place := board.place_at(at_ms)) is not None)
    plain = {fold: tuple(place for board, place in every if board.plain and board.fold is fold) for fold in Fold}
    answering = next((place for board, place in every if board.board_id == GLOBAL), None)
    return Places(
        stretch=_stretch(boards, at_ms),
        all=every,
        sums=plain[Fold.SUM],
        lasts=plain[Fold.LAST],
        bests=plain[Fold.BEST],
        filtered=tuple((board, place) for board, place in every if not board.plain),
        moving=frozenset(plain[Fold.SUM] + plain[Fold.LAST]),
        answering=answering,
        beside=frozenset(place for _, place in every if place != answering),
    )


def _stretch(boards: tuple[Board, ...], at_ms: int) -> Period:
    """From the last to the next time at which a period of any board begins or ends."""
    periods = [period for board in boards if (period := board.period_at(at_ms)) is not None]
    edges = [edge for period in periods for edge in (period.start_ms, period.end_ms) if edge is not None]
    edges += [edge for board in boards for edge in (board.starts_ms, board.ends_ms) if edge is not None]
    return Period(
        "",
        max((edge for edge in edges if edge <= at_ms), default=None),
        min((edge for edge in edges if edge > at_ms), default=None),
    )
