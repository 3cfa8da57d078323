"""Which board a viewer sees: the live one, a frozen copy, or none."""

from collections.abc import Callable, Iterable, Sequence

from actors.audience import Audience
from actors.epochs import Epochs
from actors.frames import Top
from actors.leaderboard import Leaderboard, Record
from actors.profiles import Profiles
from models.board import GLOBAL, Board, Place
from models.ids import BoardId
from models.ranking import Row, text_of
from server.settings import Settings


class Views:
    """The leaderboards of this pod. `live` is what the stream feeds; viewers of a frozen board have one of their own.

    Everybody who reads boards for somebody asks here, so that no way shows what is hidden or frozen.
    """

    def __init__(
        self,
        settings: Settings,
        epochs: Epochs,
        profiles: Profiles,
        on_turn: Callable[[Top, Top], None],
        on_shown: Callable[[int, float], None],
    ) -> None:
        self._settings = settings
        self._epochs = epochs
        self._profiles = profiles
        self._on_turn = on_turn
        self._on_shown = on_shown
        self.live: dict[BoardId, Leaderboard] = {}
        self._still: dict[Place, Leaderboard] = {}

    def define(self, defined: Sequence[Board]) -> bool:
        """Takes the boards there are now; whether anything is different."""
        if tuple(defined) == self._epochs.boards:
            return False
        self._epochs.define(defined)
        for board_id in self.live.keys() - {board.board_id for board in defined}:
            self.live.pop(board_id).retire()
        for board in defined:
            self._take(board)
        for place in self._still.keys() - self._epochs.frozen.keys():
            self._still.pop(place).retire()
        for place, board in self._epochs.frozen.items():
            if place not in self._still:
                self._still[place] = Leaderboard(board, self._profiles, self._audience())
        return True

    def _take(self, board: Board) -> None:
        held = self.live.get(board.board_id)
        if held is not None and (held.board.key, held.board.top_size) == (board.key, board.top_size):
            held.board = board
            return
        if held is not None:
            held.retire()
            for place in self._epochs.known():
                if place[0] == board.key:
                    self._epochs.forget(place)  # looked at again, it begins with a snapshot of the new size
        on_turn = self._on_turn if board.board_id == GLOBAL else None
        audience = self._audience() if held is None else held.audience
        self.live[board.board_id] = leaderboard = Leaderboard(board, self._profiles, audience, on_turn)
        leaderboard.on_shown = self._on_shown

    def _audience(self) -> Audience:
        return Audience(self._settings.viewer_buffer_bytes, self._settings.viewer_stall_seconds)

    async def adopt(self, place: Place, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        """Shows a frozen copy's epoch."""
        leaderboard = self._still.get(place)
        if leaderboard is not None:
            await self._profiles.load([row.user_id for row in rows])
            leaderboard.adopt(place[1], Record(epoch, version, at_ms, text_of(rows)))

    def seen(self, board_id: str, *, admin: bool) -> Leaderboard | None:
        """The leaderboard that somebody watches under an id; None when there is none for them."""
        live = self.live.get(BoardId(board_id))
        if live is None or admin:
            return live
        if live.board.hidden:
            return None
        return live if live.board.frozen is None else self._still.get(live.board.frozen)

    def place(self, board: Board, now_ms: int, *, admin: bool) -> Place | None:
        """Where somebody reads a board; None while it has no period."""
        if board.frozen is not None and not admin:
            return board.frozen
        period = board.period_at(now_ms)
        return None if period is None else (board.key, period.period_id)

    def listed(self, *, admin: bool) -> list[Board]:
        """The boards that somebody may see."""
        return [board for board in self._epochs.boards if admin or not board.hidden]

    def all(self) -> Iterable[Leaderboard]:
        """Every leaderboard with an audience."""
        return [*self.live.values(), *self._still.values()]
