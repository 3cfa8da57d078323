"""The user actor: one player's state, one change in flight."""

import logging
from collections import deque
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, ParamSpec

from actors.decisions import decide, key_of, question_of
from actors.errors import ActorError, Busy, EntryUnknown, KeyConflict, MailboxFull, PlayerUnknown
from actors.messages import Outcome, RecallTicket, Request
from models.board import Board, Place
from models.entry import REFOLDED, Entry, Kind
from models.errors import DatabaseUnavailable, ModelError
from models.ids import UserId
from models.packing import pack, unpack
from models.proposal import Proposal, propose
from models.snapshot import Question, Snapshot
from models.state import PlayerState, apply_entry
from tickets.errors import TicketError, TicketNotYours

if TYPE_CHECKING:
    from actors.users import Users

log = logging.getLogger("laurel.user")

P = ParamSpec("P")

LOSSES_BEFORE_LOCKING = 2
"""After so many lost proposals for one request the row is locked first."""


class UserActor:
    """Serialises one player's changes; runs only when told something, so it needs no task.

    Nothing is refused on stale memory: before a refusal the state is read again, and with it the entry asked for, so
    that a spent ticket gets its recorded result. Failure policy: an actor that raises forgets its state, answers its
    callers with Busy, and starts anew with the next message.
    """

    __slots__ = ("_current", "_losses", "_mailbox", "_packed", "_proposal", "_users", "_written", "state", "user_id")

    def __init__(self, user_id: UserId, users: "Users") -> None:
        self.user_id = user_id
        self.state: PlayerState | None = None
        self._packed: tuple[tuple[Board, ...], bytes] | None = None
        self._users = users
        self._mailbox: deque[Request] | None = None
        self._current: Request | None = None
        self._proposal: Proposal | None = None
        self._written: Entry | None = None
        self._losses = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is under way or waiting."""
        return self._current is None

    @property
    def since(self) -> float:
        """When the request under way was told, in the loop's time."""
        return 0.0 if self._current is None else self._current.deadline - self._users.deadline_seconds

    @property
    def waiting(self) -> int:
        """How many requests wait behind the one under way."""
        return len(self._mailbox) if self._mailbox else 0

    def tell(self, request: Request) -> None:
        """Takes a request; raises MailboxFull."""
        if self._current is None:
            self._begin(request)
        elif self._mailbox is None:
            self._mailbox = deque((request,))
        elif len(self._mailbox) >= self._users.mailbox_size:
            raise MailboxFull("this player has too many requests waiting")
        else:
            self._mailbox.append(request)

    def rest(self) -> bool:
        """Keeps an idle state as bytes, once all of it is written down; whether nothing is left to keep so."""
        if self.idle and self.state is not None and not self.state.touched:
            self._packed = (self.state.boards, pack(self.state))
            self.state = None
        return self.state is None

    def vouch(self) -> None:
        """Has all of its standings written down with the next change, whether or not they were before."""
        if self.state is not None:
            self.state.touched.update(self.state.standings)

    def peek(self) -> PlayerState | None:
        """What an idle actor holds in memory, to be looked at only."""
        if not self.idle:
            return None
        return self.state if self._packed is None else unpack(self.user_id, *self._packed)

    def expire(self, now: float) -> None:
        """Answers what has waited past its deadline; what is under way goes on to its end."""
        for request in (self._current, *(self._mailbox or ())):
            if request is not None and now > request.deadline:
                request.refuse(Busy("not done within the deadline"))

    def _begin(self, request: Request) -> None:
        self._current = request
        self._losses = 0
        if self._packed is not None:
            self.state, self._packed = unpack(self.user_id, *self._packed), None
        if self.state is not None and self.state.boards != self._users.boards():
            self.state = None  # boards were defined anew: fold for them too
        self._users.active.add(self)
        self._guarded(self._attempt, False)

    def _attempt(self, fresh: bool) -> None:
        if self.state is None:
            self._ask()
            return
        proposal = self._decide(fresh)
        if proposal is not None:
            self._users.committer.submit(proposal, self)

    def _decide(self, fresh: bool) -> Proposal | None:
        """The proposal of the request under way; None when it was answered, or has to be read first."""
        request, state, users = self._current, self.state, self._users
        if request is None or state is None:
            raise RuntimeError("nothing to decide")
        if users.monotonic() > request.deadline:
            self._refuse(Busy("not done within the deadline"))
            return None
        at = max(users.clock.now_ms(), state.last_at)
        try:
            draft = decide(request.command, state, at, users.catalogue())
        except (TicketError, ActorError) as refusal:
            if fresh:
                self._refuse(refusal)
            else:
                self._ask()
            return None
        self._proposal = propose(state, draft, at, users.chain)
        return self._proposal

    def question(self) -> Question:
        """What must be known before deciding again."""
        if self._current is None:
            return Question(self.user_id, self.state)
        return question_of(self._current.command, self.user_id, self.state)

    def _ask(self) -> None:
        self._users.loader.ask(self.question(), self)

    def loaded(self, found: Snapshot) -> None:
        """The state was read: answer what is recorded, else decide on it."""
        self._guarded(self._loaded, found)

    def _loaded(self, found: Snapshot) -> None:
        if self._adopt(found):
            self._attempt(True)

    def decide_locked(self, found: Snapshot) -> Proposal | None:
        """Decides while the row is locked."""
        try:
            return self._decide(True) if self._adopt(found) else None
        except Exception as error:
            self._crash(error)
            return None

    def _adopt(self, found: Snapshot) -> bool:
        """Takes a snapshot; whether the request under way still has to be decided."""
        request = self._current
        self.state = found.state
        if request is None or found.state is None:
            self._refuse(PlayerUnknown("there is no such player"))
            return False
        if self._written is not None:
            self._finish(self._written, found.state.touched, replayed=False, voided=False)
            return False
        if found.state.erased:
            self._refuse(PlayerUnknown("this player was erased"))
            return False
        if found.recorded is None:
            if found.request_hash is None:
                return True
            self._refuse(KeyConflict("this key was used, and what came of it is in the archive"))
            return False
        key = key_of(request.command)
        if key is not None and (found.recorded.user_id != self.user_id or found.request_hash != key.request_hash):
            self._refuse(KeyConflict("this key was used with another request"))
        elif isinstance(request.command, RecallTicket) and found.recorded.kind is not Kind.REDEEM:
            self._refuse(EntryUnknown())
        elif found.recorded.user_id != self.user_id:
            self._refuse(TicketNotYours())
        else:
            self._finish(found.recorded, found.state.touched, replayed=True, voided=found.voided)
        return False

    def committed(self) -> None:
        """The proposal is durable: fold it, show it, answer."""
        self._guarded(self._committed)

    def _committed(self) -> None:
        proposal, state = self._proposal, self.state
        if proposal is None or state is None:
            raise RuntimeError("committed without a proposal")
        redefined = state.boards != self._users.boards()
        if redefined or proposal.entry.kind in REFOLDED:
            # What it changes depends on the entries before it, or on boards defined meanwhile: read and fold them
            # again, then answer.
            self._written = proposal.entry
            if redefined:
                self.state = None
            self._ask()
            return
        moved = apply_entry(state, proposal.entry)
        state.last_hash = proposal.seal
        self._finish(proposal.entry, moved, replayed=False, voided=False)

    def lost(self) -> None:
        """Something else came first: read again, in the end under the lock."""
        self._guarded(self._lost)

    def _lost(self) -> None:
        self._losses += 1
        self._users.conflicts += 1
        if self._current is not None and self._users.monotonic() > self._current.deadline:
            self._refuse(Busy("not done within the deadline"))
        elif self._losses >= LOSSES_BEFORE_LOCKING:
            self._users.committer.submit_locked(self)
        else:
            self._ask()

    def failed(self, error: ModelError) -> None:
        """Nothing was written, or nobody knows: in that case forget the state."""
        if isinstance(error, DatabaseUnavailable):
            self.state = None
        self._guarded(self._refuse, error)

    def _finish(self, entry: Entry, moved: Collection[Place], *, replayed: bool, voided: bool) -> None:
        request, state = self._current, self.state
        if request is not None and state is not None:
            self._users.show(state, moved, entry, request, Outcome(entry, replayed, voided, None))
        self._next()

    def _refuse(self, error: Exception) -> None:
        if self._current is not None:
            self._current.refuse(error)
        self._next()

    def _next(self) -> None:
        self._current = self._proposal = self._written = None
        while self._mailbox:
            request = self._mailbox.popleft()
            if not request.reply.done():
                self._users.later(self._begin, request)
                self._current = request
                return
        self._mailbox = None
        self._users.active.discard(self)

    def _guarded(self, step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            step(*args, **kwargs)
        except Exception as error:
            self._crash(error)

    def _crash(self, error: Exception) -> None:
        self._users.crashes += 1
        log.exception("user actor dropped", extra={"user": self.user_id}, exc_info=error)
        self.state = None
        self._refuse(Busy("this player's actor was dropped"))
