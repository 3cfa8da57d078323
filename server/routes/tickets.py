"""Issuing and redeeming tickets."""

from hashlib import sha256
from time import perf_counter

from msgspec import UNSET
from sanic import Blueprint, HTTPResponse, Request

from actors.errors import PlayerUnknown
from actors.frames import rfc3339
from actors.messages import Command, RecallTicket, RedeemInstant, RedeemTicket
from models import held
from models.catalogue import Revised
from models.errors import DataRejected
from models.ids import ActionId, EntryId, TicketId, uuid7
from models.proposal import IdempotencyKey
from server.auth import Session
from server.bodies import answer, decode
from server.errors import InvalidRequest
from server.limits import limited
from server.runtime import Runtime
from server.wire import IssueTicket, Redeem, TicketAnswer, redeem_answer
from tickets.errors import (
    ActionDisabled,
    ActionUnknown,
    NotInstant,
    PlayerBanned,
    ProofRequired,
    TicketNotYours,
)
from tickets.ticket import Ticket

MAX_KEY_LENGTH = 200

blueprint = Blueprint("tickets")


@blueprint.post("/api/v1/tickets")
async def issue(request: Request) -> HTTPResponse:
    """Issues a signed ticket; writes nothing unless it is to be held."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "tickets", session.user_id)
    body = decode(request, IssueTicket)
    revised = _enabled(runtime, body.action_id)
    now = runtime.clock.now_ms()
    if runtime.notices.banned.get(session.user_id, 0) > now:
        raise PlayerBanned
    action = revised.action
    if action.proof == "always":
        raise ProofRequired(actionId=action.action_id)
    ticket = Ticket(
        ticket_id=TicketId(uuid7(now)),
        user_id=session.user_id,
        action_id=action.action_id,
        revision=revised.revision,
        issued_at=now,
        expires_at=now + action.max_seconds * 1000,
        build=body.build,
    )
    text = runtime.signer.sign(ticket)
    if body.hold:
        await runtime.supervisor.detached("hold", _hold(runtime, ticket, text))
    shown = TicketAnswer(
        ticket=text,
        ticket_id=ticket.ticket_id,
        action_id=action.action_id,
        points=action.points,
        issued_at=rfc3339(now),
        redeemable_at=rfc3339(now + action.min_seconds * 1000),
        expires_at=rfc3339(ticket.expires_at),
    )
    return answer(shown, 201, {"Cache-Control": "no-store"})


async def _hold(runtime: Runtime, ticket: Ticket, text: str) -> None:
    try:
        await held.hold(runtime.database, ticket.ticket_id, ticket.user_id, text, ticket.expires_at)
    except DataRejected as error:
        raise PlayerUnknown("there is no such player") from error


@blueprint.post("/api/v1/tickets/redeem")
async def redeem(request: Request) -> HTTPResponse:
    """Redeems a ticket; the same one again gets the recorded result."""
    began = perf_counter()
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "redeem", session.user_id)
    body = decode(request, Redeem)
    if (body.ticket is UNSET) + (body.ticket_id is UNSET) + (body.action_id is UNSET) != 2:  # noqa: PLR2004
        raise InvalidRequest("send exactly one of ticket, ticketId and actionId")
    if body.ticket is not UNSET:
        command: Command = await by_ticket(runtime, session, body.ticket)
    elif body.ticket_id is not UNSET:
        command = await _by_id(runtime, session, TicketId(body.ticket_id.lower()))
    else:
        action_id = str(body.action_id)
        key = idempotency_key(f"instant:{session.user_id}", request.headers.get("idempotency-key"), action_id)
        command = instant(runtime, action_id, key)
    told = perf_counter()
    runtime.tallies.verified.observe(told - began)
    outcome = await runtime.tell(session.user_id, command)
    runtime.tallies.redeemed.observe(perf_counter() - told)
    return answer(redeem_answer(outcome))


async def by_ticket(runtime: Runtime, session: Session, text: str) -> RedeemTicket:
    """The command of a signed ticket; raises TicketForged or TicketNotYours."""
    ticket = runtime.signer.verify(text)
    if ticket.user_id != session.user_id:
        raise TicketNotYours
    if (ticket.action_id, ticket.revision) not in runtime.catalogue.revisions:
        # Issued by a pod that heard of a new revision before this one did.
        await runtime.supervisor.detached("refresh", runtime.refresh())
    return RedeemTicket(ticket)


async def _by_id(runtime: Runtime, session: Session, ticket_id: TicketId) -> Command:
    """A held ticket, or else whatever the ledger has under this id."""
    text = await runtime.supervisor.detached("held", held.find(runtime.database, ticket_id))
    return RecallTicket(ticket_id) if text is None else await by_ticket(runtime, session, text)


def instant(runtime: Runtime, action_id: str, key: IdempotencyKey | None) -> RedeemInstant:
    """The command of an instant action; raises ActionUnknown, ActionDisabled or NotInstant."""
    revised = _enabled(runtime, action_id, even_disabled=key is not None)
    if revised.action.ticket != "instant":
        raise NotInstant(actionId=action_id)
    entry_id = EntryId(uuid7(runtime.clock.now_ms()))
    return RedeemInstant(entry_id, revised, key)


def _enabled(runtime: Runtime, action_id: str, *, even_disabled: bool = False) -> Revised:
    revised = runtime.catalogue.find(ActionId(action_id))
    if revised is None:
        raise ActionUnknown(actionId=action_id)
    if not revised.action.enabled and not even_disabled:
        raise ActionDisabled(actionId=action_id)
    return revised


def idempotency_key(scope: str, key: str | None, *asked: str) -> IdempotencyKey | None:
    """A caller's key with a digest of what it asks for; raises InvalidRequest."""
    if key is None:
        return None
    if not 0 < len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        raise InvalidRequest(f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} printable ASCII characters")
    return IdempotencyKey(scope, key, sha256("\x00".join(asked).encode()).digest())
