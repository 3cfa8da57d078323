"""The shapes of issuing and redeeming tickets."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from actors.messages import Outcome
from server.wire.fields import TEXT, Slug, Uuid, Wire


class IssueTicket(Wire, frozen=True):
    """Asks for a ticket; `build` is the client's own word for its version."""

    action_id: Slug
    proof: Annotated[str, Meta(max_length=4096, pattern=TEXT)] | None = None
    build: Annotated[str, Meta(max_length=64, pattern=TEXT)] | None = None
    hold: bool = False


class Redeem(Wire, frozen=True):
    """Redeems a ticket, a held ticket by its id, or an instant action: exactly one of the three."""

    ticket: Annotated[str, Meta(max_length=4096, pattern=TEXT)] | UnsetType = UNSET
    ticket_id: Uuid | UnsetType = UNSET
    action_id: Slug | UnsetType = UNSET


AnyRedeem = Annotated[
    Redeem,
    Meta(extra_json_schema={"oneOf": [{"required": [name]} for name in ("ticket", "ticketId", "actionId")]}),
]
"""As the description says it: the type alone cannot say "exactly one"."""


class TicketAnswer(Wire, frozen=True):
    """An issued ticket; times are RFC 3339."""

    ticket: str
    ticket_id: str
    action_id: str
    points: int
    issued_at: str
    redeemable_at: str
    expires_at: str


class RedeemAnswer(Wire, frozen=True):
    """What a redemption recorded; `voided` only when it has been reversed since."""

    success: bool
    replayed: bool
    ticket_id: str
    action_id: str | None
    change: int
    new_score: int
    leaderboard_position: int | None
    user_version: int
    voided: bool | UnsetType = UNSET


def redeem_answer(outcome: Outcome) -> RedeemAnswer:
    """The answer to a redemption."""
    entry = outcome.entry
    return RedeemAnswer(
        success=True,
        replayed=outcome.replayed,
        ticket_id=entry.entry_id,
        action_id=entry.action_id,
        change=entry.delta,
        new_score=entry.score_after,
        leaderboard_position=outcome.position,
        user_version=entry.user_version,
        voided=True if outcome.voided else UNSET,
    )
