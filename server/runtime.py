"""Everything one pod is made of, built in dependency order."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from actors.audience import Audience
from actors.auditor import Auditor
from actors.checkpoints import Checkpoints
from actors.clock import Clock
from actors.committer import Committer
from actors.epochs import Epochs
from actors.leaderboard import Leaderboard
from actors.loader import Loader
from actors.messages import Command, Outcome, Request, UnbanPlayer
from actors.mirror import Mirror
from actors.notices import Notices
from actors.ordering import Ordering
from actors.overtaking import Overtaken
from actors.personal import Personal
from actors.profiles import Profiles
from actors.reading import Reading
from actors.rebuilder import Rebuilder
from actors.renaming import Renaming
from actors.repair import Repair
from actors.settler import Settler
from actors.stream import Stream
from actors.supervisor import Supervisor
from actors.upkeep import Upkeep
from actors.users import Users
from actors.watch import Watch
from models import boards, catalogue, marks
from models.board import GLOBAL, Board
from models.catalogue import Catalogue
from models.chain import Chain
from models.control import Notice, Topic
from models.database import Database
from models.entry import SCORING, Entry, Kind
from models.errors import ModelError
from models.ids import BoardId, EntryId, UserId, uuid7
from models.state import PlayerState
from server.auth import Tokens
from server.closing import CloseCode
from server.occupancy import Occupancy
from server.passwords import Passwords
from server.settings import Settings
from tickets.signer import TicketSigner

log = logging.getLogger("laurel.runtime")

SWEEP_SECONDS = 0.25
RECONNECT_STEP_MS = 20
RECONNECT_STEPS = 100
"""Viewers of a pod that goes away come back spread over two seconds."""
NOTIFIED = SCORING | {Kind.VOID}
"""Kinds of entries that a player's own sockets are told of."""


