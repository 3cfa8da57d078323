"""Issuing and redeeming tickets."""

from dataclasses import replace
from hashlib import sha256
from time import perf_counter
from typing import Annotated

from msgspec import UNSET, Meta
from sanic import HTTPResponse, Request

from actors.errors import PlayerUnknown
from actors.frames import rfc3339
from actors.messages import Command, RecallTicket, RedeemInstant, RedeemTicket
from models import held, proofs
from models.catalogue import Action, Revised
from models.errors import DataRejected
from models.ids import ActionId, EntryId, TicketId, UserId, uuid7
from models.proposal import IdempotencyKey
from server.addresses import address_of
from server.auth import Session
from server.blueprints import Blueprint
from server.bodies import answer, decode
from server.documented import Parameter, documented
from server.errors import InvalidRequest
from server.limits import limited
from server.proofs import spent
from server.runtime import Runtime
from server.wire.fields import END
from server.wire.tickets import AnyRedeem, IssueTicket, Redeem, RedeemAnswer, TicketAnswer, redeem_answer
from tickets.errors import (
    ActionDisabled,
    ActionUnknown,
    NotInstant,
    PlayerBanned,
    TicketNotYours,
)
from tickets.ticket import Ticket

MAX_KEY_LENGTH = 200
KEY_PATTERN = r"^[!-~]([ -~]*[!-~])?" + END
"""Printable ASCII; what stands around it in the header is trimmed."""

IDEMPOTENCY_KEY = Parameter(
    "Idempotency-Key",
    Annotated[str, Meta(min_length=1, max_length=MAX_KEY_LENGTH, pattern=KEY_PATTERN)],
    "The caller's own name for the request: sent again, it gets the recorded result.",
    where="header",
    example="6f9619ff",
)

blueprint = Blueprint("tickets")


@blueprint.post("/api/v1/tickets")
@documented(
    TicketAnswer,
    status=201,
    body=IssueTicket,
    refuses=("action_unknown", "action_disabled", "player_banned", "proof_required"),
    limits=("tickets",),
)
async def issue(request: Request) -> HTTPResponse:
    """Issues a signed ticket; writes nothing unless it is to be held."""
    runtime: Runtime = request.app.ctx.runtime
    session = runtime.tokens.required(request)
    await limited(request, "tickets", session.user_id)
    body = decode(request, IssueTicket)
    revised = enabled_action(runtime, body.action_id)
    refuse_banned(runtime, session.user_id)
    action = revised.action
    address = address_of(request, runtime.settings.trusted_proxies)
    # Counted before it is asked for a proof, so that of many at once no more pass than are usual.
    runtime.issue_rates.count(session.user_id, address)
    try:
        await _prove(runtime, session.user_id, address, action, body.proof)
    except BaseException:
        runtime.issue_rates.count(session.user_id, address, -1)
        raise
    now = runtime.clock.now_ms()
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


async def _prove(runtime: Runtime, user_id: UserId, address: str, action: Action, proof: str | None) -> None:
    """Uses up a proof of work where one is asked for; raises ProofRequired."""
    if action.proof == "none":
        return
    if action.proof == "adaptive" and not await runtime.issue_rates.are_unusual(user_id, address):
        return
    solved = runtime.proofs.verify(proof, user_id, action.action_id)
    spending = proofs.spend(runtime.database, solved.name, solved.expires_at)
    if not await runtime.supervisor.detached("proof", spending):
        raise spent(action.action_id)


async def _hold(runtime: Runtime, ticket: Ticket, text: str) -> None:
    try:
        await held.hold(runtime.database, ticket.ticket_id, ticket.user_id, text, ticket.expires_at)
    except DataRejected as error:
        raise PlayerUnknown("there is no such player") from error


@blueprint.post("/api/v1/tickets/redeem")
@documented(
    RedeemAnswer,
    body=AnyRedeem,
    # Looked at for instant actions only, so no text in it is wrong as such.
    parameters=(replace(IDEMPOTENCY_KEY, shape=str),),
    refuses=(
        *("ticket_forged", "ticket_not_yours", "ticket_expired", "ticket_too_early", "ticket_overlaps"),
        *("player_banned", "action_unknown", "action_disabled", "cooldown", "daily_limit", "not_found", "conflict"),
    ),
    limits=("redeem",),
)
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
    if (ticket.action_id, ticket.revision) not in runtime.definitions.catalogue.revisions:
        # Issued by a pod that heard of a new revision before this one did.
        await runtime.supervisor.detached("refresh", runtime.definitions.refresh())
    return RedeemTicket(ticket)


async def _by_id(runtime: Runtime, session: Session, ticket_id: TicketId) -> Command:
    """A held ticket, or else whatever the ledger has under this id."""
    text = await runtime.supervisor.detached("held", held.find(runtime.database, ticket_id))
    return RecallTicket(ticket_id) if text is None else await by_ticket(runtime, session, text)


def instant(runtime: Runtime, action_id: str, key: IdempotencyKey | None) -> RedeemInstant:
    """The command of an instant action; raises ActionUnknown, ActionDisabled or NotInstant.

    With a key the actor decides: what was recorded under it is told whatever became of the action.
    """
    revised = enabled_action(runtime, action_id, even_disabled=key is not None)
    if key is None and revised.action.ticket != "instant":
        raise NotInstant(actionId=action_id)
    entry_id = EntryId(uuid7(runtime.clock.now_ms()))
    return RedeemInstant(entry_id, revised, key)


def refuse_banned(runtime: Runtime, user_id: UserId) -> None:
    """Raises PlayerBanned for whom this pod knows to be banned."""
    if runtime.notices.banned.get(user_id, 0) > runtime.clock.now_ms():
        raise PlayerBanned


def enabled_action(runtime: Runtime, action_id: str, *, even_disabled: bool = False) -> Revised:
    """An action that may be done now; raises ActionUnknown or ActionDisabled."""
    revised = runtime.definitions.catalogue.find(ActionId(action_id))
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
