"""Fills boards that are new, or have new rules, from the ledger."""

import asyncio
import logging

from actors.beat import until_beat
from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import pointer_of
from actors.loader import Loader
from actors.ordering import AWAY, Ordering
from actors.rebuilder import Rebuilder
from actors.settler import Settler
from actors.supervisor import Supervisor
from models import boards, filling, marks
from models.board import Board
from models.database import Database
from models.errors import ModelError
from models.filling import Lacking
from models.settling import settlement_of
from models.snapshot import Question

log = logging.getLogger("laurel.filler")

INTERVAL_SECONDS = 5.0
"""Between looks that nothing asks for: for boards whose filling pod died, while others wait for its lease to end."""
AFTER_TROUBLE_SECONDS = 1.0
LOOK_SECONDS = 300.0
"""How often players are looked for whose memo a pod wrote that had not heard of a board yet: a second for a million."""
POLL_SECONDS = 0.1
HEARD_SECONDS = 1.2
"""Longer than a pod takes to hear of a board: from then on all count for it."""
LEASE_SECONDS = 15.0
RENEW_SECONDS = 2.0
"""Seldom: each renewal is a commit of its own."""


class Filler:
    """One pod at a time folds the ledger for boards that memos do not vouch for yet.

    It folds each player up to the version they are settled at, so what is redeemed meanwhile comes on top, once. A
    board goes to Redis when it is filled. Failure policy: a fill that fails goes on at the next turn of any pod.
    """

    def __init__(
        self,
        database: Database,
        ordering: Ordering,
        epochs: Epochs,
        clock: Clock,
        loader: Loader,
        settler: Settler,
        rebuilder: Rebuilder,
        pod: str,
        heard_seconds: float = HEARD_SECONDS,
    ) -> None:
        self._database = database
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._loader = loader
        self._settler = settler
        self._rebuilder = rebuilder
        self._pod = pod
        self._heard_seconds = heard_seconds
        self._asked = asyncio.Event()
        self._looked = -LOOK_SECONDS
        self._heard: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        self.filled = 0

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("filler", self._work)

    def hurry(self) -> None:
        """Makes it look now, as when a board was defined."""
        self._asked.set()

    async def _work(self) -> None:
        while True:
            pause = INTERVAL_SECONDS
            try:
                await self.pass_once()
            except (ModelError, *AWAY) as error:
                log.warning("boards wait to be filled: %s", error)
                pause = AFTER_TROUBLE_SECONDS
            try:
                async with asyncio.timeout(until_beat(pause)):
                    await self._asked.wait()
            except TimeoutError:
                continue
            self._asked.clear()

    async def pass_once(self) -> None:
        """Fills what is not filled; raises ModelError and as `AWAY` says."""
        waiting = await boards.unfilled(self._database)
        due = self._loop.time() - self._looked > LOOK_SECONDS
        known = {board.key: board for board in self._epochs.boards}
        keys = [key for board_id, revision in waiting if (key := f"{board_id}/{revision}") in known]
        if not keys and not due:
            return  # nor does it keep those from it who have heard of what waits
        if not await marks.lease(self._database, "filler", self._pod, LEASE_SECONDS):
            return
        for key in keys:
            self._heard.setdefault(key, self._loop.time() + self._heard_seconds)
        await self._fill_all()
        if keys:
            await asyncio.sleep(max(0.0, max(self._heard[key] for key in keys) - self._loop.time()))
            await self._fill_all()
        for key in keys:
            await self._finish(known[key])
        self._looked = self._loop.time()

    async def _fill_all(self) -> None:
        """Goes through the players until nobody lacks a board."""
        renewed = self._loop.time()
        async for found in filling.lacking(self._database, self._epochs.boards):
            for batch in filling.batches(one for one in found if one.version):
                await filling.fill(self._database, batch, self._epochs.boards)
                if self._loop.time() - renewed > RENEW_SECONDS:
                    renewed = self._loop.time()
                    await marks.lease(self._database, "filler", self._pod, LEASE_SECONDS)
            await self._settle([one for one in found if not one.version])
            self.filled += len(found)

    async def _settle(self, unsettled: list[Lacking]) -> None:
        """Settles players that nobody has settled yet."""
        for start in range(0, len(unsettled), 100):
            questions = [Question(one.user_id) for one in unsettled[start : start + 100]]
            states = [found.state for found in await self._loader.read(questions) if found.state is not None]
            await self._settler.write([settlement_of(state) for state in states])

    async def await_filled(self, board: Board, seconds: float) -> None:
        """Returns when a board is filled, by whichever pod, or when the time is over; raises DatabaseUnavailable."""
        self.hurry()
        deadline = self._loop.time() + seconds
        while self._loop.time() < deadline:
            if await boards.is_filled(self._database, board.key):
                return
            await asyncio.sleep(POLL_SECONDS)

    async def renew(self, board: Board) -> None:
        """Puts a board under a new epoch when every pod has heard what it is now."""
        await asyncio.sleep(self._heard_seconds)
        await self._to_redis(board)

    async def _finish(self, board: Board) -> None:
        """Lets the board go to Redis, anew if somebody had it there before it was complete."""
        await boards.mark_filled(self._database, board.key)
        self._heard.pop(board.key, None)
        log.info("board filled", extra={"board": board.key})
        await self._to_redis(board)

    async def _to_redis(self, board: Board) -> None:
        period = board.period_at(self._clock.now_ms())
        if period is None or self._ordering.away:
            return
        place = (board.key, period.period_id)
        former = await self._ordering.redis.get(pointer_of(place))
        await self._rebuilder.rebuild(place, None if former is None else str(former))
