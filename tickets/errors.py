"""Why a ticket does not count.

TicketError                 `code` is the contract's stable word, `facts` go into the answer
├── TicketForged            not ours, or altered
├── TicketNotYours          ours, but another player's
├── ActionUnknown           no such action
├── ActionDisabled          switched off by an administrator
├── NotInstant              the action needs a ticket
├── ProofRequired           the action asks for a proof of work first
├── PlayerBanned
├── TicketExpired           redeemed too late
├── TicketTooEarly          faster than the action can be done
├── TicketOverlaps          issued before the player's last redemption of that action
├── Cooldown                too soon after the last one
├── DailyLimit              enough for this UTC day
└── ClientTimeOff           the client's own time is not of now, or before the ticket's
"""

from typing import ClassVar


class TicketError(Exception):
    """A refusal: a stable code, a sentence for people, and facts."""

    code: ClassVar[str]
    sentence: ClassVar[str]

    def __init__(self, **facts: str | int | None) -> None:
        super().__init__(self.sentence)
        self.facts = facts


class TicketForged(TicketError):
    """The text is no ticket of ours."""

    code = "ticket_forged"
    sentence = "This is not a ticket of this server."


class TicketNotYours(TicketError):
    """The ticket was issued to another player."""

    code = "ticket_not_yours"
    sentence = "This ticket was issued to another player."


class ActionUnknown(TicketError):
    """There is no such action."""

    code = "action_unknown"
    sentence = "There is no such action."


class ActionDisabled(TicketError):
    """The action is switched off."""

    code = "action_disabled"
    sentence = "This action is switched off at present."


class NotInstant(TicketError):
    """The action needs a ticket and a duration."""

    code = "conflict"
    sentence = "This action is not instant: ask for a ticket first."


class ProofRequired(TicketError):
    """The action asks for a proof of work before it starts."""

    code = "proof_required"
    sentence = "This action asks for a proof of work first."


class PlayerBanned(TicketError):
    """The player is banned."""

    code = "player_banned"
    sentence = "This player is banned."


class TicketExpired(TicketError):
    """The ticket was redeemed too late."""

    code = "ticket_expired"
    sentence = "This ticket has expired."


class TicketTooEarly(TicketError):
    """The action cannot be done that fast."""

    code = "ticket_too_early"
    sentence = "This action cannot be done that fast."


class TicketOverlaps(TicketError):
    """The ticket was issued before the last redemption of its action."""

    code = "ticket_overlaps"
    sentence = "This ticket was issued before your last redemption of the same action."


class Cooldown(TicketError):
    """Too soon after the last redemption of this action."""

    code = "cooldown"
    sentence = "It is too soon after the last time."


class DailyLimit(TicketError):
    """Enough of this action for this UTC day."""

    code = "daily_limit"
    sentence = "This action has reached its limit for today."


class ClientTimeOff(TicketError):
    """The client's own time cannot be that of the action."""

    code = "conflict"
    sentence = "The timestamp is more than five minutes away from now, or lies before the ticket."
