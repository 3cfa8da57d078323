"""Everything one pod is made of, built in dependency order."""

import asyncio
import logging
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from actors.auditor import Auditor
from actors.checkpoints import Checkpoints
from actors.clock import Clock
from actors.committer import Committer
from actors.epochs import Epochs
from actors.filler import Filler
from actors.finals import Finals
from actors.freezer import Freezer
from actors.frequencies import Frequencies
from actors.leftovers import Leftovers
from actors.limits import Limits
from actors.loader import Loader
from actors.messages import Command, LeaveGroup, Outcome, Request, UnbanPlayer
from actors.mirror import Mirror
from actors.notices import Notices
from actors.ordering import Ordering
from actors.overtaking import Overtaken
from actors.paging import Paging
from actors.personal import Personal
from actors.profiles import Profiles
from actors.reading import Reading
from actors.rebuilder import Rebuilder
from actors.renaming import Renaming
from actors.repair import Repair
from actors.seats import Seats
from actors.settler import Settler
from actors.stream import Stream
from actors.subsets import Subsets
from actors.supervisor import Supervisor
from actors.upkeep import Upkeep
from actors.users import Users
from actors.watch import Watch
from models import boards, catalogue, marks
from models.board import Board, Place
from models.catalogue import Catalogue
from models.chain import Chain
from models.control import Notice, Topic
from models.database import Database
from models.entry import SCORING, Entry, Kind
from models.errors import ModelError
from models.ids import EntryId, UserId, uuid7
from models.ranking import Row
from models.state import PlayerState
from server.admission import Admission
from server.auth import Revoked, Session, Tokens
from server.closing import CloseCode
from server.issue_rates import IssueRates
from server.key_source import KeySource
from server.key_watch import KeyWatch, Reread
from server.limits import Policies
from server.occupancy import Occupancy
from server.passwords import Passwords
from server.proofs import Proofs
from server.receipts import Receipts
from server.revocations import Revocations
from server.settings import Settings
from server.tallies import Tallies
from server.views import Views
from tickets.signer import TicketSigner

log = logging.getLogger("laurel.runtime")

SWEEP_SECONDS = 0.25
FIRST_LOOK_SECONDS = 2.0
"""How long a start waits for the database before it serves without one."""
RECONNECT_STEP_MS = 20
RECONNECT_STEPS = 100
"""Viewers of a pod that goes away come back spread over two seconds."""
ITSELF = "laurel"
"""The caller of what nobody asked for just now."""
NOTIFIED = SCORING | {Kind.VOID}
"""Kinds of entries that a player's own sockets are told of."""


def pod_name(settings: Settings) -> str:
    """What leases and log lines call this pod."""
    return f"{socket.gethostname()}:{settings.port}"


class Closes(Protocol):
    """A live connection, as far as shutting down needs it."""

    @property
    def session(self) -> Session | None:
        """Whose it is."""
        ...

    def close(self, code: CloseCode, reason: str = "") -> bool:
        """Closes it, with or without its consent."""
        ...

    def review(self) -> None:
        """Moves it to what it may see of its boards now."""
        ...


