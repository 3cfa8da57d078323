"""All user actors of this pod."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Protocol

from actors.beat import until_beat
from actors.clock import Clock
from actors.committer import Committer
from actors.errors import Busy
from actors.loader import Loader
from actors.messages import Command, Outcome, Request
from actors.user import UserActor
from models.board import Board, Place
from models.catalogue import Catalogue
from models.chain import Chain
from models.entry import Entry
from models.ids import UserId
from models.state import PlayerState

DEADLINE_SECONDS = 2.0
"""How long a request may take before it is answered with Busy."""
SWEEP_SECONDS = 0.25
REST_AFTER_SECONDS = 1.5
"""Soon: what many players leave behind at once stays with the process, however little of it is in use later."""
RESTS_PER_SWEEP = 2_000
"""Packing takes 1.5 µs, so that a sweep stays below 5 ms."""
DRAIN_POLL_SECONDS = 0.01


class Shows(Protocol):
    """Whoever shows a committed state to the world and answers the request."""

    def __call__(
        self, state: PlayerState, moved: Collection[Place], entry: Entry, request: Request, outcome: Outcome
    ) -> None:
        """Mirrors the state where it moved, then answers with the rank."""


class Users:
    """Starts, finds and evicts user actors; what they share stands here.

    The least recently used come first, so evicting idle ones looks at no others.
    """

    def __init__(
        self,
        committer: Committer,
        loader: Loader,
        clock: Clock,
        chain: Chain,
        boards: Callable[[], Sequence[Board]],
        catalogue: Callable[[], Catalogue],
        show: Shows,
        *,
        mailbox_size: int,
        idle_seconds: float,
    ) -> None:
        self.committer = committer
        self.loader = loader
        self.clock = clock
        self.chain = chain
        self.boards = boards
        self.catalogue = catalogue
        self.show = show
        self.mailbox_size = mailbox_size
        self.active: set[UserActor] = set()
        self.conflicts = 0
        self.crashes = 0
        self.deadline_seconds = DEADLINE_SECONDS
        self.closed = False
        self._idle_seconds = idle_seconds
        self._actors: OrderedDict[UserId, tuple[UserActor, float]] = OrderedDict()
        self._awake: OrderedDict[UserId, float] = OrderedDict()
        loop = asyncio.get_running_loop()
        self.monotonic = loop.time
        self.later = loop.call_soon
        self._new_future = loop.create_future

    def __len__(self) -> int:
        return len(self._actors)

    def tell(self, user_id: UserId, command: Command) -> asyncio.Future[Outcome]:
        """Sends a command to a player's actor; the future may be cancelled by who waits.

        Raises MailboxFull, and Busy while shutting down.
        """
        if self.closed:
            raise Busy("this pod is going away")
        now = self.monotonic()
        found = self._actors.get(user_id)
        actor = UserActor(user_id, self) if found is None else found[0]
        self._actors[user_id] = (actor, now)
        self._actors.move_to_end(user_id)
        self._awake[user_id] = now
        self._awake.move_to_end(user_id)
        request = Request(command, self._new_future(), now + self.deadline_seconds)
        actor.tell(request)
        return request.reply

    def sample(self, count: int) -> list[PlayerState]:
        """States in memory of idle actors: some of those used last, some of those longest idle."""
        half = [*islice(reversed(self._actors), count // 2), *islice(self._actors, count - count // 2)]
        states = (self._actors[user_id][0].peek() for user_id in dict.fromkeys(half))
        return [state for state in states if state is not None]

    def known(self) -> list[UserId]:
        """Players with an actor."""
        return list(self._actors)

    def forget(self, user_id: UserId) -> bool:
        """Makes a player's actor read its state anew; whether it was idle.

        One that is not goes on with what it has, and what it writes next vouches for all of it.
        """
        found = self._actors.get(user_id)
        if found is None:
            return False
        if not found[0].idle:
            found[0].vouch()
            return False
        del self._actors[user_id]
        return True

    async def sweep(self) -> None:
        """Answers what is past its deadline and evicts the idle, for good."""
        while True:
            await asyncio.sleep(until_beat(SWEEP_SECONDS))
            now = self.monotonic()
            for actor in list(self.active):
                actor.expire(now)
            self._evict(now - self._idle_seconds)
            self._rest(now)

    def _rest(self, now: float) -> None:
        """Packs the states of those who have done nothing for a while, the longest idle first."""
        for _ in range(RESTS_PER_SWEEP):
            if not self._awake:
                return
            user_id, used = next(iter(self._awake.items()))
            if used > now - REST_AFTER_SECONDS:
                return
            del self._awake[user_id]
            if user_id in self._actors and not self._actors[user_id][0].rest():
                self._awake[user_id] = now  # not written down yet: later

    def _evict(self, before: float) -> None:
        while self._actors:
            user_id, (actor, used) = next(iter(self._actors.items()))
            if used > before:
                return
            del self._actors[user_id]
            if not actor.idle:
                self._actors[user_id] = (actor, self.monotonic())

    async def drained(self) -> None:
        """Returns when no actor has anything under way."""
        while self.active:  # noqa: ASYNC110 — once a life, and nothing on the hot path to notify
            await asyncio.sleep(DRAIN_POLL_SECONDS)
