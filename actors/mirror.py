"""The leaderboard's writing half: committed states to Redis, ranks back."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self, TypeAlias

import msgspec
from msgspec.structs import replace

from actors.clock import Clock
from actors.epochs import Epoch, Epochs
from actors.keys import TTL_MS, keys_of
from actors.messages import Outcome, Request
from actors.ordering import AWAY, Ordering, ScriptCall
from actors.supervisor import Supervisor
from actors.tally import Histogram
from models.board import GLOBAL, Place
from models.ids import UserId
from models.ranking import member_of
from models.state import PlayerState, Standing

RANK_WAIT_SECONDS = 0.05
"""How long an answer waits for its rank before it goes out without one."""
MAX_PENDING = 50_000
"""Changes kept while an epoch is unknown; what is dropped beyond, the repair finds."""
LARGEST_CALL = 500
"""Changes in one script call: Lua's stack takes 8,000 values, a change needs two."""

TOP = 10
"""The pushed top of a board that is no longer defined."""

_pack = msgspec.msgpack.Encoder().encode


class Change(msgspec.Struct, frozen=True):
    """A player's absolute standing at a version; no member takes them off.

    `delta` is told to the player's sockets.
    """

    user_id: UserId
    version: int
    member: str = ""
    score: int = 0
    delta: int | None = None

    @classmethod
    def of(cls, user_id: UserId, version: int, standing: Standing | None, delta: int | None = None) -> Self:
        """The change to a standing; None takes the player off."""
        if standing is None:
            return cls(user_id, version, delta=delta)
        return cls(user_id, version, member_of(user_id, standing.reached_at), standing.score, delta)


class Waiter(msgspec.Struct, frozen=True, eq=False):
    """An answer that waits for its rank, until a time of the loop's clock."""

    request: Request
    outcome: Outcome
    version: int
    until: float

    def answer(self, position: int | None) -> None:
        """Sends the answer with what is known of the rank."""
        self.request.answer(replace(self.outcome, position=position))


Batch: TypeAlias = dict[Place, dict[UserId, Change]]


