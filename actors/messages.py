"""What user actors are told and what they answer."""

import asyncio
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from models.catalogue import Revised
from models.entry import Entry
from models.ids import EntryId, TicketId
from models.proposal import IdempotencyKey
from tickets.client_time import ClientTime
from tickets.ticket import Ticket


class RedeemTicket(Struct, frozen=True):
    """Redeem a verified ticket of this player; the actor judges it by its own time, and the client's if one is told."""

    ticket: Ticket
    client_time: ClientTime | None = None


class RedeemInstant(Struct, frozen=True):
    """Issue and redeem an instant action in one step; exactly once only with a key."""

    entry_id: EntryId
    action: Revised
    key: IdempotencyKey | None
    client_time: ClientTime | None = None


class RecallTicket(Struct, frozen=True):
    """Answer what is recorded under a ticket's id, and change nothing."""

    ticket_id: TicketId


class Award(Struct, frozen=True):
    """Give points, server to server; refused only for a ban, a disabled action and the score's bounds."""

    entry_id: EntryId
    action: Revised
    points: int
    reason: str
    caller: str
    key: IdempotencyKey


class AdjustScore(Struct, frozen=True):
    """Move a score by a signed delta."""

    entry_id: EntryId
    delta: int
    reason: str
    caller: str
    key: IdempotencyKey | None = None


class Expected(StrEnum):
    """What must be so for a score to be set."""

    ANYTHING = "anything"
    ABSENT = "absent"
    PRESENT = "present"


class SetScore(Struct, frozen=True):
    """Make a score an absolute one; by how much that moves it is decided on the present state."""

    entry_id: EntryId
    score: int
    expected: Expected
    reason: str
    caller: str
    key: IdempotencyKey | None = None


class VoidEntry(Struct, frozen=True):
    """Reverse one scoring entry of this player, at that entry's time."""

    entry_id: EntryId
    target: Entry
    reason: str
    caller: str


class BanPlayer(Struct, frozen=True):
    """Hide from boards and refuse redemptions, until a time in Unix milliseconds."""

    entry_id: EntryId
    until: int
    reason: str
    caller: str
    key: IdempotencyKey | None = None


class UnbanPlayer(Struct, frozen=True):
    """Take a ban back; with `ended_only` one that has run out, and no newer one."""

    entry_id: EntryId
    caller: str
    ended_only: bool = False


class MoveRegion(Struct, frozen=True):
    """Change the region; entries from now on record the new one."""

    entry_id: EntryId
    region: str | None
    caller: str


class JoinGroup(Struct, frozen=True):
    """Add a group; entries from now on record it."""

    entry_id: EntryId
    group: str
    caller: str


class LeaveGroup(Struct, frozen=True):
    """Take a group away; entries from now on do not record it."""

    entry_id: EntryId
    group: str
    caller: str


class ErasePlayer(Struct, frozen=True):
    """Hide from boards for good and refuse everything from now on."""

    entry_id: EntryId
    caller: str


Command: TypeAlias = (
    RedeemTicket
    | RedeemInstant
    | RecallTicket
    | Award
    | AdjustScore
    | SetScore
    | VoidEntry
    | BanPlayer
    | UnbanPlayer
    | MoveRegion
    | JoinGroup
    | LeaveGroup
    | ErasePlayer
)


class Outcome(Struct, frozen=True):
    """What is recorded: the entry, whether it was there before, whether a void reversed it since.

    `position` is the player's rank on the board `global`, None when it was not known in time.
    """

    entry: Entry
    replayed: bool
    voided: bool
    position: int | None


class Request(Struct, eq=False):
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