class Runtime:
    """One pod's parts. `start` returns at once, also with the servers away; `stop` is the reverse order.

    `reread` reads the settings anew, for a pod whose keys may change while it runs.
    """

    def __init__(self, settings: Settings, reread: Reread | None = None) -> None:
        settings.require_servers()
        settings.require_secrets()
        self.settings = settings
        self.pod = pod_name(settings)
        self.tallies = Tallies()
        self._until_sampled = settings.access_log_every
        self.supervisor = Supervisor()
        self.clock = Clock()
        self.catalogue = Catalogue({}, {})
        self.draining = False
        self.loaded = False
        self.signer = TicketSigner([key.secret for key in settings.ticket_keys])
        self.proofs = Proofs(
            [key.secret for key in settings.ticket_keys],
            tries=settings.proof_tries,
            ttl_seconds=settings.proof_ttl_seconds,
        )
        self.revoked = Revoked()
        self.tokens = Tokens(settings, self.revoked)
        self.receipts = Receipts(settings.receipt_keys)
        self.passwords = Passwords()
        self.chain = Chain({key.kid: key.secret for key in settings.audit_keys}, settings.audit_keys[-1].kid)
        self.database = Database(str(settings.database_url), slow_statement_ms=settings.slow_statement_ms)
        self.revocations = Revocations(self.database, self.revoked, self._close_revoked)
        self.key_source = (
            KeySource(settings.jwks_url, settings.jwks_refresh_seconds, self.tokens.adopt_outside)
            if settings.jwks_url
            else None
        )
        self.admission = Admission(self.tokens, self.key_source, self.database, self.supervisor)
        self.key_watch = KeyWatch(settings, reread, self._adopt_keys) if reread else None
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
        self.views = Views(settings, self.epochs, self.profiles, self._overtaken, self._shown)
        self.leaderboards = self.views.live
        self.filler = Filler(
            self.database,
            self.ordering,
            self.epochs,
            self.clock,
            self.loader,
            self.settler,
            self.rebuilder,
            self.pod,
        )
        self.freezer = Freezer(self.database, self.epochs, self.clock, self.pod)
        self.finals = Finals(self.database, self.epochs, self.clock, self.loader)
        self.stream = Stream(self.ordering, self.epochs, self.profiles, self.leaderboards)
        self.personal = Personal(self.ordering)
        self.renaming = Renaming(self.ordering, self.epochs, self.profiles, self.clock)
        self.reading = Reading(self.database, self.ordering, self.epochs, self.clock)
        self.paging = Paging(self.database, self.ordering, self.epochs)
        self.subsets = Subsets(self.database, self.ordering, self.epochs, self.clock)
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
        self.policies = Policies(settings)
        self.limits = Limits(self.ordering)
        self.frequencies = Frequencies(self.ordering)
        self.issue_rates = IssueRates(
            self.frequencies,
            self.clock,
            per_user=settings.proof_user_per_minute,
            per_address=settings.proof_address_per_minute,
            lifted=settings.load_test,
        )
        self.seats = Seats(self.ordering, self.pod)
        self.occupancy = Occupancy(self.seats, *settings.rate_limit_sockets, lifted=settings.load_test)
        self.upkeep = Upkeep(self.database, self.clock, self.pod, self._unban)
        self.leftovers = Leftovers(self.database, self.pod, self._leave)
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
            async with asyncio.timeout(FIRST_LOOK_SECONDS):
                await self.supervisor.detached("first-look", self._first_look())
        except (ModelError, TimeoutError) as error:
            log.warning("starting without the database: %s", error or "no answer yet")
        self.watch.on_epoch = self._adopt
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
            self.limits,
            self.frequencies,
            self.seats,
            self.repair,
            self.filler,
            self.freezer,
            self.upkeep,
            self.leftovers,
            self.checkpoints,
            self.auditor,
        ):
            part.start(self.supervisor)
        self.revocations.start(self.supervisor)
        if self.key_source is not None:
            self.key_source.start(self.supervisor)
        if self.key_watch is not None:
            self.key_watch.start(self.supervisor)
        if not self.receipts.possible:
            log.warning("LAUREL_RECEIPT_KEYS is not set: there are no receipts")
        self.supervisor.keep("users", self.users.sweep)
        self.supervisor.keep("audiences", self._sweep_audiences)

    async def _first_look(self) -> None:
        await self.clock.measure(self.database)
        await self.refresh()
        await self.revocations.poll()
        if unset := await self.database.unset():
            log.warning("behind a pooler, set these for the database's role", extra={"settings": unset})

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
        defined = await boards.load(self.database)
        if await boards.ensure_regions(self.database, self.settings.regions, defined):
            defined = await boards.load(self.database)
        self._define(defined)
        self.loaded = True

    async def _hear_catalogue(self, notice: Notice) -> None:
        del notice
        self.catalogue = await catalogue.load(self.database)

    async def _hear_boards(self, notice: Notice) -> None:
        del notice
        self._define(await boards.load(self.database))

    def _define(self, defined: Sequence[Board]) -> None:
        if not self.views.define(defined):
            return
        self.filler.hurry()
        for connection in list(self.sockets):
            connection.review()

    def _shown(self, at_ms: int, seconds: float) -> None:
        self.tallies.lagged.observe(max(0, self.clock.now_ms() - at_ms) / 1000)
        self.tallies.pushed.observe(seconds)

    async def _adopt(self, place: Place, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        show = self.views.adopt if place in self.epochs.frozen else self.stream.adopt
        await show(place, epoch, version, at_ms, rows)

    def _overtaken(self, overtaken: Overtaken) -> None:
        self.personal.local(overtaken.user_id, "user.overtaken", by=overtaken.by, rank=overtaken.rank)

    def _adopt_keys(self, settings: Settings) -> None:
        """Other keys, with everything that is signed or verified with them."""
        self.tokens.adopt(settings.jwt_keys)
        self.signer = TicketSigner([key.secret for key in settings.ticket_keys])
        self.receipts.adopt(settings.receipt_keys)

    def _close_revoked(self) -> None:
        """Live connections of sessions that have ended end too."""
        for socket_ in list(self.sockets):
            session = socket_.session
            if session is not None and self.revoked.covers(session):
                with suppress(RuntimeError):  # one whose transport is closed already has gone by itself
                    socket_.close(CloseCode.UNAUTHORIZED, "token_invalid")

    def _show(self, state: PlayerState, entry: Entry, request: Request, outcome: Outcome) -> None:
        delta = None
        if outcome.replayed:
            self.tallies.replays += 1
        else:
            delta = entry.delta if entry.kind in NOTIFIED else None
        if not outcome.replayed or state.touched:
            self.settler.note(state)
        self.mirror.show(state, delta, request, outcome)

    async def tell(self, user_id: UserId, command: Command) -> Outcome:
        """What became of a command; raises TicketError, ActorError or ModelError."""
        return await self.users.tell(user_id, command)

    def new_entry(self) -> EntryId:
        """An id for an entry that begins now."""
        return EntryId(uuid7(self.clock.now_ms()))

    async def _unban(self, user_id: UserId) -> Outcome:
        return await self.tell(user_id, UnbanPlayer(self.new_entry(), ITSELF, ended_only=True))

    async def _leave(self, user_id: UserId, group_id: str) -> Outcome:
        return await self.tell(user_id, LeaveGroup(self.new_entry(), group_id, ITSELF))

    async def _sweep_audiences(self) -> None:
        while True:
            due = time.monotonic() + SWEEP_SECONDS
            await asyncio.sleep(SWEEP_SECONDS)
            self.tallies.loop_lag_seconds = max(0.0, time.monotonic() - due)
            for leaderboard in self.views.all():
                leaderboard.audience.sweep(leaderboard)

    def sampled(self) -> bool:
        """Whether this request is the one in so many that becomes a log line."""
        self._until_sampled -= 1
        if self._until_sampled:
            return False
        self._until_sampled = self.settings.access_log_every
        return True

    def missing(self) -> list[str]:
        """What this pod itself lacks to be ready."""
        lacking = [f"loop {name} keeps failing" for name in sorted(self.supervisor.failing)]
        if self.draining:
            lacking.append("draining")
        if not self.loaded:
            lacking.append("catalogue")
        if not self.revocations.loaded:
            lacking.append("revocations")
        return lacking