class Mirror:
    """Gathers changes and sends them, one script call a board in one pipeline, the next batch filling up meanwhile.

    Failure policy: with Redis away answers go out at once without a rank; changes stay, newest only, until it is back,
    and beyond a limit they are left to the repair.
    """

    def __init__(self, ordering: Ordering, epochs: Epochs, clock: Clock) -> None:
        self._ordering = ordering
        self._epochs = epochs
        self._clock = clock
        self._pending: Batch = {}
        self._since: dict[Place, int] = {}
        """When the oldest change that waits for a place was committed."""
        self._waiting: dict[UserId, list[Waiter]] = {}
        self._arrived = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self.dropped = 0
        self.waited = Histogram()

    def start(self, supervisor: Supervisor) -> None:
        """Starts the worker."""
        supervisor.keep("mirror", self._work)

    def show(self, state: PlayerState, delta: int | None, request: Request, outcome: Outcome) -> None:
        """Sends a state's standings where they changed, and answers with the rank on `global`."""
        user_id, version, touched = state.user_id, state.version, state.touched
        pending, standings = self._pending, {} if state.banned_until is not None else state.standings
        member, reached_at = "", -1  # one for all boards that the same entry brought up to date
        for board, place in self._epochs.present(self._clock.now_ms()):
            answering = board.board_id == GLOBAL
            if not answering and place not in touched:
                continue
            standing = standings.get(place)
            told = delta if answering else None
            if standing is None:
                self.put(place, Change(user_id, version, delta=told))
                continue
            if standing.reached_at != reached_at:
                reached_at = standing.reached_at
                member = member_of(user_id, reached_at)
            change = Change(user_id, version, member, standing.score, told)
            users = pending.get(place)
            if users and user_id not in users and len(users) < MAX_PENDING:
                users[user_id] = change  # as `put`, whose call would cost a tenth more a board
            else:
                self.put(place, change)
        if self._ordering.away:
            request.answer(outcome)
            return
        waiter = Waiter(request, outcome, state.version, self._loop.time() + RANK_WAIT_SECONDS)
        self._waiting.setdefault(state.user_id, []).append(waiter)
        if self._timer is None:
            self._timer = self._loop.call_later(RANK_WAIT_SECONDS, self._give_up)

    def put(self, place: Place, change: Change) -> None:
        """Sends one change; of two of the same player the newer goes."""
        users = self._pending.get(place)
        if users is None:
            users = self._pending[place] = {}
            self._since.setdefault(place, self._clock.now_ms())
            self._arrived.set()
        held = users.get(change.user_id)
        if held is not None:
            if held.version > change.version:
                return
            if held.delta is not None:
                change = replace(change, delta=held.delta + (change.delta or 0))
        elif len(users) >= MAX_PENDING:
            self.dropped += 1
            return
        users[change.user_id] = change

    def wake(self) -> None:
        """Tries what is pending again, as when an epoch became known."""
        self._arrived.set()

    def forget(self) -> None:
        """Leaves what is not sent to the repair."""
        self._pending.clear()
        self._since.clear()

    @property
    def pending(self) -> int:
        """Changes not sent yet."""
        return sum(map(len, self._pending.values()))

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

    async def _work(self) -> None:
        while True:
            await self._arrived.wait()
            await self._ordering.there.wait()
            self._arrived.clear()
            batch = self._take()
            if not batch:
                continue
            since = {place: self._since.pop(place) for place in batch}
            for place in batch.keys() & self._pending.keys():
                self._since[place] = since[place]  # what was too much for one call
            try:
                await self.send(batch, since)
            except AWAY as error:
                self._ordering.lost(error)
                for place, changes in batch.items():
                    self._put_back(place, changes, since[place])
                for user_id in list(self._waiting):
                    self._answer(user_id, None, lambda _: True)

    def _take(self) -> dict[Place, list[Change]]:
        """The changes whose epoch is known, which leave; the others stay."""
        taken: dict[Place, list[Change]] = {}
        for place in list(self._pending):
            if self._epochs.board_of(place) is None:
                del self._pending[place], self._since[place]
            elif self._epochs.get(place) is None:
                self._epochs.doubt(place)
            elif changes := list(self._pending.pop(place).values()):
                taken[place] = changes[:LARGEST_CALL]
                for change in changes[LARGEST_CALL:]:
                    self.put(place, change)
        return taken

    async def send(self, batch: Mapping[Place, Sequence[Change]], since: Mapping[Place, int] | None = None) -> bool:
        """Sends changes now; whether Redis took all of them. Raises as `AWAY` says.

        `since`: when the oldest change of each place was committed, if that is known.
        """
        sent = [(place, epoch, changes) for place, changes in batch.items() if (epoch := self._epochs.get(place))]
        now = self._clock.now_ms()
        since = since or {}
        calls = [self._call(place, epoch, changes, now, since.get(place, now)) for place, epoch, changes in sent]
        taken = len(sent) == len(batch)
        for (place, epoch, changes), answer in zip(sent, await self._ordering.run(calls), strict=True):
            if answer[0] == "ok":
                epoch.seen = max(epoch.seen, answer[1])
                self._ranked(place, changes, answer[4:])
            else:
                taken = False
                self._put_back(place, changes, since.get(place, now))
                self._epochs.doubt(place)
        return taken

    def _call(self, place: Place, epoch: Epoch, changes: Sequence[Change], now_ms: int, since_ms: int) -> ScriptCall:
        board = self._epochs.board_of(place)
        size = board.top_size if board else TOP
        answering = board is not None and board.board_id == GLOBAL
        return apply_call(place, epoch.name, epoch.seen, size, now_ms, changes, since_ms=since_ms, answering=answering)

    def _ranked(self, place: Place, changes: Sequence[Change], ranks: Sequence[int]) -> None:
        told = self._epochs.tells_ranks
        for change, rank in zip(changes, ranks, strict=False):
            self._answer(change.user_id, (rank or None) if told else None, partial(_answered_by, change.version))

    def _put_back(self, place: Place, changes: Sequence[Change], since_ms: int) -> None:
        if changes:
            self._since[place] = min(since_ms, self._since.get(place, since_ms))
        for change in changes:
            held = self._pending.get(place, {}).get(change.user_id)
            if held is None:
                self.put(place, change)


def _answered_by(version: int, waiter: Waiter) -> bool:
    return waiter.version <= version


def apply_call(
    place: Place,
    epoch: str,
    seen: int,
    size: int,
    now_ms: int,
    changes: Sequence[Change],
    *,
    since_ms: int | None = None,
    answering: bool = False,
    filling: bool = False,
) -> ScriptCall:
    """The call of `apply.lua` that brings changes to a place; `answering` asks for ranks and tells the players.

    `since_ms`: when the oldest of the changes was committed; without it, now.
    """
    columns = (
        [change.user_id for change in changes],
        [change.version for change in changes],
        [change.member for change in changes],
        [change.score for change in changes],
        [f"{change.version}|{change.member}" for change in changes],
        [False if change.delta is None else change.delta for change in changes] if answering else (),
    )
    packed = _pack(columns)
    since = now_ms if since_ms is None else since_ms
    arguments = [epoch, seen, size, now_ms, TTL_MS, packed, int(answering), int(filling), since]
    return "apply", keys_of(place, epoch).all(), arguments
