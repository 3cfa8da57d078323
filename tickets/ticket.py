"""What an action ticket says."""

import msgspec

from models.ids import ActionId, TicketId, UserId


class Ticket(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A witnessed start of an action; times are Unix milliseconds.

    `revision` is the catalogue revision that the ticket is judged by, `build` the client's own word for its version.
    """

    ticket_id: TicketId
    user_id: UserId
    action_id: ActionId
    revision: int
    issued_at: int
    expires_at: int
    build: str | None = None
