"""The leaderboard's writing half: committed states to Redis, ranks back."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import msgspec
from msgspec.structs import replace

from actors.change import TOP, Change, Columns, apply_call
from actors.clock import Clock
from actors.epochs import Epoch, Epochs
from actors.lane import Lane
from actors.messages import Outcome, Request
from actors.moves import Moves
from actors.ordering import AWAY, Ordering, ScriptCall
from actors.supervisor import Supervisor
from actors.tally import Histogram
from models.board import GLOBAL, Place
from models.ids import UserId
from models.state import PlayerState

LOOPS = ("mirror-global", "mirror-others")
RANK_WAIT_SECONDS = 0.05
"""How long an answer waits for its rank before it goes out without one."""
REST_A_CHANGE_SECONDS = 0.000_2
"""How long boards that no answer waits for rest for each change of the largest of them: from 5,000 a second on for as
long as they may, so that a script call's own time is shared by many."""
REST_A_CALL_SECONDS = 0.001
"""And at least for each call: whatever is in it, it takes 0.1 ms here and at Redis, which is a tenth."""
LONGEST_REST_SECONDS = 0.05
"""Nobody is shown a board more often than that. A lone change is not held up by it."""
FEW = 64
"""So many changes of other boards go along with `global`: so they reach readers of the streams together."""


class Waiter(msgspec.Struct, frozen=True, eq=False):
    """An answer that waits for its rank, until a time of the loop's clock."""

    request: Request
    outcome: Outcome
    version: int
    until: float

    def answer(self, position: int | None) -> None:
        """Sends the answer with what is known of the rank."""
        self.request.answer(replace(self.outcome, position=position))


