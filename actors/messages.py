"""What user actors are told and what they answer."""

import asyncio
from dataclasses import dataclass
from typing import TypeAlias

from models.catalogue import Revised
from models.entry import Entry
from models.ids import EntryId, TicketId
from models.proposal import IdempotencyKey
from tickets.ticket import Ticket


@dataclass(frozen=True, slots=True)
class RedeemTicket:
    """Redeem a verified ticket of this player; `now` is judged by the actor."""

    ticket: Ticket


@dataclass(frozen=True, slots=True)
class RedeemInstant:
    """Issue and redeem an instant action in one step; exactly once only with a key."""

    entry_id: EntryId
    action: Revised
    key: IdempotencyKey | None


@dataclass(frozen=True, slots=True)
class RecallTicket:
    """Answer what is recorded under a ticket's id, and change nothing."""

    ticket_id: TicketId


@dataclass(frozen=True, slots=True)
class Award:
    """Give points, server to server; no policy applies but the score's bounds."""

    entry_id: EntryId
    action: Revised
    points: int
    reason: str
    caller: str
    key: IdempotencyKey


@dataclass(frozen=True, slots=True)
class AdjustScore:
    """Move a score by a signed delta."""

    entry_id: EntryId
    delta: int
    reason: str
    caller: str
    key: IdempotencyKey | None = None


@dataclass(frozen=True, slots=True)
class VoidEntry:
    """Reverse one scoring entry of this player, at that entry's time."""

    entry_id: EntryId
    target: Entry
    reason: str
    caller: str


@dataclass(frozen=True, slots=True)
class BanPlayer:
    """Hide from boards and refuse redemptions, until a time in Unix milliseconds."""

    entry_id: EntryId
    until: int
    reason: str
    caller: str


@dataclass(frozen=True, slots=True)
class UnbanPlayer:
    """Take a ban back."""

    entry_id: EntryId
    caller: str


@dataclass(frozen=True, slots=True)
class MovePlayer:
    """Change region and groups; entries from now on record the new ones."""

    entry_id: EntryId
    region: str | None
    groups: tuple[str, ...]
    caller: str


Command: TypeAlias = (
    RedeemTicket | RedeemInstant | RecallTicket | Award | AdjustScore | VoidEntry | BanPlayer | UnbanPlayer | MovePlayer
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is recorded: the entry, whether it was there before, whether a void reversed it since.

    `position` is the player's rank on the board `global`, None when it was not known in time.
    """

    entry: Entry
    replayed: bool
    voided: bool
    position: int | None


@dataclass(slots=True, eq=False)
class Request:
    """A command on its way, with the future that answers it; `deadline` is of the loop's clock.

    Whoever answers checks that the future is not done: the one who waits may have been cancelled.
    """

    command: Command
    reply: asyncio.Future[Outcome]
    deadline: float

    def answer(self, outcome: Outcome) -> None:
        """Answers, unless nobody waits any more."""
        if not self.reply.done():
            self.reply.set_result(outcome)

    def refuse(self, error: Exception) -> None:
        """Answers with an error, unless nobody waits any more."""
        if not self.reply.done():
            self.reply.set_exception(error)
