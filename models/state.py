"""A player's state: what the entries of one player fold to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from models.board import Board, Fold, Place
from models.entry import ERASED_MS, FOREVER_MS, SCORING, Entry, Kind
from models.ids import ActionId, UserId
from models.places import Places, places_at

DAY_MS = 86_400_000


class Standing(NamedTuple):
    """A player's score on one board in one period; `reached_at` is Unix milliseconds."""

    score: int
    reached_at: int


class ActionMemory(NamedTuple):
    """A player's last redemption of an action and the count of its UTC day."""

    last_at: int
    day: int
    times: int


@dataclass(slots=True)
class PlayerState:
    """Everything that decides what a player may do and has.

    `boards` are those that it was folded for. `standings` holds the places loaded or touched; `touched` those that
    changed since they were last written down. None as a standing says that the player is no longer on that board.
    """

    user_id: UserId
    boards: tuple[Board, ...] = ()
    version: int = 0
    score: int = 0
    last_at: int = 0
    last_hash: bytes | None = None
    region: str | None = None
    groups: tuple[str, ...] = ()
    banned_until: int | None = None
    standings: dict[Place, Standing | None] = field(default_factory=dict)
    actions: dict[ActionId, ActionMemory] = field(default_factory=dict)
    touched: set[Place] = field(default_factory=set)

    def is_banned(self, at_ms: int) -> bool:
        """Whether the player is banned at a time."""
        return self.banned_until is not None and at_ms < self.banned_until

    @property
    def erased(self) -> bool:
        """Whether the player is gone for good."""
        return self.banned_until == ERASED_MS

    def visible(self, place: Place) -> Standing | None:
        """The standing that boards may show; a banned player has none."""
        return None if self.banned_until is not None else self.standings.get(place)


def fold_standing(standing: Standing | None, entry: Entry, fold: Fold) -> Standing:
    """One more counting entry on top of a standing.

    `reached_at` is the time of the last entry that contributes to the score, so a sum ignores entries of 0 points.
    """
    at = entry.effective_at
    if standing is None or fold is Fold.LAST:
        return Standing(entry.delta, at)
    if fold is Fold.SUM:
        return Standing(standing.score + entry.delta, at) if entry.delta else standing
    return Standing(entry.delta, at) if entry.delta > standing.score else standing


def apply_entry(state: PlayerState, entry: Entry, *, counts: bool = True) -> set[Place]:
    """Folds a player's next entry into the state, in place; the places whose standing it changed.

    Of `REFOLDED` kinds only score, version and ban are folded here; the rest depends on older entries (`fold_history`).
    With `counts` off, boards are left alone, as for a voided entry.
    """
    state.version = entry.user_version
    state.score = entry.score_after
    state.last_at = entry.at
    match entry.kind:
        case Kind.REDEEM if entry.action_id is not None:
            state.actions[entry.action_id] = remember(state.actions.get(entry.action_id), entry.at)
        case Kind.BAN:
            until = entry.meta.get("until", FOREVER_MS)
            state.banned_until = int(until)
        case Kind.UNBAN:
            state.banned_until = None
        case Kind.MOVE:
            state.region, state.groups = entry.region, entry.groups
        case Kind.ERASE:
            state.region, state.groups, state.banned_until = None, (), ERASED_MS
        case _:
            pass
    if not counts or entry.kind not in SCORING:
        return set()
    places = places_at(state.boards, entry.effective_at)
    if entry.kind is Kind.ADJUST or not entry.delta:
        moved = _fold_asking(state.standings, places.all, entry)
    else:
        moved = _fold_points(state.standings, places, entry)
    state.touched |= moved
    return moved


def _fold_asking(
    standings: dict[Place, Standing | None], places: Iterable[tuple[Board, Place]], entry: Entry
) -> set[Place]:
    """Folds an entry at each place whose board counts it; where that changed the standing."""
    moved = set()
    for board, place in places:
        if board.counts(entry):
            before = standings.get(place)
            after = fold_standing(before, entry, board.fold)
            if after is not before:  # a best stays what it is, mostly
                standings[place] = after
                moved.add(place)
    return moved


def _fold_points(standings: dict[Place, Standing | None], places: Places, entry: Entry) -> set[Place]:
    """The same for a redemption or award with points, at half the cost where there are many boards."""
    at, delta = entry.effective_at, entry.delta
    alone = Standing(delta, at)
    moved = set(places.moving)
    for place in places.sums:
        before = standings.get(place)
        standings[place] = alone if before is None else Standing(before.score + delta, at)
    standings.update(dict.fromkeys(places.lasts, alone))
    for place in places.bests:
        before = standings.get(place)
        if before is None or delta > before.score:
            standings[place] = alone
            moved.add(place)
    return moved | _fold_asking(standings, places.filtered, entry) if places.filtered else moved


def remember(memory: ActionMemory | None, at_ms: int) -> ActionMemory:
    """One more redemption of an action at a time."""
    day = at_ms // DAY_MS
    times = memory.times + 1 if memory is not None and memory.day == day else 1
    return ActionMemory(at_ms, day, times)


class HistoryFold:
    """Folds a whole history, given in version order, to a state.

    The ids of voided entries are known beforehand, so that history may arrive in pages. `start` is what older entries,
    which are not given, fold to.
    """

    def __init__(
        self, user_id: UserId, boards: Iterable[Board], voided: frozenset[str], start: PlayerState | None = None
    ) -> None:
        self.state = start or PlayerState(user_id, tuple(boards))
        self._voided = voided

    def add(self, entry: Entry) -> None:
        """Folds the next entry; a voided one leaves boards alone, a void touches its target's places."""
        apply_entry(self.state, entry, counts=entry.entry_id not in self._voided)
        if entry.kind is Kind.VOID:
            self._touch(entry)

    def _touch(self, void: Entry) -> None:
        for board in self.state.boards:
            if place := board.place_at(void.effective_at):
                self.state.standings.setdefault(place, None)
                self.state.touched.add(place)


def fold_history(user_id: UserId, entries: Iterable[Entry], boards: Iterable[Board]) -> PlayerState:
    """The state that a complete history in version order folds to."""
    history = list(entries)
    voided = frozenset(e.target_id for e in history if e.kind is Kind.VOID and e.target_id)
    fold = HistoryFold(user_id, boards, voided)
    for entry in history:
        fold.add(entry)
    return fold.state