class Mirror:
    """Gathers changes and sends them, one script call a board in one pipeline, the next batch filling up meanwhile.

    `global`, whose ranks answers wait for, goes ahead of the other boards, which are gathered for longer under load.
    Failure policy: with Redis away answers go out at once without a rank; changes stay, newest only, until it is back,
    and beyond a limit they are left to the repair.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs, clock: Clock) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._answering = Lane(epochs, clock)
        self._others = Lane(epochs, clock)
        self._moves = Moves()
        self._rested = 0.0
        """When the other boards have rested, in the loop's time."""
        self._waiting: dict[UserId, list[Waiter]] = {}
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.waited = Histogram()

    def start(self, supervisor: Supervisor) -> None:
        """Starts the workers."""
        for name, work in zip(LOOPS, (self._work_answering, self._work_others), strict=True):
            supervisor.keep(name, work)

    def show(
        self, state: PlayerState, moved: Collection[Place], delta: int | None, request: Request, outcome: Outcome
    ) -> None:
        """Sends a state's standings where they moved, and answers with the rank on `global`."""
        now_ms = self._clock.now_ms()
        places = self._epochs.places(now_ms)
        if places.answering is not None:
            shown = state.visible(places.answering)
            change = Change.of(state.user_id, state.version, shown, delta, state.score)
            self._answering.put(places.answering, change)
        # As of now: what moved in the last moment of a period is sent after its end.
        if beside := places.beside.intersection(moved):
            self._moves.note(state, beside, now_ms)
            self._others.arrived.set()
        if self._ordering.away:
            request.answer(outcome)
            return
        waiter = Waiter(request, outcome, state.version, self._loop.time() + RANK_WAIT_SECONDS)
        self._waiting.setdefault(state.user_id, []).append(waiter)
        if self._timer is None:
            self._timer = self._loop.call_later(RANK_WAIT_SECONDS, self._give_up)

    def put(self, place: Place, change: Change) -> None:
        """Sends one change; of two of the same player the newer goes."""
        self._lane(place).put(place, change)

    def _lane(self, place: Place) -> Lane:
        board = self._epochs.board_of(place)
        return self._answering if board is not None and board.board_id == GLOBAL else self._others

    def wake(self) -> None:
        """Tries what is pending again, as when an epoch became known."""
        for lane in (self._answering, self._others):
            lane.arrived.set()

    def forget(self) -> None:
        """Leaves what is not sent to the repair."""
        for waiting in (self._answering, self._others, self._moves):
            waiting.clear()

    @property
    def pending(self) -> int:
        """Changes not sent yet."""
        return len(self._answering) + len(self._others) + len(self._moves)

    @property
    def dropped(self) -> int:
        """Changes that were too many to keep and are left to the repair."""
        return self._answering.dropped + self._others.dropped + self._moves.dropped

    def _give_up(self) -> None:
        """Answers those who have waited long enough for a rank."""
        self._timer = None
        now = self._loop.time()
        for user_id in list(self._waiting):
            self._answer(user_id, None, lambda waiter: waiter.until <= now)
        if self._waiting:
            self._timer = self._loop.call_later(RANK_WAIT_SECONDS / 2, self._give_up)

    def _answer(self, user_id: UserId, position: int | None, which: Callable[[Waiter], bool]) -> None:
        waiters = self._waiting.pop(user_id, ())
        rest = []
        for waiter in waiters:
            if which(waiter):
                waiter.answer(position)
                self.waited.observe(self._loop.time() - waiter.until + RANK_WAIT_SECONDS)
            else:
                rest.append(waiter)
        if rest:
            self._waiting[user_id] = rest

    async def _work_answering(self) -> None:
        while True:
            await self._answering.arrived.wait()
            await self._ordering.there.wait()
            self._answering.arrived.clear()
            batch = self._answering.take()
            if self._loop.time() >= self._rested and len(self._others) + len(self._moves) <= FEW:
                batch |= self._take_others()
            await self._send(batch)

    async def _work_others(self) -> None:
        while True:
            await self._others.arrived.wait()
            await self._ordering.there.wait()
            await asyncio.sleep(self._rested - self._loop.time())  # at least lets the other worker take a few along
            self._others.arrived.clear()
            await self._send(self._take_others())

    def _take_others(self) -> dict[Place, Columns]:
        """What was put back goes first, and alone: a player may stand in a call only once."""
        batch = self._others.take() or self._take_moves()
        if self._moves:
            self._others.arrived.set()
        if batch:
            rest = max(REST_A_CALL_SECONDS * len(batch), REST_A_CHANGE_SECONDS * max(map(len, batch.values())))
            self._rested = self._loop.time() + min(rest, LONGEST_REST_SECONDS)
        return batch

    def _take_moves(self) -> dict[Place, Columns]:
        taken = self._moves.take()
        for place in [place for place in taken if self._epochs.get(place) is None]:
            columns = taken.pop(place)
            if self._epochs.board_of(place) is not None:
                self._others.put_back(place, columns)
                self._epochs.doubt(place)
        return taken

    async def _send(self, batch: Mapping[Place, Columns]) -> None:
        """Sends what was taken, or puts it back."""
        if not batch:
            return
        try:
            await self.send(batch)
        except AWAY as error:
            self._ordering.lost(error)
            for place, columns in batch.items():
                self._lane(place).put_back(place, columns)
            for user_id in list(self._waiting):
                self._answer(user_id, None, lambda _: True)

    async def send(self, batch: Mapping[Place, Columns]) -> bool:
        """Sends changes now; whether Redis took all of them. Raises as `AWAY` says."""
        sent = [(place, epoch, columns) for place, columns in batch.items() if (epoch := self._epochs.get(place))]
        calls = [self._call(place, epoch, columns) for place, epoch, columns in sent]
        taken = len(sent) == len(batch)
        for (place, epoch, columns), answer in zip(sent, await self._ordering.run(calls), strict=True):
            if answer[0] == "ok":
                epoch.seen = max(epoch.seen, answer[1])
                self._ranked(columns, answer[4:])
            else:
                taken = False
                self._lane(place).put_back(place, columns)
                self._epochs.doubt(place)
        return taken

    def _call(self, place: Place, epoch: Epoch, columns: Columns) -> ScriptCall:
        board = self._epochs.board_of(place)
        size = board.top_size if board else TOP
        answering = board is not None and board.board_id == GLOBAL
        return apply_call(place, epoch.name, epoch.seen, size, self._clock.now_ms(), columns, answering=answering)

    def _ranked(self, columns: Columns, ranks: Sequence[int]) -> None:
        told = self._epochs.tells_ranks
        for user_id, version, rank in zip(columns.users, columns.versions, ranks, strict=False):
            self._answer(user_id, (rank or None) if told else None, partial(_answered_by, version))


def _answered_by(version: int, waiter: Waiter) -> bool:
    return waiter.version <= version
