"""Everything one pod is made of, built in dependency order."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from actors.auditor import Auditor
from actors.board_reader import BoardReader
from actors.checkpoints import Checkpoints
from actors.clock import Clock
from actors.committer import Committer
from actors.epochs import Epochs
from actors.filler import Filler
from actors.finals import Finals
from actors.frames import Top
from actors.freezer import Freezer
from actors.frequencies import Frequencies
from actors.history_watch import HistoryWatch
from actors.leftovers import Leftovers
from actors.limits import Limits
from actors.loader import Loader
from actors.messages import Command, LeaveGroup, Outcome, UnbanPlayer
from actors.mirror import Mirror
from actors.notices import Notices
from actors.ordering import Ordering
from actors.overtaking import overtaken
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
from models import marks
from models.board import Board, Place
from models.chain import Chain
from models.control import Topic
from models.database import Database
from models.errors import ModelError
from models.ids import EntryId, UserId, uuid7
from models.ranking import Row
from server.admission import Admission
from server.api_callers import ApiCallers
from server.auth import Revoked, Tokens
from server.connections import Connections
from server.definitions import Definitions
from server.issue_rates import IssueRates
from server.key_watch import KeyWatch, Reread
from server.limits import Policies
from server.occupancy import Occupancy
from server.outcomes import Outcomes
from server.passwords import Passwords
from server.proofs import Proofs
from server.receipts import Receipts
from server.revocations import Revocations
from server.sampling import Sampling
from server.settings import Settings
from server.sweeper import Sweeper
from server.tallies import Tallies
from server.views import Views
from tickets.signer import TicketSigner

if TYPE_CHECKING:
    from server.key_source import KeySource

log = logging.getLogger("laurel.runtime")

FIRST_LOOK_SECONDS = 2.0
"""How long a start waits for the database before it serves without one."""
ITSELF = "laurel"
"""The caller of what nobody asked for just now."""


def pod_name(settings: Settings) -> str:
    """What leases and log lines call this pod."""
    return f"{socket.gethostname()}:{settings.port}"


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
        self.sampling = Sampling(settings.access_log_every)
        self.supervisor = Supervisor()
        self.clock = Clock()
        self.draining = False
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
        self.connections = Connections(self.revoked)
        self.revocations = Revocations(self.revoked, self.connections.close_revoked)
        self.key_source = self._outside_keys(settings)
        self.admission = Admission(self.tokens, self.key_source, self.database, self.supervisor)
        self.api_callers = ApiCallers(self.database, self.supervisor)
        self.key_watch = KeyWatch(settings, reread, self._adopt_keys) if reread else None
        self.ordering = Ordering(str(settings.redis_url))
        self.epochs = Epochs()
        self.profiles = Profiles(self.database, self.supervisor)
        self.loader = Loader(self.database, self.clock, self._boards)
        self.committer = Committer(self.database, self.clock, self._boards)
        self.settler = Settler(self.database)
        self.mirror = Mirror(self.ordering, self.epochs, self.clock)
        self.rebuilder = Rebuilder(self.database, self.ordering, self.epochs, self.clock, self.loader)
        self.watch = Watch(self.ordering, self.epochs, self.clock, self.mirror, self.rebuilder)
        self.repair = Repair(
            self.database, self.ordering, self.epochs, self.clock, self.loader, self.mirror, self.settler, self.pod
        )
        self.views = Views(settings, self.epochs, self.profiles, self._turned, self._shown)
        self.sweeper = Sweeper(self.views, self.connections, self.tallies)
        self.filler = Filler(
            self.database, self.ordering, self.epochs, self.clock, self.loader, self.settler, self.rebuilder, self.pod
        )
        self.definitions = Definitions(self.database, self.views, settings.regions, self._redefined)
        self.freezer = Freezer(self.database, self.epochs, self.clock, self.pod)
        self.finals = Finals(self.database, self.epochs, self.clock, self.loader)
        self.stream = Stream(self.ordering, self.epochs, self.profiles, self.views.live)
        self.personal = Personal(self.ordering, self.epochs)
        self.renaming = Renaming(self.ordering, self.epochs, self.profiles, self.clock)
        reader = BoardReader(self.ordering, self.epochs, self.settler)
        self.reading = Reading(self.database, reader, self.clock, cache_seconds=settings.cache_ttl_seconds)
        self.paging = Paging(self.database, reader, cache_seconds=settings.cache_ttl_seconds)
        self.subsets = Subsets(self.database, reader, self.clock)
        self.outcomes = Outcomes(self.tallies, self.settler, self.mirror)
        self.users = Users(
            self.committer,
            self.loader,
            self.clock,
            self.chain,
            self._boards,
            lambda: self.definitions.catalogue,
            self.outcomes.show,
            mailbox_size=settings.mailbox_size,
            idle_seconds=settings.actor_idle_seconds,
        )
        hearers = {
            Topic.CATALOGUE: self.definitions.hear_catalogue,
            Topic.BOARDS: self.definitions.hear_boards,
            Topic.PROFILE: self.renaming.hear,
        }
        self.notices = Notices(self.database, hearers, self.revocations.take, self.definitions.refresh)
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
            self.database, self.ordering, self.epochs, self.clock, self.mirror, self.rebuilder, self.users, self.pod
        )
        self.history = HistoryWatch(
            self.database, self.ordering, self.loader, self.mirror, self.settler, self.users, self.pod
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
            self.history,
            self.checkpoints,
            self.auditor,
            self.sweeper,
        ):
            part.start(self.supervisor)
        if self.key_source is not None:
            self.key_source.start(self.supervisor)
        if self.key_watch is not None:
            self.key_watch.start(self.supervisor)
        if not self.receipts.possible:
            log.warning("LAUREL_RECEIPT_KEYS is not set: there are no receipts")
        self.supervisor.keep("users", self.users.sweep)

    async def _first_look(self) -> None:
        await self.clock.measure(self.database)
        await self.notices.poll()
        if unset := await self.database.unset():
            log.warning("behind a pooler, set these for the database's role", extra={"settings": unset})

    async def stop(self) -> None:
        """Finishes what is under way within the grace period, then closes everything."""
        self.draining = True
        self.connections.send_away()
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

    def _redefined(self) -> None:
        self.filler.hurry()
        self.connections.review()

    def _shown(self, since_ms: int, seconds: float) -> None:
        self.tallies.lagged.observe(max(0, self.clock.now_ms() - since_ms) / 1000)
        self.tallies.pushed.observe(seconds)

    async def _adopt(self, place: Place, epoch: str, version: int, at_ms: int, rows: Sequence[Row]) -> None:
        show = self.views.adopt if place in self.epochs.frozen else self.stream.adopt
        await show(place, epoch, version, at_ms, rows)

    def _turned(self, before: Top, after: Top) -> None:
        if self.personal.anybody and self.epochs.tells_ranks:
            for one in overtaken(before, after):
                self.personal.local(one.user_id, "user.overtaken", by=one.by, rank=one.rank)

    def _outside_keys(self, settings: Settings) -> "KeySource | None":
        if not settings.jwks_url:
            return None
        from server.key_source import KeySource  # with its HTTP client a sixth of all imports

        return KeySource(settings.jwks_url, settings.jwks_refresh_seconds, self.tokens.adopt_outside)

    def _adopt_keys(self, settings: Settings) -> None:
        """Other keys, with everything that is signed or verified with them."""
        self.tokens.adopt(settings.jwt_keys)
        self.signer = TicketSigner([key.secret for key in settings.ticket_keys])
        self.proofs.adopt([key.secret for key in settings.ticket_keys])
        self.receipts.adopt(settings.receipt_keys)

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

    def missing(self) -> list[str]:
        """What this pod itself lacks to be ready."""
        lacking = [f"loop {name} keeps failing" for name in sorted(self.supervisor.failing)]
        if self.draining:
            lacking.append("draining")
        if not self.definitions.loaded:
            lacking.append("catalogue")
        if not self.notices.loaded:
            lacking.append("revocations")
        return lacking
