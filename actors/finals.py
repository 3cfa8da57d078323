"""Freezes boards for a final: viewers see a copy, admins what goes on."""

import asyncio

from actors.change import LARGEST_CALL
from actors.clock import Clock
from actors.epochs import Epochs
from actors.errors import Busy
from actors.loader import Loader
from actors.rebuilder import SAFETY_MS, SETTLED_MARK
from models import boards, marks, standings, still
from models.board import Board
from models.database import Database
from models.ids import BoardId
from models.snapshot import Question


class Finals:
    """Makes the copy first and shows it when it is whole; the copy is a place of its own, in Redis like any other."""

    def __init__(self, database: Database, epochs: Epochs, clock: Clock, loader: Loader) -> None:
        self._database = database
        self._epochs = epochs
        self._clock = clock
        self._loader = loader
        self._under_way: dict[BoardId, asyncio.Future[bool]] = {}
        self._unwanted: set[BoardId] = set()

    async def freeze(self, board: Board) -> bool:
        """Freezes a board as it is; False when it is frozen already or has no period. Raises ModelError.

        A large board takes a while to copy: whoever asks again meanwhile waits for the same copy.
        """
        under_way = self._under_way.get(board.board_id)
        if under_way is not None:
            return await asyncio.shield(under_way)
        done = self._under_way[board.board_id] = asyncio.get_running_loop().create_future()
        try:
            frozen = await self._freeze(board)
            done.set_result(frozen)
        except BaseException as error:
            done.set_exception(error if isinstance(error, Exception) else Busy("the copy was given up"))
            done.exception()  # marks it as seen: perhaps nobody waits
            raise
        finally:
            del self._under_way[board.board_id]
            self._unwanted.discard(board.board_id)
        return frozen

    async def _freeze(self, board: Board) -> bool:
        now = self._clock.now_ms()
        period = board.period_at(now)
        if board.frozen is not None or period is None:
            return False
        source, key = (board.key, period.period_id), f"{board.key}@{now:x}"
        since = await marks.read(self._database, SETTLED_MARK)
        young = await standings.young(self._database, since, now + SAFETY_MS, boards=[board])
        await still.copy(self._database, source, key)
        # The copy lags behind by what was not written down: those players are read from the ledger.
        lagging = [one.user_id for one in young if one.settled < one.due]
        for start in range(0, len(lagging), LARGEST_CALL):
            questions = [Question(user_id) for user_id in lagging[start : start + LARGEST_CALL]]
            states = [found.state for found in await self._loader.read(questions) if found.state is not None]
            await still.correct(self._database, source, key, states)
        if board.board_id in self._unwanted:
            raise Busy("the board was released while it was copied")
        return await boards.freeze(self._database, board.board_id, (key, period.period_id))

    async def release(self, board: Board) -> bool:
        """Shows everybody the live board again; False when it was not frozen. Raises DatabaseUnavailable.

        A copy that this pod still makes is not shown.
        """
        if board.board_id in self._under_way:
            self._unwanted.add(board.board_id)
        return await boards.freeze(self._database, board.board_id, None)
