"""Freezes results of periods that are over, and sweeps up after boards that are gone."""

import asyncio
import logging

from actors.beat import until_beat
from actors.clock import Clock
from actors.epochs import Epochs
from actors.rebuilder import SAFETY_MS, SETTLED_MARK
from actors.supervisor import Supervisor
from models import boards, filling, marks, periods, sweeping
from models.board import Board, Window
from models.database import Database
from models.errors import Contended, DataRejected, ModelError

log = logging.getLogger("laurel.freezer")

INTERVAL_SECONDS = 1.0
LEASE_SECONDS = 10.0
"""Spares work only: a second pod waits at the unique constraint while the first copies."""
STANDBY_SECONDS = LEASE_SECONDS / 2
"""How often a pod looks whether the one that does it is gone."""
RESULTS_MARK = "results"
"""All voids made before this mark are in the frozen results."""
RESULTS_LAG_MS = 400_000
"""Longer than a result may take to copy: a void in that time is looked at when the result is there."""
REMEMBERED = 100_000
"""Voids known to be in a result; those forgotten are looked at once more."""
LOOK_MS = 60_000
"""How often a board is looked at while none of its periods ends."""
SWEEP_SECONDS = 30.0
KEPT_MS = 60_000
"""How long standings of a key that is gone stay, for pods that have not heard."""


class Freezer:
    """One pod at a time; the unique constraint on results is what makes each be frozen once, whoever is running.

    A period is frozen when everything stamped before its end is in the standings, which is 20 s after the end or later:
    the mark of the standings says so. Voids that come after that make revisions. Failure policy: what fails is done
    again at the next turn; all of it may be done twice.
    """

    def __init__(self, database: Database, epochs: Epochs, clock: Clock, pod: str) -> None:
        self._database = database
        self._epochs = epochs
        self._clock = clock
        self._pod = pod
        self._swept = asyncio.get_running_loop().time()
        self._strays: dict[str, int] = {}
        self._revised: set[tuple[str, int]] = set()
        self._look_from: dict[str, int] = {}

    def start(self, supervisor: Supervisor) -> None:
        """Starts looking."""
        supervisor.keep("freezer", self._work)

    async def _work(self) -> None:
        while True:
            pause = INTERVAL_SECONDS
            try:
                if await marks.lease(self._database, "freezer", self._pod, LEASE_SECONDS):
                    await self.pass_once()
                else:
                    pause = STANDBY_SECONDS
            except ModelError as error:
                log.warning("results wait: %s", error)
            await asyncio.sleep(until_beat(pause))

    async def pass_once(self) -> int:
        """Freezes what is due and revises what voids changed; how many results that made. Raises ModelError."""
        began = self._clock.now_ms()
        made = await self._freeze_due()
        made += await self._revise(began)
        if asyncio.get_running_loop().time() - self._swept > SWEEP_SECONDS:
            self._swept = asyncio.get_running_loop().time()
            await self.sweep(began)
        return made

    async def _freeze_due(self) -> int:
        settled = min(await marks.read(self._database, SETTLED_MARK), self._clock.now_ms() - SAFETY_MS)
        made = 0
        for board in self._epochs.boards:
            if board.window is Window.ALL or settled < self._look_from.get(board.key, 0):
                continue
            if not await boards.is_filled(self._database, board.key):
                continue
            due = await periods.due(self._database, board, settled)
            if due and await filling.anybody_lacks(self._database, board):
                continue  # the repair sees to them, or the filler at its next look
            for period in due:
                if await periods.freeze(self._database, board, period):
                    made += 1
                    log.info("period frozen", extra={"board": board.key, "period": period.period_id})
            self._look_again(board, settled)
        return made

    def _look_again(self, board: Board, settled: int) -> None:
        """Notes when to look again: when the period that the mark is in ends, or in a while."""
        period, later = board.period_at(settled), settled + LOOK_MS
        end = None if period is None else period.end_ms
        self._look_from[board.key] = later if end is None else min(end, later)

    async def _revise(self, began: int) -> int:
        since = await marks.read(self._database, RESULTS_MARK)
        made = 0
        for late in await periods.late_voids(self._database, since):
            if (late.entry_id, late.result_id) in self._revised:
                continue
            try:
                made += await periods.revise(self._database, late)
                self._revised.add((late.entry_id, late.result_id))
            except (Contended, DataRejected):
                log.warning("somebody else revises this result", extra={"result": late.result_id})
                return made
        await marks.advance(self._database, RESULTS_MARK, began - RESULTS_LAG_MS)
        if len(self._revised) > REMEMBERED:
            self._revised.clear()
        return made

    async def sweep(self, now_ms: int) -> None:
        """Removes rows of keys that no board has had for a minute, a bounded number at a time."""
        known = {board.key for board in self._epochs.boards} | {place[0] for place in self._epochs.frozen}
        found = set(await sweeping.keys(self._database)) - known
        self._strays = {key: self._strays.get(key, now_ms) for key in found}
        for key, since in self._strays.items():
            if now_ms - since >= KEPT_MS:
                await sweeping.standings(self._database, key)
        await sweeping.results(self._database)
