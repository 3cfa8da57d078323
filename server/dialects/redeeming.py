"""What an `actionId` stands for, and its redemption."""

from dataclasses import dataclass
from hashlib import sha256

from msgspec.structs import replace
from sanic import Request

from actors.messages import Outcome, RecallTicket, RedeemInstant, RedeemTicket
from models import held
from models.ids import TicketId, is_slug, is_uuid
from models.proposal import IdempotencyKey
from server.auth import Session
from server.errors import Conflict
from server.routes.tickets import MAX_KEY_LENGTH, by_ticket, idempotency_key, instant
from server.runtime import Runtime
from tickets.client_time import ClientTime
from tickets.errors import ActionUnknown, TicketForged


@dataclass(frozen=True, slots=True)
class OwnIds:
    """Lets a client name an instant action's occurrences itself, which makes each count once.

    `scope` and `asked` are the idempotency key's: the same id with anything else asked is a conflict.
    """

    action_id: str
    scope: str
    asked: str
    uuids_only: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What a write asks for, whoever speaks; `action_type` is the action that it must turn out to be."""

    session: Session
    action_id: str
    action_type: str | None = None
    client_time: ClientTime | None = None
    own_ids: OwnIds | None = None


async def redeem(runtime: Runtime, request: Request, asked: Asked) -> Outcome:
    """The outcome, recorded now or before; raises what native redemption raises, and Conflict for another action."""
    command = await _command(runtime, request, asked)
    match command:
        case RedeemTicket(ticket):
            _same(asked, ticket.action_id)
            command = replace(command, client_time=asked.client_time)
        case RedeemInstant(action=revised):
            _same(asked, revised.action.action_id)
            command = replace(command, client_time=asked.client_time)
    outcome = await runtime.tell(asked.session.user_id, command)
    _same(asked, outcome.entry.action_id)
    return outcome


def _same(asked: Asked, action_id: str | None) -> None:
    if asked.action_type not in (None, action_id):
        raise Conflict("actionType is not the action of this actionId")


async def _command(runtime: Runtime, request: Request, asked: Asked) -> RedeemTicket | RedeemInstant | RecallTicket:
    """A known action, a held or spent ticket, a signed one, and only then an id of the client's own."""
    text = asked.action_id
    if runtime.definitions.catalogue.find(text) is not None:
        header = request.headers.get("idempotency-key")
        return instant(runtime, text, idempotency_key(f"instant:{asked.session.user_id}", header, text))
    uuid = text.lower()
    if is_uuid(uuid):
        known = await runtime.supervisor.detached("known", held.known(runtime.database, uuid))
        if known.ticket is not None:
            return await by_ticket(runtime, asked.session, known.ticket)
        if known.recorded:
            return RecallTicket(TicketId(uuid))
        return _own(runtime, asked, uuid) or _unknown(uuid)
    try:
        return await by_ticket(runtime, asked.session, text)
    except TicketForged:
        return _own(runtime, asked, text) or _unknown(text)


def _own(runtime: Runtime, asked: Asked, own_id: str) -> RedeemInstant | None:
    """The instant action that an id of the client's own counts for; None where there is none."""
    own = asked.own_ids
    revised = None if own is None else runtime.definitions.catalogue.find(own.action_id)
    if own is None or revised is None or revised.action.ticket != "instant" or (own.uuids_only and not is_uuid(own_id)):
        return None
    if len(own_id) > MAX_KEY_LENGTH or not own_id.isascii() or not own_id.isprintable():
        own_id = f"sha256:{sha256(own_id.encode()).hexdigest()}"  # no key, but a client may name its own as it likes
    scope = f"{own.scope}:{asked.session.user_id}"
    return instant(runtime, own.action_id, IdempotencyKey(scope, own_id, sha256(own.asked.encode()).digest()))


def _unknown(text: str) -> RedeemInstant:
    raise ActionUnknown(actionId=text) if is_slug(text) else TicketForged
