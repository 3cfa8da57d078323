"""Which epoch each board and period is in, as far as this pod knows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from models.board import GLOBAL, Board, Place
from models.places import Places, places_at


@dataclass(slots=True)
class Epoch:
    """An epoch of one place and the greatest version seen in it."""

    name: str
    seen: int = 0


class Epochs:
    """The places of present boards, their epochs, and who wants to know of a new one.

    A place without an epoch is not in Redis, or not to be trusted there; `doubt` says so and asks for a look.
    """

    def __init__(self) -> None:
        self.boards: tuple[Board, ...] = ()
        self.frozen: dict[Place, Board] = {}
        """Places that nothing changes any more, and the boards that show them meanwhile."""
        self.tells_ranks = True
        """Whether players hear of their ranks on `global` as they move: not while it stands still for them."""
        self._known: dict[Place, Epoch] = {}
        self._by_key: dict[str, Board] = {}
        self.on_doubt: Callable[[Place], None] = lambda _: None

    def define(self, boards: Iterable[Board]) -> None:
        """Takes the boards there are now."""
        self.boards = tuple(boards)
        self._by_key = {board.key: board for board in self.boards}
        self.frozen = {board.frozen: board for board in self.boards if board.frozen is not None}
        self.tells_ranks = all(board.board_id != GLOBAL for board in self.frozen.values())
        self._by_key |= {place[0]: board for place, board in self.frozen.items()}
        self._known = {place: epoch for place, epoch in self._known.items() if place[0] in self._by_key}

    def board_of(self, place: Place) -> Board | None:
        """The board a place belongs to; None when it is no longer defined so."""
        return self._by_key.get(place[0])

    def present(self, now_ms: int) -> tuple[tuple[Board, Place], ...]:
        """Each board with the place of its present period."""
        return self.places(now_ms).all

    def places(self, now_ms: int) -> Places:
        """The same, sorted by what becomes of an entry there."""
        return places_at(self.boards, now_ms)

    def get(self, place: Place) -> Epoch | None:
        """The epoch of a place, or None while unknown."""
        return self._known.get(place)

    def adopt(self, place: Place, name: str, version: int = 0) -> Epoch:
        """Takes an epoch for a place's present one."""
        known = self._known.get(place)
        if known is None or known.name != name:
            known = self._known[place] = Epoch(name)
        known.seen = max(known.seen, version)
        return known

    def doubt(self, place: Place) -> None:
        """Forgets a place's epoch and asks for a look."""
        self._known.pop(place, None)
        self.on_doubt(place)

    def forget(self, place: Place) -> None:
        """Forgets a place whose period is over."""
        self._known.pop(place, None)

    def known(self) -> dict[Place, Epoch]:
        """Every place with an epoch."""
        return dict(self._known)
