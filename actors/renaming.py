"""Changed profiles of players who are shown: one numbered step for all pods."""

import asyncio
from collections import OrderedDict

from actors.clock import Clock
from actors.epochs import Epochs
from actors.keys import keys_of
from actors.ordering import AWAY, Ordering, ScriptCall
from actors.profiles import Profiles
from actors.supervisor import Supervisor
from models.board import Board, Place
from models.control import Notice
from models.ids import UserId

RETRY_SECONDS = 0.2
ASKED_SECONDS = 60.0
"""How long a step is asked for that Redis does not take; after that a rebuilt board has the profile anyway."""
MARKER_TTL_MS = 600_000
"""Longer than any pod may take to hear a notice and ask."""
MAX_PENDING = 10_000


class Renaming:
    """Every pod asks for the step; Redis takes it once, and each pod reads the profile anew before it shows it.

    Failure policy: while Redis is away steps wait, the oldest leave when there are too many.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs, profiles: Profiles, clock: Clock) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._profiles = profiles
        self._clock = clock
        self._pending: OrderedDict[int, tuple[UserId, float]] = OrderedDict()
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def start(self, supervisor: Supervisor) -> None:
        """Starts asking."""
        supervisor.keep("renaming", self._work)

    async def hear(self, notice: Notice) -> None:
        """Takes note that a profile is another one now."""
        user_id = UserId(notice.subject)
        await self._profiles.reload(user_id)
        self._pending[notice.notice_id] = (user_id, self._loop.time() + ASKED_SECONDS)
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)
        self._arrived.set()

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            await self._ordering.there.wait()
            self._arrived.clear()
            for notice_id, (user_id, until) in list(self._pending.items()):
                if await self._asked(notice_id, user_id) or self._loop.time() > until:
                    self._pending.pop(notice_id, None)
            if self._pending:
                self._arrived.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _asked(self, notice_id: int, user_id: UserId) -> bool:
        """Whether every present board has taken the step or needs none."""
        present = self._epochs.present(self._clock.now_ms())
        calls = [call for board, place in present if (call := self._call(board, place, notice_id, user_id))]
        try:
            answers = await self._ordering.run(calls) if calls else []
        except AWAY as error:
            self._ordering.lost(error)
            return False
        return len(calls) == len(present) and all(answer[0] in ("ok", "absent", "done") for answer in answers)

    def _call(self, board: Board, place: Place, notice_id: int, user_id: UserId) -> ScriptCall | None:
        epoch = self._epochs.get(place)
        if epoch is None:
            return None
        keys = keys_of(place, epoch.name)
        arguments = [epoch.name, user_id, board.top_size, self._clock.now_ms(), MARKER_TTL_MS]
        return "touch", [*keys.all(), f"{keys.meta}:told:{notice_id}"], arguments