class Closes(Protocol):
    """A live connection, as far as shutting down needs it."""

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Closes it, with or without its consent."""
        ...


class Runtime:
    """One pod's parts. `start` returns at once, also with the servers away; `stop` is the reverse order."""

    def __init__(self, settings: Settings) -> None:
        settings.require_servers()
        settings.require_secrets()
        self.settings = settings
        self.pod = f"{socket.gethostname()}:{settings.port}"
        self.supervisor = Supervisor()
        self.clock = Clock()
        self.catalogue = Catalogue({}, {})
        self.draining = False
        self.loaded = False
        self.signer = TicketSigner([key.secret for key in settings.ticket_keys])
        self.tokens = Tokens(settings)
        self.passwords = Passwords()
        self.chain = Chain({key.kid: key.secret for key in settings.audit_keys}, settings.audit_keys[-1].kid)
        self.database = Database(str(settings.database_url))
        self.ordering = Ordering(str(settings.redis_url))
        self.epochs = Epochs()
        self.profiles = Profiles(self.database)
        self.loader = Loader(self.database, self.clock, self._boards)
        self.committer = Committer(self.database, self.clock, self._boards)
        self.settler = Settler(self.database)
        self.mirror = Mirror(self.ordering, self.epochs, self.clock)
        self.rebuilder = Rebuilder(self.database, self.ordering, self.epochs, self.clock, self.loader)
        self.watch = Watch(self.ordering, self.epochs, self.clock, self.mirror, self.rebuilder)
        self.repair = Repair(
            self.database,
            self.ordering,
            self.epochs,
            self.clock,
            self.loader,
            self.mirror,
            self.settler,
            self.pod,
        )
        self.leaderboards: dict[BoardId, Leaderboard] = {}
        self.stream = Stream(self.ordering, self.epochs, self.profiles, self.leaderboards)
        self.personal = Personal(self.ordering)
        self.renaming = Renaming(self.ordering, self.epochs, self.profiles, self.clock)
        self.reading = Reading(self.database, self.ordering, self.epochs, self.clock)
        self.users = Users(
            self.committer,
            self.loader,
            self.clock,
            self.chain,
            self._boards,
            lambda: self.catalogue,
            self._show,
            mailbox_size=settings.mailbox_size,
            idle_seconds=settings.actor_idle_seconds,
        )
        hearers = {
            Topic.CATALOGUE: self._hear_catalogue,
            Topic.BOARDS: self._hear_boards,
            Topic.PROFILE: self.renaming.hear,
        }
        self.notices = Notices(self.database, hearers, self.refresh)
        self.sockets: set[Closes] = set()
        self.occupancy = Occupancy(lifted=settings.load_test)
        self.upkeep = Upkeep(self.database, self.clock, self.pod, self._unban)
        self.auditor = Auditor(
            self.database,
            self.ordering,
            self.epochs,
            self.clock,
            self.mirror,
            self.rebuilder,
            self.users,
            self.pod,
        )
        self.checkpoints = Checkpoints(
            self.database, str(settings.database_url), self.chain, self.clock, settings.checkpoint_name, self.pod
        )

    def _boards(self) -> Sequence[Board]:
        return self.epochs.boards

    async def start(self) -> None:
        """Starts every loop; what is away is tried again by whoever needs it."""
        await self.database.open()
        try:
            await self.clock.measure(self.database)
            await self.refresh()
        except ModelError as error:
            log.warning("starting without the database: %s", error)
        self.watch.on_epoch = self.stream.adopt
        self.watch.on_return = self.repair.hurry
        for part in (
            self.committer,
            self.loader,
            self.settler,
            self.mirror,
            self.notices,
            self.watch,
            self.stream,
            self.personal,
            self.renaming,
            self.repair,
            self.upkeep,
            self.checkpoints,
            self.auditor,
        ):
            part.start(self.supervisor)
        self.supervisor.keep("users", self.users.sweep)
        self.supervisor.keep("audiences", self._sweep_audiences)

    async def stop(self) -> None:
        """Finishes what is under way within the grace period, then closes everything."""
        self.draining = True
        for number, socket_ in enumerate(list(self.sockets)):
            delay = RECONNECT_STEP_MS * (number % RECONNECT_STEPS)
            with suppress(RuntimeError):  # one whose transport is closed already has gone by itself
                socket_.close(CloseCode.GOING_AWAY, f'{{"reconnectAfterMs":{delay}}}')
        self.users.closed = True
        try:
            async with asyncio.timeout(self.settings.grace_seconds / 2):
                await self.users.drained()
                await self.supervisor.stop_loop("settler")
                await self.settler.flush()
                await marks.release(self.database, self.pod)
        except (TimeoutError, ModelError) as error:
            log.warning("stopped with work left to the repair: %s", error)
        await self.supervisor.stop(self.settings.grace_seconds / 4)
        self.passwords.close()
        await self.ordering.close()
        await self.database.close()

    async def refresh(self) -> None:
        """Reads catalogue and boards anew; raises DatabaseUnavailable."""
        self.catalogue = await catalogue.load(self.database)
        self._define(await boards.load(self.database))
        self.loaded = True

    async def _hear_catalogue(self, notice: Notice) -> None:
        del notice
        self.catalogue = await catalogue.load(self.database)

    async def _hear_boards(self, notice: Notice) -> None:
        del notice
        self._define(await boards.load(self.database))

    def _define(self, defined: Sequence[Board]) -> None:
        if tuple(defined) == self.epochs.boards:
            return
        self.epochs.define(defined)
        settings = self.settings
        for board in defined:
            held = self.leaderboards.get(board.board_id)
            if held is None or held.board != board:
                audience = (
                    Audience(settings.viewer_buffer_bytes, settings.viewer_stall_seconds)
                    if held is None
                    else held.audience
                )
                if held is not None:
                    held.retire()
                told = self._overtaken if board.board_id == GLOBAL else None
                self.leaderboards[board.board_id] = Leaderboard(board, self.profiles, audience, told)

    def _overtaken(self, overtaken: Overtaken) -> None:
        self.personal.local(overtaken.user_id, "user.overtaken", by=overtaken.by, rank=overtaken.rank)

    def _show(self, state: PlayerState, entry: Entry, request: Request, outcome: Outcome) -> None:
        delta = None
        if not outcome.replayed:
            delta = entry.delta if entry.kind in NOTIFIED else None
            self.settler.note(state)
        self.mirror.show(state, delta, request, outcome)

    async def tell(self, user_id: UserId, command: Command) -> Outcome:
        """What became of a command; raises TicketError, ActorError or ModelError."""
        return await self.users.tell(user_id, command)

    async def _unban(self, user_id: UserId) -> Outcome:
        entry_id = EntryId(uuid7(self.clock.now_ms()))
        return await self.tell(user_id, UnbanPlayer(entry_id, "laurel"))

    async def _sweep_audiences(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            for leaderboard in self.leaderboards.values():
                leaderboard.audience.sweep(leaderboard)

    def missing(self) -> list[str]:
        """What this pod itself lacks to be ready."""
        lacking = [f"loop {name} keeps failing" for name in sorted(self.supervisor.failing)]
        if self.draining:
            lacking.append("draining")
        if not self.loaded:
            lacking.append("catalogue")
        return lacking
