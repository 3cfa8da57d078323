"""A pod's actors in this process, over real servers: no HTTP, and no timer that a test does not want."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from uuid import uuid4

from actors import mirror
from actors.clock import Clock
from actors.committer import Committer
from actors.epochs import Epochs
from actors.keys import keys_of
from actors.loader import Loader
from actors.messages import Command, Outcome, Request
from actors.mirror import Mirror
from actors.ordering import Ordering
from actors.rebuilder import Rebuilder
from actors.settler import Settler
from actors.supervisor import Supervisor
from actors.users import Users
from actors.watch import Watch
from models import catalogue, ledger
from models.board import Board, Place
from models.catalogue import Action, Catalogue, Revised
from models.chain import Chain
from models.database import Database
from models.entry import SCORING, Entry, Kind
from models.ids import ActionId, EntryId, TicketId, UserId, uuid7
from models.migrate import migrate
from models.ranking import Row, row_of
from models.state import PlayerState
from tickets.ticket import Ticket

CHAIN = Chain({"a": bytes(range(32))}, "a")
NOTIFIED = SCORING | {Kind.VOID}
AWAIT_SECONDS = 10.0

T = TypeVar("T")


async def awaited(condition: Callable[[], Any], seconds: float = AWAIT_SECONDS) -> None:
    """Returns when a condition holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not true after {seconds} s"
        await asyncio.sleep(0.002)


async def migrated(url: str, actions: Sequence[Action] = ()) -> Database:
    """An open database with the schema and a catalogue."""
    await migrate(url)
    database = Database(url)
    await database.open()
    if actions:
        await catalogue.save(database, actions)
    return database


async def new_players(database: Database, count: int) -> list[UserId]:
    """Players without accounts."""
    ids = [UserId(str(uuid4())) for _ in range(count)]
    await database.rows("INSERT INTO players (id) SELECT unnest($1::uuid[])", ids)
    return ids


class Pod:
    """What `server.runtime.Runtime` builds for redemptions, wired the same way.

    The settler writes when told to (`settler.flush`), the watch looks when told to (`look`).
    """

    def __init__(self, database: Database, redis_url: str, boards: Sequence[Board], known: Catalogue) -> None:
        self.database = database
        self.catalogue = known
        self.supervisor = Supervisor()
        self.clock = Clock()
        self.ordering = Ordering(redis_url)
        self.epochs = Epochs()
        self.epochs.define(boards)
        self.loader = Loader(database, self.clock, self._boards)
        self.committer = Committer(database, self.clock, self._boards)
        self.settler = Settler(database)
        self.mirror = Mirror(self.ordering, self.epochs, self.clock)
        self.rebuilder = Rebuilder(database, self.ordering, self.epochs, self.clock, self.loader)
        self.watch = Watch(self.ordering, self.epochs, self.clock, self.mirror, self.rebuilder)
        self.users = Users(
            self.committer,
            self.loader,
            self.clock,
            CHAIN,
            self._boards,
            lambda: self.catalogue,
            self._show,
            mailbox_size=64,
            idle_seconds=300,
        )

    def _boards(self) -> Sequence[Board]:
        return self.epochs.boards

    def _show(
        self, state: PlayerState, moved: Collection[Place], entry: Entry, request: Request, outcome: Outcome
    ) -> None:
        delta = None
        if not outcome.replayed:
            delta = entry.delta if entry.kind in NOTIFIED else None
            self.settler.note(state)
        self.mirror.show(state, moved, delta, request, outcome)

    async def start(self) -> "Pod":
        await self.clock.measure(self.database)
        for part in (self.committer, self.loader, self.mirror):
            part.start(self.supervisor)
        await self.look()
        return self

    async def look(self) -> None:
        """Looks until every present board has an epoch."""
        for _ in range(10):
            await self.watch.look()
            if all(self.epochs.get(place) for _, place in self.present()):
                return
        raise AssertionError("boards without an epoch")

    async def stop_mirror(self) -> None:
        """Sends nothing to Redis any more, as if it had died right after a commit."""
        for name in mirror.LOOPS:
            await self.supervisor.stop_loop(name)

    async def stop(self) -> None:
        await self.supervisor.stop(5)
        await self.ordering.close()

    def present(self) -> tuple[tuple[Board, Place], ...]:
        return self.epochs.present(self.clock.now_ms())

    def ticket(self, user_id: UserId, action: str) -> Ticket:
        """A fresh ticket, as the route issues it."""
        revised, now = self.revised(action), self.clock.now_ms()
        rules = revised.action
        expires = now + rules.max_seconds * 1000
        return Ticket(TicketId(uuid7(now)), user_id, rules.action_id, revised.revision, now, expires)

    def revised(self, action: str) -> Revised:
        return self.catalogue.present[ActionId(action)]

    def new_id(self) -> EntryId:
        return EntryId(uuid7(self.clock.now_ms()))

    async def tell(self, user_id: UserId, command: Command) -> Outcome:
        return await self.users.tell(user_id, command)

    def state_of(self, user_id: UserId) -> PlayerState | None:
        """What this pod's actor holds of a player, without asking it."""
        found = self.users._actors.get(user_id)
        return None if found is None else found[0].state

    def forget_states(self) -> None:
        """Makes idle actors read their state again, as after an eviction."""
        for actor, _ in self.users._actors.values():
            if actor.idle:
                actor.state = None

    async def rows_in_redis(self, place: Place) -> list[Row]:
        """A whole board as Redis orders it."""
        epoch = self.epochs.get(place)
        assert epoch is not None
        found = await self.ordering.redis.zrevrange(keys_of(place, epoch.name).rank, 0, -1, withscores=True)
        return [row_of(member, repr(score)) for member, score in found]


@asynccontextmanager
async def running(pods: Sequence[Pod]) -> AsyncIterator[None]:
    """The pods run meanwhile, over a Redis that was emptied before."""
    await pods[0].ordering.redis.flushdb()
    for pod in pods:
        await pod.start()
    yield
    for pod in pods:
        await pod.stop()


async def history_of(database: Database, user_id: UserId) -> list[Entry]:
    """All of a player's entries, oldest first."""
    return await ledger.history(database, user_id, 0)


def simple_catalogue(points: Mapping[str, int], **rules: object) -> list[Action]:
    """Actions that refuse nothing, or what the rules say."""
    defaults = {"overlap": "allow"} | rules
    return [Action(action_id=ActionId(name), title=name, points=worth, **defaults) for name, worth in points.items()]
